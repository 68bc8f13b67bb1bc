import { CONSENT_STATES, type ConsentState } from '../../consent/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { CONSENT_KINDS, type ConsentKind } from '../page-bank.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { HOME } from './sign-in-page.ts';

/** Orders of the list. */
export const SORTS = ['newest', 'name', 'ending', 'used'] as const;
export type Sort = (typeof SORTS)[number];

/** What the address of a list asks for. */
export interface ListQuery {
  readonly kind: ConsentKind | undefined;
  readonly state: ConsentState | undefined;
  readonly sort: Sort;
  /** Part of a company's name, an account's name or a consent's number; empty: everything. */
  readonly search: string;
  /** Continue after this consent. */
  readonly after: string | undefined;
}

/** Characters somebody types to find a company. */
export const MAXIMUM_SEARCH = 100;

/** @throws Refusal `field_invalid` 400 for a kind, a state or an order there is not, and for a search that is too long */
export function parseListQuery(query: URLSearchParams): ListQuery {
  const search = (query.get('search') ?? '').trim();
  if (search.length > MAXIMUM_SEARCH || /\p{Cc}/u.test(search))
    throw new Refusal('field_invalid', 400, `search: ${MAXIMUM_SEARCH} printable characters at most.`);
  return {
    kind: oneOf(CONSENT_KINDS, 'kind', query.get('kind')),
    state: oneOf(CONSENT_STATES, 'state', query.get('state')),
    sort: oneOf(SORTS, 'sort', query.get('sort')) ?? 'newest',
    search,
    after: query.get('after') ?? undefined,
  };
}

/** Address of a list; what is left out is not asked for. */
export function listPath(visit: CustomerVisit, query: Partial<ListQuery>): string {
  return pathTo(visit, `${HOME}${asked(query)}`);
}

/** The same for machines. */
export function listJsonPath(visit: CustomerVisit, query: Partial<ListQuery>): string {
  return pathTo(visit, `${HOME}.json${asked(query)}`);
}

/** The parameters of a list's address. */
export function parametersOf({ kind, state, sort, search, after }: Partial<ListQuery>): URLSearchParams {
  return new URLSearchParams({
    ...(kind === undefined ? {} : { kind }),
    ...(state === undefined ? {} : { state }),
    ...(sort === undefined || sort === 'newest' ? {} : { sort }),
    ...(search === undefined || search === '' ? {} : { search }),
    ...(after === undefined ? {} : { after }),
  });
}

function asked(query: Partial<ListQuery>): string {
  const parameters = parametersOf(query).toString();
  return parameters === '' ? '' : `?${parameters}`;
}

function oneOf<T extends string>(known: readonly T[], name: string, asked: string | null): T | undefined {
  // A form sends its empty choice as well.
  if (asked === null || asked === '') return undefined;
  const found = known.find((word) => word === asked);
  if (found === undefined) throw new Refusal('field_invalid', 400, `${name}: there is no such ${name}.`);
  return found;
}
