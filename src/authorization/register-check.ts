import type { Participant, ParticipantRegister, Role, Standing } from '../directory/index.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuthorizationBank } from './bank.ts';
import { isEnrolled, type Peer } from './peer.ts';

/** What of a bank says who is asked about in which register. */
export type RegisterBank = Pick<AuthorizationBank, 'register' | 'management'>;

/** Requests that lead to new tokens: there the register is asked, where the bank says so. */
const ASKED_ROUTES: ReadonlySet<string> = new Set(['token', 'pushed_authorization_request']);

/**
 * The register that must confirm a participant; undefined where the bank has none. The bank's own entry in the directory is no
 * third party: no authority authorises it to call its own APIs.
 */
export function registerFor({ register, management }: RegisterBank, participant: Participant) {
  return participant.id === management?.participant ? undefined : register;
}

/** The same at calls. */
function registerAtCalls(bank: RegisterBank, participant: Participant) {
  const register = registerFor(bank, participant);
  return register?.atCalls === true ? register : undefined;
}

/**
 * Whether the competent authority's register lets the caller of this request have tokens. Asked before anything is consumed,
 * and only of a caller that showed the client's own certificate: nobody else makes this platform ask.
 * @throws Refusal `register_unavailable` 503
 */
export async function mayHaveTokens(bank: RegisterBank, peer: Peer, client: Standing, route: string): Promise<boolean> {
  const register = registerAtCalls(bank, client.participant);
  if (register === undefined || !ASKED_ROUTES.has(route) || !isEnrolled(peer)) return true;
  if (peer.standing?.client.id !== client.client.id) return true;
  return (await confirmCaller(register, peer)).length > 0;
}

/**
 * The same for a client without a certificate of its own (baseline banks alone), once it has proved who it is.
 * @throws Refusal `register_unavailable` 503
 */
export async function mayBeIssued(bank: RegisterBank, peer: Peer, route: string): Promise<boolean> {
  const { standing } = peer;
  const register = standing === undefined ? bank.register : registerAtCalls(bank, standing.participant);
  if (register?.atCalls !== true || route !== 'token') return true;
  return (await confirmCaller(register, peer)).length > 0;
}

/**
 * Whether a token's owner is still authorised, for those who ask what a token means; true where the bank does not ask.
 * @throws Refusal `register_unavailable` 503
 */
export async function isAuthorised(bank: RegisterBank, peer: Peer, owner: Standing): Promise<boolean> {
  const register = registerAtCalls(bank, owner.participant);
  if (register === undefined) return true;
  try {
    const roles = await register.check(owner.participant, {
      certificate: undefined,
      roles: [],
      interaction: peer.interaction,
    });
    return roles.length > 0;
  } catch (cause) {
    if (cause instanceof Refusal && cause.code === 'participant_refused_by_register') return false;
    throw noted(peer, cause);
  }
}

/** The caller's roles by the register, asked once for each request; none when the register refuses it. */
async function confirmCaller(register: ParticipantRegister, peer: Peer): Promise<readonly Role[]> {
  if (peer.registered !== undefined) return peer.registered;
  const { standing, verdict } = peer;
  if (standing === undefined) return [];
  const certificate = verdict?.ok === true ? verdict.certificate : undefined;
  try {
    peer.registered = await register.check(standing.participant, {
      certificate,
      roles: [],
      interaction: peer.interaction,
    });
  } catch (cause) {
    noted(peer, cause);
    if (!(cause instanceof Refusal) || cause.code !== 'participant_refused_by_register') throw cause;
    peer.registered = [];
  }
  return peer.registered;
}

/** The cause of a failed question, whose finer reason goes into the record of the request, whatever the engine makes of it. */
export function noted(peer: Peer, cause: unknown): unknown {
  if (cause instanceof Refusal) peer.refusal = { reason: cause.code, detail: cause.detail ?? 'register' };
  return cause;
}
