import type { ConsentStep, Consents } from '../../consent/index.ts';
import { type Clock, secondsAfter } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { Share } from './share.ts';
import { stateOf } from './share-view.ts';

/** Something a customer should hear before they look for it themselves, read off what is kept (SCR-11). */
export type News =
  | { readonly kind: 'revoking' | 'paused' | 'barred' | 'ending'; readonly share: Share }
  | { readonly kind: 'withdrawn'; readonly by: Withdrawer; readonly share: Share }
  | { readonly kind: 'accounts-unknown' };

/** Who ended what the customer had allowed. */
type Withdrawer = Exclude<ConsentStep['actor'], 'customer'>;

/** The bank, and what is asked of it: now, and who did what. */
export interface NewsVisit {
  readonly site: {
    readonly bank: { readonly id: string };
    readonly rooms: { readonly clock: Clock; readonly consents: Pick<Consents, 'history'> };
  };
}

const DAY_SECONDS = 86_400;
/** A week before the end there is time to agree again. */
const ENDING_DAYS = 7;
/** What somebody else ended stays news for a week: many look here once in a while. */
const LATELY_DAYS = 7;
/** Histories read for one page, of the latest endings: each is a call where the bank keeps its consents itself. */
const MAXIMUM_HISTORIES = 10;

/** What there is to say of these consents, the most pressing first; nothing when all is as the customer left it. */
export async function newsOf(visit: NewsVisit, shares: readonly Share[]): Promise<readonly News[]> {
  const now = visit.site.rooms.clock.now();
  const seen = (state: 'revoking' | 'paused' | 'barred') => shares.filter((share) => stateOf(share) === state);
  const about = (kind: 'revoking' | 'paused' | 'barred' | 'ending', found: readonly Share[]): readonly News[] =>
    found.map((share) => ({ kind, share }));
  const ending = shares
    .filter((share) => endsSoon(share, now))
    .toSorted((one, other) => one.consent.expiresAt.getTime() - other.consent.expiresAt.getTime());
  return [
    ...about('revoking', seen('revoking')),
    ...(await withdrawnLately(visit, shares, now)),
    ...about('paused', onePerParticipant(seen('paused'))),
    ...about('barred', onePerParticipant(seen('barred'))),
    ...about('ending', ending),
    ...accountsUnknown(shares),
  ];
}

/** What was agreed for a few days only is not news from its first hour. */
function endsSoon(share: Share, now: Date): boolean {
  if (stateOf(share) !== 'Authorised') return false;
  const { createdAt, expiresAt } = share.consent;
  const left = expiresAt.getTime() - now.getTime();
  const whole = expiresAt.getTime() - createdAt.getTime();
  return expiresAt <= secondsAfter(now, ENDING_DAYS * DAY_SECONDS) && left <= whole / 2;
}

/** Its standing is one and the same for everything it was allowed. */
function onePerParticipant(shares: readonly Share[]): readonly Share[] {
  const first = new Map(shares.toReversed().map((share) => [share.consent.participant, share]));
  return [...first.values()];
}

async function withdrawnLately(
  visit: NewsVisit,
  shares: readonly Share[],
  now: Date,
): Promise<readonly (News & { readonly kind: 'withdrawn' })[]> {
  const since = secondsAfter(now, -LATELY_DAYS * DAY_SECONDS);
  const ended = shares
    .filter((share) => stateOf(share) === 'Revoked' && share.consent.changedAt >= since)
    .toSorted((one, other) => other.consent.changedAt.getTime() - one.consent.changedAt.getTime())
    .slice(0, MAXIMUM_HISTORIES);
  const found = await Promise.all(ended.map(async (share) => ({ share, by: await withdrawerOf(visit, share) })));
  return found.flatMap(({ share, by }) =>
    by === undefined || by === 'customer' || (by === 'participant' && isReplaced(share, shares))
      ? []
      : [{ kind: 'withdrawn' as const, by, share }],
  );
}

/** Who agrees anew sees the company end what it held before. */
function isReplaced({ consent }: Share, shares: readonly Share[]): boolean {
  return shares.some(
    (other) =>
      other.consent.state === 'Authorised' &&
      other.consent.client === consent.client &&
      other.consent.createdAt > consent.createdAt,
  );
}

/** Who ended it; undefined when its store cannot say now, which keeps nobody from the list. */
async function withdrawerOf({ site }: NewsVisit, { consent }: Share): Promise<ConsentStep['actor'] | undefined> {
  try {
    const history = await site.rooms.consents.history(site.bank.id, consent.id);
    return history.findLast(({ action }) => action === 'revoke')?.actor;
  } catch (cause) {
    if (cause instanceof Refusal) return undefined;
    throw cause;
  }
}

function accountsUnknown(shares: readonly Share[]): readonly News[] {
  const unknown = shares.some(({ consent, accounts }) => accounts === undefined && consent.accounts.length > 0);
  return unknown ? [{ kind: 'accounts-unknown' }] : [];
}
