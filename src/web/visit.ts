import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '../audit/index.ts';
import type { Interaction, Interactions } from '../authorization/index.ts';
import type { BankConnector } from '../bank/index.ts';
import type { Consents } from '../consent/index.ts';
import type { Directory, Participant } from '../directory/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Vault } from '../vault/index.ts';
import type { Assets } from './assets.ts';
import { readCookie } from './cookies.ts';
import type { EventPlace } from './events.ts';
import { chooseLanguage } from './language.ts';
import type { Lockout } from './lockout.ts';
import type { Language, Say } from './messages/catalogue.ts';
import type { PageBank } from './page-bank.ts';

/** What the customer chose on a page; one for all of a bank's pages. */
export const LANGUAGE_COOKIE = '__Secure-portcullis-language';

/** Where a defect is told: the platform's log, as much of it as the pages need. */
export interface PageLog {
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** The rooms the pages ask. */
export interface PageRooms {
  readonly database: Database;
  readonly consents: Pick<Consents, 'find'>;
  readonly directory: Pick<Directory, 'findParticipant'>;
  readonly audit: Pick<Audit, 'record' | 'enqueue'>;
  readonly vault: Pick<Vault, 'hasher'>;
  readonly clock: Clock;
  readonly log: PageLog;
}

/** What every page of a bank is made of, behind whichever door it stands. */
export interface PageSite {
  readonly bank: PageBank;
  /** `https://host:port` of the door. */
  readonly origin: string;
  readonly assets: Assets;
  readonly texts: (language: Language) => Say;
  readonly connector: BankConnector;
  readonly rooms: PageRooms;
  readonly lockout: Lockout;
}

/** One bank's pages at the issuer's door, ready to serve. */
export interface Site extends PageSite {
  readonly interactions: Interactions;
}

/** One request for a page. */
export interface PageVisit {
  readonly site: PageSite;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** `x-fapi-interaction-id`, on the page as well when something went wrong. */
  readonly trace: string;
  readonly language: Language;
  readonly say: Say;
}

/** One request for a page at the issuer's door. */
export interface Visit extends PageVisit {
  readonly site: Site;
}

/** A visit that belongs to a request of a participant. */
export interface AskedVisit extends Visit {
  readonly interaction: Interaction;
  readonly asker: Participant;
  /** `/{bank}/interaction/{uid}` */
  readonly path: string;
}

/** The path all pages of an interaction live below, and their cookies are bound to. */
export function interactionPath(bank: string, uid: string): string {
  return `/${bank}/interaction/${uid}`;
}

/** The languages wanted by a visitor whose request we know, or do not know yet. */
export function languageOf(request: IncomingMessage, locales: readonly string[]): Language {
  return chooseLanguage(readCookie(request, LANGUAGE_COOKIE), locales, request.headers['accept-language']);
}

/**
 * The request that waits for this browser's customer, and who sent it: name and standing come from the directory alone (N-226).
 * @throws Refusal `interaction_expired` 400 when the cookie belongs to another request; `participant_suspended` and kin 403
 */
export async function loadAsked(visit: Visit, uid: string): Promise<AskedVisit> {
  const { site, request, response } = visit;
  const interaction = await site.interactions.load(request, response);
  if (interaction.uid !== uid || interaction.bank !== site.bank.id)
    throw new Refusal('interaction_expired', 400, 'The address does not belong to the request this browser waits for.');
  const language = languageOf(request, interaction.locales);
  const asker = await site.rooms.directory.findParticipant(interaction.participant.id);
  checkStanding(asker);
  const path = interactionPath(site.bank.id, uid);
  return { ...visit, language, say: site.texts(language), interaction, asker, path };
}

function checkStanding(asker: Participant | undefined): asserts asker is Participant {
  if (asker === undefined) throw new Refusal('participant_unknown', 403, 'The participant is not in the directory.');
  if (asker.status === 'approved') return;
  const reason = asker.status === 'suspended' ? 'participant_suspended' : 'participant_not_approved';
  throw new Refusal(reason, 403, `The participant is ${asker.status} in the directory.`);
}

/** Where an audit event of this visit happened. */
export function placeOf({ site, interaction, trace }: AskedVisit): EventPlace {
  return {
    bank: site.bank.id,
    participant: interaction.participant.id,
    client: interaction.client,
    interaction: trace,
  };
}

/** What may stand in a policy: a host may contain characters, such as `;`, that would begin another directive. */
const POLICY_SAFE = /^[a-z][a-z0-9+.-]*:(\/\/[a-z0-9.:[\]-]+)?$/;

/** Where the forms of an interaction may lead: browsers apply `form-action` to the redirects behind a form as well. */
export function formTargets({ interaction }: AskedVisit): readonly string[] {
  const { origin, protocol } = new URL(interaction.redirectUri);
  const target = origin === 'null' ? protocol : origin;
  return POLICY_SAFE.test(target) ? [target] : [];
}

/** The host the customer goes back to, or the scheme of an app's own address. */
export function returnHost({ interaction }: AskedVisit): string {
  const { host, protocol } = new URL(interaction.redirectUri);
  return host === '' ? protocol : host;
}
