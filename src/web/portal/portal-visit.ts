import type { Consents } from '../../consent/index.ts';
import type { Tokens } from '../../tokens/index.ts';
import type { PageRooms, PageSite, PageVisit } from '../visit.ts';
import type { Sessions } from './session.ts';

/** The rooms the portal asks. */
export interface PortalRooms extends PageRooms {
  readonly consents: Pick<Consents, 'find' | 'list' | 'history' | 'revoke' | 'ended' | 'changeAccounts'>;
  readonly tokens: Pick<Tokens, 'deny' | 'list'>;
}

/** One bank's part of the portal. */
export interface PortalSite extends PageSite {
  readonly rooms: PortalRooms;
  readonly sessions: Sessions;
  /** True when there is another bank to choose. */
  readonly oneOfSeveral: boolean;
}

/** One request for a page of the portal. */
export interface PortalVisit extends PageVisit {
  readonly site: PortalSite;
  /** The browser's cookie: of a session, or of nobody yet. */
  readonly browser: string;
}

/** A request by a customer who signed in. Who it is comes from here alone (N-233). */
export interface CustomerVisit extends PortalVisit {
  readonly customer: string;
}

/** `/{bank}` and what follows. */
export function pathTo({ site }: Pick<PortalVisit, 'site'>, rest: string): string {
  return `/${site.bank.id}${rest}`;
}
