import { Type } from 'typebox';
import { CONSENT_STATES } from '../../consent/index.ts';
import { PARTICIPANT_STATUSES, ROLES } from '../../directory/index.ts';

/** Objects take the members they name and no others. */
export const closed = { additionalProperties: false } as const;

/** Longest id of anything, as the rooms keep them. */
const MAXIMUM_ID = 256;
/** The audit trail keeps this much of a reason. */
const MAXIMUM_REASON = 256;

const ID = { minLength: 1, maxLength: MAXIMUM_ID, pattern: '^[^\\p{C}]*\\S[^\\p{C}]*$' } as const;

/** An id of anything. */
export const Id = (description: string) => Type.String({ ...ID, description });

/** Parameters of a bank's path. */
export const bankParameter = { bank: Id('Id of the bank.') } as const;

const Instant = (description: string) => Type.String({ format: 'date-time', description });

/** Who did it, and why: every change by staff says so (N-240). */
export const why = {
  reason: Type.String({
    minLength: 1,
    maxLength: MAXIMUM_REASON,
    pattern: '^[^\\p{C}<>]*[^\\p{C}<>\\s][^\\p{C}<>]*$',
    description: 'Why, in a sentence without markup; kept in the audit trail.',
  }),
  by: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._@-]{1,64}$',
      description: "The bank's own reference to the person who acts; never a name.",
    }),
  ),
} as const;

/** A change that says why and nothing else. */
export const Why = Type.Object(why, { ...closed, title: 'Why' });

/** Paging: the answer's `next` asks for the following page. */
export const paging = {
  limit: Type.Optional(
    Type.String({
      pattern: '^(?:[1-9][0-9]?|[1-4][0-9]{2}|500)$',
      description: 'Items of a page: 1 to 500, else 100.',
    }),
  ),
  after: Type.Optional(
    Type.String({ pattern: '^[A-Za-z0-9_-]{1,512}$', description: '`next` of the page before, unchanged.' }),
  ),
} as const;

/** Moments a list lies between. */
export const period = {
  from: Type.Optional(Instant('From this moment on.')),
  to: Type.Optional(Instant('Before this moment.')),
} as const;

/** The next page, where there is one. */
export const next = {
  next: Type.Optional(Type.String({ description: 'Ask for the next page with `after`.' })),
} as const;

/** A state of a consent. */
export const ConsentStatus = Type.Enum([...CONSENT_STATES], { description: 'State at the time of reading.' });

/** A consent as the bank sees it. */
export const ConsentDocument = Type.Object(
  {
    id: Id('Also the grant id of its tokens, and what the audit trail is searched by.'),
    participant: Id('Who asked.'),
    client: Id("The participant's client."),
    customer: Type.Optional(Id("The bank's own id of the customer; absent until somebody signed in.")),
    status: ConsentStatus,
    revoking: Type.Boolean({ description: "True while the bank's own store has not confirmed a revocation." }),
    scopes: Type.Array(Type.String()),
    accounts: Type.Array(Type.String({ description: "The bank's own id of an account." })),
    authorizationDetails: Type.Array(Type.Record(Type.String(), Type.Unknown())),
    createdAt: Instant('When it was asked for.'),
    changedAt: Instant('When its state changed last.'),
    expiresAt: Instant('Its end; while awaiting, the end of the time to decide.'),
    lastUsedAt: Type.Optional(Instant('When data were fetched last.')),
  },
  { ...closed, title: 'Consent' },
);

/** A step of a consent's life. */
export const StepDocument = Type.Object(
  {
    at: Instant('When.'),
    action: Type.String(),
    status: ConsentStatus,
    actor: Type.String({ description: 'customer, participant, staff or system.' }),
    actorReference: Type.String(),
    reason: Type.Optional(Type.String()),
    accounts: Type.Optional(
      Type.Object(
        { before: Type.Array(Type.String()), after: Type.Array(Type.String()) },
        { ...closed, description: 'Of `change`: the accounts before and after it.' },
      ),
    ),
  },
  { ...closed, title: 'ConsentStep' },
);

const participantFields = {
  id: Id('Short, stable, lower case.'),
  name: Type.String({ minLength: 1, description: 'Registered name, shown to customers.' }),
  registrationNumber: Type.String({ minLength: 1, description: 'organizationIdentifier of its certificates.' }),
  email: Type.String({ minLength: 3 }),
  phone: Type.Optional(Type.String({ minLength: 1 })),
  roles: Type.Array(Type.Enum([...ROLES], { description: 'Role.' })),
  requestsPerMinute: Type.Optional(Type.Integer({ minimum: 1, description: 'Absent: no limit.' })),
} as const;

/** A participant as it is entered: pending until it is approved. */
export const NewParticipantDocument = Type.Object(
  { ...participantFields, ...why },
  { ...closed, title: 'NewParticipant' },
);

/** A participant of the directory. */
export const ParticipantDocument = Type.Object(
  {
    ...participantFields,
    status: Type.Enum([...PARTICIPANT_STATUSES], { description: 'Only approved participants may do anything.' }),
    statusReason: Type.Optional(Type.String()),
    createdAt: Instant('When it was entered.'),
    updatedAt: Instant('When it changed last.'),
  },
  { ...closed, title: 'Participant' },
);

/** A client of a participant at this bank. */
export const ClientDocument = Type.Object(
  {
    id: Id('client_id'),
    participant: Id('Whose it is.'),
    softwareId: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    scope: Type.Optional(Type.String()),
    grantTypes: Type.Array(Type.String()),
    createdAt: Instant('When it was registered.'),
  },
  { ...closed, title: 'Client' },
);

const Text = Type.Optional(Type.String());

/** A record of the audit trail. */
export const AuditDocument = Type.Object(
  {
    at: Instant('When.'),
    family: Type.String(),
    action: Type.String(),
    outcome: Type.String(),
    bank: Text,
    participant: Text,
    client: Text,
    subject: Type.Optional(Type.String({ description: 'Keyed hash that stands for a customer.' })),
    consent: Text,
    interaction: Text,
    reason: Text,
    detail: Text,
    facts: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    chain: Type.String(),
    sequence: Type.Integer(),
    hash: Type.String(),
  },
  { ...closed, title: 'AuditRecord' },
);

/** Every refusal. */
export const ErrorDocument = Type.Object(
  {
    error: Type.Object(
      {
        reason: Type.String({ description: 'Stable code.' }),
        message: Type.String({ description: 'What was wrong, and what to change.' }),
        traceId: Type.String({ description: 'Finds the request in log and audit trail.' }),
      },
      closed,
    ),
  },
  { ...closed, title: 'Error' },
);
