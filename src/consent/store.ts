import type { Actor } from '../audit/index.ts';
import type { Statements } from '../platform/database.ts';
import { isRecord } from '../platform/json.ts';
import { instant, json, optionalInstant, optionalText, type Row, text, texts } from '../platform/row.ts';
import type {
  AccountChange,
  Authorisation,
  Consent,
  ConsentAction,
  ConsentFilter,
  ConsentState,
  ConsentStep,
} from './consent.ts';
import { CONSENT_ACTIONS, CONSENT_STATES, stateAfter, statesBefore, stateWhenDue } from './transitions.ts';

/** Where changes are told to every process; the payload is `[bank, id]` as JSON. */
export const CONSENT_CHANNEL = 'consent_changed';

/** Consents in one list when nobody says how many. */
export const DEFAULT_LIST = 100;
/** Consents in one list at most: a page of a portal is shorter, and the answer stays below a megabyte. */
export const MAXIMUM_LIST = 500;
/** Steps of one consent at most: its life has four, beside changes of its accounts. */
const MAXIMUM_STEPS = 100;
/** Changes of one consent's accounts end before its history would be cut. */
const MAXIMUM_CHANGEABLE = 90;

const COLUMNS =
  'bank, id, participant, client, customer, state, scopes, accounts, authorization_details, created_at, changed_at, expires_at, last_used_at';

