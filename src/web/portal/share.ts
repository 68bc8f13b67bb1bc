import { findUnredeemed } from '../../authorization/index.ts';
import type { Account } from '../../bank/index.ts';
import type { Consent } from '../../consent/index.ts';
import type { Participant } from '../../directory/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { ConsentKind } from '../page-bank.ts';
import type { CustomerVisit } from './portal-visit.ts';

/** A consent with everything its page tells: what belongs to one never shows at another (N-239). */
export interface Share {
  readonly consent: Consent;
  /** Undefined when the directory no longer has it. */
  readonly participant: Participant | undefined;
  /** The customer's accounts as the bank knows them now; undefined when it cannot be asked. */
  readonly accounts: readonly Account[] | undefined;
  /** True while the consent is revoked and not everything that hangs on it is dead (N-201). */
  readonly revoking: boolean;
  /** False while the third party has not fetched what was allowed, and for ever when the consent ended for that (N-208). */
  readonly takenUp: boolean;
}

/** The registered name of who asked; its id when the directory no longer has it. */
export function nameOf({ consent, participant }: Share): string {
  return participant?.name ?? consent.participant;
}

/** True when a consent allows something of this kind; one may be of several. */
export function isAbout({ site }: CustomerVisit, { consent }: Share, kind: ConsentKind): boolean {
  const { kinds = {} } = site.bank;
  return consent.scopes.some((scope) => Object.hasOwn(kinds, scope) && kinds[scope] === kind);
}

/**
 * A consent of the customer who signed in; anybody else's answers like one that does not exist (N-231).
 * @throws Refusal `not_found` 404
 */
export async function loadOwn({ site, customer }: CustomerVisit, id: string): Promise<Consent> {
  const consent = await site.rooms.consents.find(site.bank.id, id);
  if (consent?.customer === customer && consent.id === id && consent.bank === site.bank.id) return consent;
  throw new Refusal('not_found', 404, 'There is no such consent of yours.');
}

/** Adds to consents what their pages tell beside them. */
export async function sharesOf(visit: CustomerVisit, consents: readonly Consent[]): Promise<readonly Share[]> {
  if (consents.length === 0) return [];
  const accounts = await accountsOf(visit);
  const participants = await participantsOf(visit, consents);
  const alive = await aliveIn(visit, consents);
  const { site } = visit;
  const ids = consents.map(({ id }) => id);
  const unredeemed = await findUnredeemed(site.rooms.database, site.bank.id, ids);
  return consents.map((consent) => ({
    consent,
    participant: participants.get(consent.participant),
    accounts,
    revoking: consent.revoking === true || alive.has(consent.id),
    takenUp: !unredeemed.has(consent.id),
  }));
}

/** The same for one. */
export async function shareOf(visit: CustomerVisit, consent: Consent): Promise<Share> {
  const [share] = await sharesOf(visit, [consent]);
  if (share === undefined) throw new Error('a consent without its page');
  return share;
}

/** A bank that cannot be asked keeps nobody from seeing and stopping what they share. */
async function accountsOf({ site, customer }: CustomerVisit): Promise<readonly Account[] | undefined> {
  try {
    return await site.connector.accounts(customer);
  } catch (cause) {
    if (cause instanceof Refusal) return undefined;
    throw cause;
  }
}

async function participantsOf({ site }: CustomerVisit, consents: readonly Consent[]) {
  const ids = [...new Set(consents.map(({ participant }) => participant))];
  const found = await Promise.all(ids.map((id) => site.rooms.directory.findParticipant(id)));
  return new Map(found.flatMap((participant) => (participant === undefined ? [] : [[participant.id, participant]])));
}

/** Revoked consents that a live token still hangs on. */
async function aliveIn({ site, customer }: CustomerVisit, consents: readonly Consent[]): Promise<ReadonlySet<string>> {
  const revoked = new Set(consents.filter(({ state }) => state === 'Revoked').map(({ id }) => id));
  if (revoked.size === 0) return revoked;
  const tokens = await site.rooms.tokens.list({ bank: site.bank.id, customer });
  return new Set(tokens.flatMap(({ consent }) => (consent !== undefined && revoked.has(consent) ? [consent] : [])));
}
