import { askAccounts, takeAccounts } from './accounts-page.ts';
import { showDetail } from './detail-page.ts';
import { tellDetail, tellList } from './json.ts';
import { showList } from './list-page.ts';
import type { CustomerVisit, PortalVisit } from './portal-visit.ts';
import { enter, HOME, SIGN_IN, SIGN_OUT, showSignIn, takeSignIn, takeSignOut } from './sign-in-page.ts';
import { askStop, takeStop } from './stop-page.ts';

/** What the address of a request says. */
export interface Asked {
  /** The consent in the path; empty where there is none. */
  readonly id: string;
  readonly query: URLSearchParams;
}

interface Methods<V> {
  readonly get?: (visit: V, asked: Asked) => Promise<void>;
  readonly post?: (visit: V, asked: Asked) => Promise<void>;
}

/** A page: its address below the bank's, who may see it, and the parameters it takes. There is none without a guard (N-229). */
export type PortalRoute = {
  readonly path: string;
  /** Parameters beside `lang`; every other is refused (N-233). */
  readonly query: readonly string[];
  readonly format: 'page' | 'json';
} & (({ readonly guard: 'public' } & Methods<PortalVisit>) | ({ readonly guard: 'customer' } & Methods<CustomerVisit>));

const page = { query: [], format: 'page' } as const;
const list = ['kind', 'state', 'after', 'sort', 'search'] as const;

/** Every page of a bank's portal. GET never changes anything (CLD-47). */
export const portalRoutes: readonly PortalRoute[] = [
  { ...page, path: '/', guard: 'public', get: enter },
  { ...page, path: SIGN_IN, guard: 'public', get: showSignIn, post: takeSignIn },
  { ...page, path: SIGN_OUT, guard: 'customer', get: enter, post: takeSignOut },
  { ...page, path: HOME, guard: 'customer', query: list, get: (visit, { query }) => showList(visit, query) },
  {
    path: `${HOME}.json`,
    guard: 'customer',
    query: list,
    format: 'json',
    get: (visit, { query }) => tellList(visit, query),
  },
  { ...page, path: `${HOME}/{id}`, guard: 'customer', get: (visit, { id }) => showDetail(visit, id) },
  {
    path: `${HOME}/{id}/record.json`,
    guard: 'customer',
    query: [],
    format: 'json',
    get: (visit, { id }) => tellDetail(visit, id),
  },
  {
    ...page,
    path: `${HOME}/{id}/accounts`,
    guard: 'customer',
    get: (visit, { id }) => askAccounts(visit, id),
    post: (visit, { id }) => takeAccounts(visit, id),
  },
  {
    ...page,
    path: `${HOME}/{id}/stop`,
    guard: 'customer',
    get: (visit, { id }) => askStop(visit, id),
    post: (visit, { id }) => takeStop(visit, id),
  },
];

const PATTERNS = portalRoutes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll('.', '\\.').replace('{id}', '([^/]{1,512})')}$`),
}));

/** The page at an address below the bank's; undefined when there is none. */
export function findRoute(path: string): { readonly route: PortalRoute; readonly id: string } | undefined {
  for (const { route, pattern } of PATTERNS) {
    const found = pattern.exec(path);
    if (found !== null) return { route, id: decodeURIComponent(found[1] ?? '') };
  }
  return undefined;
}