/** Writes a new consent; false when its id is taken. */
export async function insertConsent(statements: Statements, consent: Consent): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO consent.consents (bank, id, participant, client, customer, state, scopes, accounts, authorization_details,
       created_at, changed_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7::text[], $8::text[], $9::jsonb, $10, $11, $12)
     ON CONFLICT (bank, id) DO NOTHING RETURNING id`,
    [
      consent.bank,
      consent.id,
      consent.participant,
      consent.client,
      consent.customer ?? null,
      consent.state,
      consent.scopes,
      consent.accounts,
      JSON.stringify(consent.authorizationDetails),
      consent.createdAt,
      consent.changedAt,
      consent.expiresAt,
    ],
  );
  return rows.length === 1;
}

/** The consent as it was last written; read it through `consentAt`. */
export async function findConsent(statements: Statements, bank: string, id: string): Promise<Consent | undefined> {
  const rows = await statements.query(`SELECT ${COLUMNS} FROM consent.consents WHERE bank = $1 AND id = $2`, [
    bank,
    id,
  ]);
  return rows[0] === undefined ? undefined : consentOf(rows[0]);
}

/** Authorises in one conditional statement: Awaiting, in time, this customer's or nobody's yet, nothing that was not asked for. */
export async function authoriseConsent(
  statements: Statements,
  bank: string,
  id: string,
  { customer, scopes, accounts, expiresAt }: Authorisation,
  at: Date,
): Promise<Consent | undefined> {
  const rows = await statements.query(
    `UPDATE consent.consents
        SET state = $3, changed_at = $4, customer = $5, scopes = $6::text[], accounts = $7::text[], expires_at = $8
      WHERE bank = $1 AND id = $2 AND state = ANY($9::text[]) AND expires_at > $4
        AND (customer IS NULL OR customer = $5) AND $6::text[] <@ scopes
      RETURNING ${COLUMNS}`,
    [bank, id, stateAfter('authorise'), at, customer, scopes, accounts, expiresAt, statesBefore('authorise')],
  );
  return rows[0] === undefined ? undefined : consentOf(rows[0]);
}

/**
 * Changes the accounts in one conditional statement and gives those before; undefined when the consent is absent, another
 * customer's, not Authorised, over, changed too often, or has these accounts already.
 */
export async function changeAccounts(
  statements: Statements,
  bank: string,
  id: string,
  { customer, accounts }: AccountChange,
  at: Date,
): Promise<{ readonly consent: Consent; readonly before: readonly string[] } | undefined> {
  const rows = await statements.query(
    `WITH former AS (
       SELECT bank AS former_bank, id AS former_id, accounts AS former_accounts
         FROM consent.consents WHERE bank = $1 AND id = $2 FOR UPDATE)
     UPDATE consent.consents SET accounts = $3::text[], changed_at = $6
       FROM former
      WHERE bank = former_bank AND id = former_id AND customer = $4 AND state = $5 AND expires_at > $6
        AND NOT (accounts @> $3::text[] AND accounts <@ $3::text[])
        AND (SELECT count(*) FROM consent.steps WHERE steps.bank = $1 AND steps.consent = $2) < $7
      RETURNING ${COLUMNS}, former_accounts`,
    [bank, id, accounts, customer, stateAfter('authorise'), at, MAXIMUM_CHANGEABLE],
  );
  return rows[0] === undefined ? undefined : { consent: consentOf(rows[0]), before: texts(rows[0], 'former_accounts') };
}

/** Changes the state in one conditional statement; undefined when the consent is absent, in another state, or over. */
export async function changeState(
  statements: Statements,
  bank: string,
  id: string,
  action: Exclude<ConsentAction, 'authorise' | 'expire'>,
  at: Date,
): Promise<Consent | undefined> {
  const rows = await statements.query(
    `UPDATE consent.consents SET state = $3, changed_at = $4
      WHERE bank = $1 AND id = $2 AND state = ANY($5::text[]) AND expires_at > $4
      RETURNING ${COLUMNS}`,
    [bank, id, stateAfter(action), at, statesBefore(action)],
  );
  return rows[0] === undefined ? undefined : consentOf(rows[0]);
}

/** Writes down that a consent ended: it changed when it ended. Undefined when it has not ended or somebody was faster. */
export async function expireConsent(statements: Statements, due: Consent, at: Date): Promise<Consent | undefined> {
  const rows = await statements.query(
    `UPDATE consent.consents SET state = $3, changed_at = expires_at
      WHERE bank = $1 AND id = $2 AND state = $4 AND expires_at <= $5
      RETURNING ${COLUMNS}`,
    [due.bank, due.id, stateWhenDue(due.state), due.state, at],
  );
  return rows[0] === undefined ? undefined : consentOf(rows[0]);
}

/** Consents that ended without their rows saying so, oldest first. */
export async function dueConsents(statements: Statements, at: Date, limit: number): Promise<readonly Consent[]> {
  const rows = await statements.query(
    `SELECT ${COLUMNS} FROM consent.consents
      WHERE state IN ('Awaiting', 'Authorised') AND expires_at <= $1 ORDER BY expires_at LIMIT $2`,
    [at, limit],
  );
  return rows.map(consentOf);
}

/** Newest first; the state asked for is the state at `at`. */
export async function listConsents(
  statements: Statements,
  filter: ConsentFilter,
  at: Date,
): Promise<readonly Consent[]> {
  const values: unknown[] = [filter.bank];
  const conditions = ['bank = $1'];
  const narrow = (condition: (...parameters: string[]) => string, ...given: readonly unknown[]): void => {
    if (given.some((value) => value === undefined)) return;
    conditions.push(condition(...given.map((value) => `$${values.push(value)}`)));
  };
  narrow((customer) => `customer = ${customer}`, filter.customer);
  narrow((participant) => `participant = ${participant}`, filter.participant);
  narrow((client) => `client = ${client}`, filter.client);
  narrow((createdAt, id) => `(created_at, id) < (${createdAt}, ${id})`, filter.after?.createdAt, filter.after?.id);
  narrow(
    (now, state) =>
      `CASE WHEN expires_at > ${now}::timestamptz THEN state WHEN state = 'Authorised' THEN 'Expired'
            WHEN state = 'Awaiting' THEN 'Rejected' ELSE state END = ${state}`,
    at,
    filter.state,
  );
  const limit = `$${values.push(Math.min(filter.limit ?? DEFAULT_LIST, MAXIMUM_LIST))}`;
  const rows = await statements.query(
    `SELECT ${COLUMNS} FROM consent.consents WHERE ${conditions.join(' AND ')}
      ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    values,
  );
  return rows.map(consentOf);
}

/** Writes one step of a consent's life. */
export async function insertStep(statements: Statements, bank: string, id: string, step: ConsentStep): Promise<void> {
  await statements.query(
    `INSERT INTO consent.steps (bank, consent, at, action, state, actor, actor_reference, reason, accounts_before, accounts_after)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::text[], $10::text[])`,
    [
      bank,
      id,
      step.at,
      step.action,
      step.state,
      step.actor,
      step.actorReference,
      step.reason ?? null,
      step.accounts?.before ?? null,
      step.accounts?.after ?? null,
    ],
  );
}

