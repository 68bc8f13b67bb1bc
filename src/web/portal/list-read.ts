import type { ConsentFilter } from '../../consent/index.ts';
import { CONSENT_KINDS, type ConsentKind } from '../page-bank.ts';
import type { ListQuery, Sort } from './list-query.ts';
import type { CustomerVisit } from './portal-visit.ts';
import { isAbout, loadOwn, nameOf, type Share, sharesOf } from './share.ts';

/** A page of the list, and what it was taken from. */
export interface SharePage {
  readonly shares: readonly Share[];
  /** The last consent of the page when others follow. */
  readonly more: string | undefined;
  /** True when there are older consents than were searched and put in order. */
  readonly cut: boolean;
  /** How many of each kind there are, with this state and these words, among those that were read. */
  readonly counts: Readonly<Record<ConsentKind | 'all', number>>;
  /** True when there may be more than were counted. */
  readonly countsCut: boolean;
  /** The newest of all, whatever was asked for. */
  readonly newest: readonly Share[];
}

/** Consents of a page: a screenful or three. */
const PAGE = 20;
/** Consents that are searched, counted and sorted at most, the newest: far more than anybody has. */
const WINDOW = 500;

/**
 * One page of the customer's own consents, chosen by who signed in and never by account (N-232).
 * @throws Refusal `not_found` 404 when it is to continue after a consent that is not the customer's
 */
export async function readPage(visit: CustomerVisit, query: ListQuery): Promise<SharePage> {
  const { kind, state, sort, search } = query;
  const last = query.after === undefined ? undefined : await loadOwn(visit, query.after);
  const newest = await listOwn(visit, { limit: WINDOW });
  const found =
    newest.length === WINDOW && state !== undefined ? await listOwn(visit, { state, limit: WINDOW }) : newest;
  const cut = found.length === WINDOW;
  const matching = found.filter((share) => isIn(share, state) && matches(share, search));
  const around = { newest, counts: countsOf(visit, matching), countsCut: cut };
  if (cut && sort === 'newest' && search === '' && kind === undefined)
    return { ...around, ...pageOf(await olderThan(visit, state, last), 0), cut: false };
  const all = sorted(visit, sort, ofKind(visit, matching, kind));
  return { ...around, ...pageOf(all, startOf(all, sort, last)), cut };
}

/** A page of what the store has beyond those that are searched, and one more. */
function olderThan(visit: CustomerVisit, state: ListQuery['state'], last: Share['consent'] | undefined) {
  return listOwn(visit, {
    limit: PAGE + 1,
    ...(state === undefined ? {} : { state }),
    ...(last === undefined ? {} : { after: { createdAt: last.createdAt, id: last.id } }),
  });
}

function pageOf(all: readonly Share[], start: number): Pick<SharePage, 'shares' | 'more'> {
  const shares = all.slice(start, start + PAGE);
  return { shares, more: all.length > start + PAGE ? shares.at(-1)?.consent.id : undefined };
}

/** What was the last of a page may have left the list since; the newest first go on from its place all the same. */
function startOf(all: readonly Share[], sort: Sort, last: Share['consent'] | undefined): number {
  if (last === undefined) return 0;
  const place = all.findIndex(({ consent }) => consent.id === last.id);
  if (place >= 0 || sort !== 'newest') return place + 1;
  const older = all.findIndex(({ consent }) => consent.createdAt < last.createdAt);
  return older < 0 ? all.length : older;
}

async function listOwn(visit: CustomerVisit, filter: Pick<ConsentFilter, 'state' | 'limit' | 'after'>) {
  const { site, customer } = visit;
  const bank = site.bank.id;
  const found = await site.rooms.consents.list({ ...filter, bank, customer });
  return sharesOf(
    visit,
    found.filter((consent) => consent.customer === customer && consent.bank === bank),
  );
}

function countsOf(visit: CustomerVisit, shares: readonly Share[]): SharePage['counts'] {
  const [accounts = 0, payments = 0, funds = 0] = CONSENT_KINDS.map((kind) => ofKind(visit, shares, kind).length);
  return { all: shares.length, accounts, payments, funds };
}

function ofKind(visit: CustomerVisit, shares: readonly Share[], kind: ConsentKind | undefined): readonly Share[] {
  return kind === undefined ? shares : shares.filter((share) => isAbout(visit, share, kind));
}

function isIn({ consent }: Share, state: ListQuery['state']): boolean {
  return state === undefined || consent.state === state;
}

function matches(share: Share, search: string): boolean {
  const wanted = search.toLowerCase();
  const { consent, accounts = [] } = share;
  const names = accounts.filter(({ id }) => consent.accounts.includes(id)).map(({ name }) => name);
  return [nameOf(share), consent.id, ...names].some((text) => text.toLowerCase().includes(wanted));
}

/** Shares come newest first, and sorting keeps that among equals. */
function sorted({ language }: CustomerVisit, sort: Sort, shares: readonly Share[]): readonly Share[] {
  switch (sort) {
    case 'newest':
      return shares;
    case 'name':
      return shares.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other), language));
    case 'ending':
      return shares.toSorted((one, other) => endOf(one) - endOf(other));
    case 'used':
      return shares.toSorted((one, other) => lastUseOf(other) - lastUseOf(one));
    default:
      throw new Error(`unhandled order ${sort satisfies never}`);
  }
}

/** What is over has no end to come. */
function endOf({ consent }: Share): number {
  return consent.state === 'Authorised' || consent.state === 'Awaiting'
    ? consent.expiresAt.getTime()
    : Number.MAX_SAFE_INTEGER;
}

function lastUseOf({ consent }: Share): number {
  return consent.lastUsedAt?.getTime() ?? 0;
}
