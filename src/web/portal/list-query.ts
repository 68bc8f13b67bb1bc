import { CONSENT_STATES, type ConsentState } from '../../consent/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { loadOwn, nameOf, type Share, sharesOf } from './share.ts';
import { HOME } from './sign-in-page.ts';

/** Orders of the list. */
export const SORTS = ['newest', 'name', 'ending', 'used'] as const;
export type Sort = (typeof SORTS)[number];

/** What the address of a list asks for. */
export interface ListQuery {
  readonly state: ConsentState | undefined;
  readonly sort: Sort;
  /** Part of a company's name, an account's name or a consent's number; empty: everything. */
  readonly search: string;
  /** Continue after this consent. */
  readonly after: string | undefined;
}

/** A page of the list. */
export interface SharePage {
  readonly shares: readonly Share[];
  /** The last consent of the page when others follow. */
  readonly more: string | undefined;
  /** True when there are older consents than are searched and sorted. */
  readonly cut: boolean;
}

/** Consents of a page: a screenful or three. */
const PAGE = 20;
/** Consents that are searched and sorted at most, the newest: far more than anybody has. */
const WINDOW = 500;
/** Characters somebody types to find a company. */
export const MAXIMUM_SEARCH = 100;

/** @throws Refusal `field_invalid` 400 for a state or an order there is not, and for a search that is too long */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const search = (query.get('search') ?? '').trim();
  if (search.length > MAXIMUM_SEARCH || /\p{Cc}/u.test(search))
    throw new Refusal('field_invalid', 400, `search: ${MAXIMUM_SEARCH} printable characters at most.`);
  return {
    state: oneOf(CONSENT_STATES, 'state', query.get('state')),
    sort: oneOf(SORTS, 'sort', query.get('sort')) ?? 'newest',
    search,
    after: query.get('after') ?? undefined,
  };
}

/** Address of a list; what is left out is not asked for. */
export function listPath(visit: CustomerVisit, { state, sort, search, after }: Partial<ListQuery>): string {
  const query = new URLSearchParams({
    ...(state === undefined ? {} : { state }),
    ...(sort === undefined || sort === 'newest' ? {} : { sort }),
    ...(search === undefined || search === '' ? {} : { search }),
    ...(after === undefined ? {} : { after }),
  }).toString();
  return pathTo(visit, `${HOME}${query === '' ? '' : `?${query}`}`);
}

/**
 * One page of the customer's own consents, chosen by who signed in and never by account (N-232).
 * @throws Refusal `not_found` 404 when it is to continue after a consent that is not the customer's
 */
export async function readPage(visit: CustomerVisit, query: ListQuery): Promise<SharePage> {
  const last = query.after === undefined ? undefined : await loadOwn(visit, query.after);
  if (query.sort === 'newest' && query.search === '') {
    const found = await listOwn(visit, query.state, PAGE + 1, last);
    const page = found.slice(0, PAGE);
    return {
      shares: await sharesOf(visit, page),
      more: found.length > PAGE ? page.at(-1)?.id : undefined,
      cut: false,
    };
  }
  const found = await listOwn(visit, query.state, WINDOW, undefined);
  const all = sorted(visit, query.sort, matching(await sharesOf(visit, found), query.search));
  const start = all.findIndex(({ consent }) => consent.id === last?.id) + 1;
  const shares = all.slice(start, start + PAGE);
  const more = all.length > start + PAGE ? shares.at(-1)?.consent.id : undefined;
  return { shares, more, cut: found.length === WINDOW };
}

async function listOwn(
  { site, customer }: CustomerVisit,
  state: ConsentState | undefined,
  limit: number,
  after: { readonly createdAt: Date; readonly id: string } | undefined,
) {
  const found = await site.rooms.consents.list({
    bank: site.bank.id,
    customer,
    limit,
    ...(state === undefined ? {} : { state }),
    ...(after === undefined ? {} : { after: { createdAt: after.createdAt, id: after.id } }),
  });
  return found.filter((consent) => consent.customer === customer && consent.bank === site.bank.id);
}

function matching(shares: readonly Share[], search: string): readonly Share[] {
  const wanted = search.toLowerCase();
  return shares.filter((share) => {
    const { consent, accounts = [] } = share;
    const names = accounts.filter(({ id }) => consent.accounts.includes(id)).map(({ name }) => name);
    return [nameOf(share), consent.id, ...names].some((text) => text.toLowerCase().includes(wanted));
  });
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

function oneOf<T extends string>(known: readonly T[], name: string, asked: string | null): T | undefined {
  // A form sends its empty choice as well.
  if (asked === null || asked === '') return undefined;
  const found = known.find((word) => word === asked);
  if (found === undefined) throw new Refusal('field_invalid', 400, `${name}: there is no such ${name}.`);
  return found;
}