/** The steps of a consent's life, oldest first. */
export async function readSteps(statements: Statements, bank: string, id: string): Promise<readonly ConsentStep[]> {
  const rows = await statements.query(
    `SELECT at, action, state, actor, actor_reference, reason, accounts_before, accounts_after FROM consent.steps
      WHERE bank = $1 AND consent = $2 ORDER BY number LIMIT $3`,
    [bank, id, MAXIMUM_STEPS],
  );
  return rows.map(stepOf);
}

/** Tells every process, when the transaction commits, that a consent changed. Also for stores that are not ours. */
export async function announceConsent(statements: Statements, bank: string, id: string): Promise<void> {
  await statements.query('SELECT pg_notify($1, $2)', [CONSENT_CHANNEL, JSON.stringify([bank, id])]);
}

/** One use of a consent. */
export interface ConsentUse {
  readonly bank: string;
  readonly id: string;
  readonly at: Date;
}

/**
 * Notes when consents were last used, in one statement; an older note never replaces a newer one. Rows are locked in one order,
 * so that two processes never wait for each other.
 */
export async function noteUses(statements: Statements, uses: readonly ConsentUse[]): Promise<void> {
  await statements.query(
    `WITH newer AS (
       SELECT kept.bank, kept.id, used.at::timestamptz AS at
         FROM consent.consents kept
         JOIN unnest($1::text[], $2::text[], $3::text[]) AS used (bank, id, at) ON kept.bank = used.bank AND kept.id = used.id
        WHERE kept.last_used_at IS NULL OR kept.last_used_at < used.at::timestamptz
        ORDER BY kept.bank, kept.id FOR NO KEY UPDATE OF kept
     )
     UPDATE consent.consents AS kept SET last_used_at = newer.at
       FROM newer WHERE kept.bank = newer.bank AND kept.id = newer.id`,
    [uses.map(({ bank }) => bank), uses.map(({ id }) => id), uses.map(({ at }) => at.toISOString())],
  );
}

function consentOf(row: Row): Consent {
  return {
    id: text(row, 'id'),
    bank: text(row, 'bank'),
    participant: text(row, 'participant'),
    client: text(row, 'client'),
    customer: optionalText(row, 'customer'),
    state: stateOf(row),
    scopes: texts(row, 'scopes'),
    accounts: texts(row, 'accounts'),
    authorizationDetails: detailsOf(json(row, 'authorization_details')),
    createdAt: instant(row, 'created_at'),
    changedAt: instant(row, 'changed_at'),
    expiresAt: instant(row, 'expires_at'),
    lastUsedAt: optionalInstant(row, 'last_used_at'),
  };
}

function stepOf(row: Row): ConsentStep {
  const action = oneOf(['create', 'change', ...CONSENT_ACTIONS], text(row, 'action'));
  return {
    at: instant(row, 'at'),
    action,
    state: stateOf(row),
    actor: oneOf(ACTOR_KINDS, text(row, 'actor')),
    actorReference: text(row, 'actor_reference'),
    reason: optionalText(row, 'reason'),
    ...(action === 'change'
      ? { accounts: { before: texts(row, 'accounts_before'), after: texts(row, 'accounts_after') } }
      : {}),
  };
}

/** Who can act on a consent. */
export const ACTOR_KINDS: readonly Actor['kind'][] = ['customer', 'participant', 'staff', 'system'];

function stateOf(row: Row): ConsentState {
  return oneOf(CONSENT_STATES, text(row, 'state'));
}

/** The word among the known ones. @throws Error when it is none: a defect */
export function oneOf<T extends string>(known: readonly T[], value: string): T {
  const found = known.find((item) => item === value);
  if (found === undefined) throw new Error(`an unknown word was kept: ${value.slice(0, 40)}`);
  return found;
}

function detailsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value) || !value.every(isRecord)) throw new Error('authorization_details is no list of objects');
  return value;
}
