import type { Actor, Audit } from '../../audit/index.ts';
import { removeGrants } from '../../authorization/index.ts';
import type { Consent, Consents, Ending } from '../../consent/index.ts';
import type { Directory, Participant, ParticipantStatus } from '../../directory/index.ts';
import type { Database } from '../../platform/database.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { Tokens } from '../../tokens/index.ts';

/** The rooms that staff act on, from the management API, the command line and the customer's portal alike. */
export interface OperationRooms {
  readonly database: Database;
  readonly consents: Pick<Consents, 'find' | 'list' | 'history' | 'revoke' | 'ended' | 'unended' | 'noticeChange'>;
  readonly tokens: Pick<Tokens, 'deny' | 'list'>;
  readonly directory: Pick<
    Directory,
    | 'findParticipant'
    | 'listParticipants'
    | 'createParticipant'
    | 'changeStatus'
    | 'changeRateLimit'
    | 'listClients'
    | 'standing'
  >;
  readonly audit: Pick<Audit, 'flush' | 'search' | 'enqueue' | 'checkWritable'>;
}

/** The rooms that a revocation changes. */
export interface RevocationRooms {
  readonly consents: Pick<Consents, 'revoke' | 'ended' | 'takeEndings'>;
  readonly tokens: Pick<Tokens, 'deny'>;
}

/** What a revocation ended; while something is missing the consent reads as `revoking`, and it is done in the background (N-201). */
export interface Revoked {
  readonly consent: Consent;
  /** Access tokens that were live until now; the refresh tokens are dead with their consent. */
  readonly tokens: number;
}

/**
 * Ends a consent and its access tokens; refresh tokens die with the consent. A second call is the same answer again.
 * @throws Refusal `consent_missing` 404, `consent_status_invalid` 400 (N-202), `consent_store_unavailable` 503
 */
export async function revokeConsent(
  rooms: Pick<RevocationRooms, 'tokens'> & { readonly consents: Pick<Consents, 'revoke' | 'ended'> },
  bank: string,
  id: string,
  actor: Actor,
): Promise<Revoked> {
  const consent = await rooms.consents.revoke(bank, id, actor).catch(async (cause: unknown) => {
    // The bank's store cannot be asked: what has this id is refused all the same, so its tokens end all the same.
    if (isRevoking(cause)) await endTokensOf(rooms, { bank, id }, actor);
    throw cause;
  });
  const tokens = await endTokensOf(rooms, consent, actor);
  return tokens === undefined ? { consent: { ...consent, revoking: true }, tokens: 0 } : { consent, tokens };
}

/** True for the refusal of a revocation that is in force here while the bank's own store could not be asked. */
export function isRevoking(cause: unknown): boolean {
  return cause instanceof Refusal && cause.code === 'consent_store_unavailable' && cause.detail === 'revoking';
}

/** Who ends what a process left undone. */
const RETRY: Actor = { kind: 'system', reference: 'revocation' };

/** Ends the tokens of revoked consents that whoever revoked them could not end, as far as they are due (N-201); gives how many consents. */
export async function finishRevocations(rooms: RevocationRooms): Promise<number> {
  const due = await rooms.consents.takeEndings();
  const ended = await Promise.all(due.map((ending) => endTokensOf(rooms, ending, RETRY)));
  return ended.filter((count) => count !== undefined).length;
}

/** How many tokens ended; undefined when nobody can tell: the consent room remembers that it is to be done. */
async function endTokensOf(
  { consents, tokens }: Pick<RevocationRooms, 'tokens'> & { readonly consents: Pick<Consents, 'ended'> },
  { bank, id }: Ending,
  actor: Actor,
): Promise<number | undefined> {
  try {
    const ended = await tokens.deny({ bank, consent: id }, actor);
    await consents.ended(bank, id);
    return ended;
  } catch (cause) {
    if (cause instanceof Refusal && cause.status === 503) return undefined;
    throw cause;
  }
}

/** Whose tokens end. */
export interface TokenOwner {
  readonly kind: 'consent' | 'client' | 'participant' | 'customer';
  readonly id: string;
}

/** Consents looked up at once while their grants end. */
const GRANT_BATCH = 500;

/**
 * Ends every access and refresh token of an owner, and the grants behind them; the consents stay as they are, so that the
 * customer can connect again (CLD-55). Gives how many access tokens were live.
 * @throws Refusal `consent_missing`, `client_unknown`, `participant_unknown`, `customer_unknown` 404
 */
export async function revokeTokens(
  rooms: OperationRooms,
  bank: string,
  owner: TokenOwner,
  actor: Actor,
): Promise<number> {
  await checkOwner(rooms, bank, owner);
  const failure = await endGrants(rooms, bank, owner).then(
    () => undefined,
    (cause: unknown) => ({ cause }),
  );
  // Whatever became of the grants, what can be used this moment ends this moment.
  const ended = await rooms.tokens.deny({ bank, [owner.kind]: owner.id }, actor);
  if (failure !== undefined) throw failure.cause;
  return ended;
}

async function endGrants({ database, consents }: OperationRooms, bank: string, owner: TokenOwner): Promise<void> {
  if (owner.kind === 'consent') {
    // A bank whose own store changed the consent calls here, so what is remembered of it goes as well.
    await consents.noticeChange(bank, owner.id);
    await removeGrants(database, bank, [owner.id]);
    return;
  }
  const filter = { bank, [owner.kind]: owner.id, state: 'Authorised', limit: GRANT_BATCH } as const;
  let batch = await consents.list(filter);
  while (batch.length > 0) {
    await removeGrants(
      database,
      bank,
      batch.map(({ id }) => id),
    );
    const last = batch.at(-1);
    batch = last === undefined || batch.length < GRANT_BATCH ? [] : await consents.list({ ...filter, after: last });
  }
}

async function checkOwner({ consents, directory, tokens }: OperationRooms, bank: string, { kind, id }: TokenOwner) {
  switch (kind) {
    case 'consent':
      if ((await consents.find(bank, id)) === undefined) throw unknown('consent_missing', 'consent with this id');
      return;
    case 'client':
      if ((await directory.standing(bank, id)) === undefined) throw unknown('client_unknown', 'client with this id');
      return;
    case 'participant':
      if ((await directory.findParticipant(id)) === undefined)
        throw unknown('participant_unknown', 'participant with this id');
      return;
    case 'customer': {
      const [consent] = await consents.list({ bank, customer: id, limit: 1 });
      const [token] = consent === undefined ? await tokens.list({ bank, customer: id }) : [];
      if (consent === undefined && token === undefined)
        throw unknown('customer_unknown', 'customer with this id who ever shared something');
      return;
    }
    default:
      throw new Error(`unhandled owner ${kind satisfies never}`);
  }
}

function unknown(code: string, what: string): Refusal {
  return new Refusal(code, 404, `There is no ${what} at this bank.`);
}

/**
 * Changes what a participant may do, from the next request on, at every bank; one that is removed loses its tokens as well.
 * @throws Refusal `participant_unknown` 404, `status_invalid` 409
 */
export async function changeParticipantStatus(
  { directory, tokens }: Pick<OperationRooms, 'directory' | 'tokens'>,
  banks: readonly string[],
  id: string,
  status: ParticipantStatus,
  actor: Actor,
): Promise<Participant> {
  const participant = await directory.changeStatus(id, status, actor);
  if (status === 'removed') for (const bank of banks) await tokens.deny({ bank, participant: id }, actor);
  return participant;
}
