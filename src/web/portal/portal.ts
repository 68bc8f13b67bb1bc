import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BankConnector } from '../../bank/index.ts';
import { uuid } from '../../platform/random.ts';
import { Refusal } from '../../platform/refusal.ts';
import { type Assets, createAssets } from '../assets.ts';
import { addCookie } from '../cookies.ts';
import { createLockout } from '../lockout.ts';
import { createCatalogue, isLanguage, type Language, type Say } from '../messages/catalogue.ts';
import type { PageBank } from '../page-bank.ts';
import { redirect, respond } from '../respond.ts';
import { serveAsset } from '../serve-asset.ts';
import { LANGUAGE_COOKIE, languageOf } from '../visit.ts';
import type { PortalRooms, PortalSite, PortalVisit } from './portal-visit.ts';
import { answerPortalProblem, type ProblemVisit } from './problem-page.ts';
import { type Asked, findRoute, type PortalRoute } from './routes.ts';
import { createSessions, sweepPortalSessions } from './session.ts';
import { askToSignIn } from './sign-in-page.ts';
import { startView } from './start-page.ts';

/** What the portal is made of. */
export interface PortalOptions extends PortalRooms {
  readonly banks: readonly PageBank[];
  /** `https://host:port` of its door. */
  readonly origin: string;
  readonly connector: (bank: string) => BankConnector;
}

/** The customer's portal: what they share, and the way to stop it. */
export interface Portal {
  /** Answers a request at the portal's door. Never throws: what goes wrong is a page. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Removes sessions that are over. */
  sweep(): Promise<void>;
}

/** What stands before any bank: no bank's id is a single sign. */
const NOBODY = '_';
const NOBODYS_COLOUR = '#2f3b4c';
const ADDRESS = /^\/([a-z][a-z0-9-]{1,30}|_)(\/.*)?$/s;
const ASSET = /^\/assets\/([a-z0-9A-Z_.-]{1,80})$/;
/** Longer parameters are nobody's. */
const MAXIMUM_PARAMETER = 512;
const LANGUAGE_SECONDS = 180 * 86_400;

/** A part of the portal's addresses, with what its pages look like. */
interface Face {
  readonly bank: PageBank;
  readonly origin: string;
  readonly assets: Assets;
  readonly texts: (language: Language) => Say;
}

/** Opens the portal of all banks. */
export function createPortal(options: PortalOptions): Portal {
  const lockout = createLockout(options.database, options.clock);
  const sites = new Map(
    options.banks.map((bank): [string, PortalSite] => [
      bank.id,
      {
        ...faceOf(bank, options.origin),
        connector: options.connector(bank.id),
        rooms: options,
        lockout,
        sessions: createSessions(bank.id, options),
        oneOfSeveral: options.banks.length > 1,
      },
    ]),
  );
  const nobody = faceOf(nobodysBank(), options.origin);
  return {
    handle: (request, response) => handle({ options, sites, nobody }, request, response),
    sweep: () => sweepPortalSessions(options.database, options.clock),
  };
}

interface House {
  readonly options: PortalOptions;
  readonly sites: ReadonlyMap<string, PortalSite>;
  readonly nobody: Face;
}

function faceOf(bank: PageBank, origin: string): Face {
  return { bank, origin, assets: createAssets(bank), texts: createCatalogue(`banks.${bank.id}.texts`, bank.texts) };
}

function nobodysBank(): PageBank {
  const name = 'Open banking';
  return { id: NOBODY, name, issuer: '', colour: NOBODYS_COLOUR, words: {}, consentDays: 0 };
}

async function handle(house: House, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { options, nobody } = house;
  const trace = uuid();
  response.setHeader('x-fapi-interaction-id', trace);
  const url = new URL(request.url ?? '/', options.origin);
  const [, id = '', rest = '/'] = ADDRESS.exec(url.pathname) ?? [];
  const site = house.sites.get(id);
  const found = findRoute(rest);
  const language = languageOf(request, []);
  const face = site ?? nobody;
  const say = face.texts(language);
  const format = (site === undefined ? undefined : found?.route.format) ?? 'page';
  const visit: ProblemVisit = {
    site: face,
    request,
    response,
    trace,
    language,
    say,
    rooms: options,
    format,
    home: site === undefined ? '/' : `/${id}/`,
  };
  try {
    if (site === undefined) return showStart(house, visit, url);
    const file = ASSET.exec(rest)?.[1];
    if (file !== undefined) return sendAsset({ ...visit, site }, file);
    if (found === undefined) throw new Refusal('not_found', 404, 'There is no page at this address.');
    checkMethod(request, found.route);
    checkQuery(url.searchParams, found.route.query);
    if (chooseLanguage(visit, url)) return;
    const browser = site.sessions.browserOf(request, response);
    await serve({ ...visit, site, browser }, found.route, { id: found.id, query: url.searchParams });
  } catch (cause) {
    answerPortalProblem(visit, cause);
  }
}

async function serve(visit: PortalVisit, route: PortalRoute, asked: Asked): Promise<void> {
  const verb = visit.request.method === 'POST' ? 'post' : 'get';
  if (route.guard === 'public') return route[verb]?.(visit, asked);
  const customer = await visit.site.sessions.find(visit.browser);
  if (customer !== undefined) return route[verb]?.({ ...visit, customer }, asked);
  if (verb === 'get' && route.format === 'page') return askToSignIn(visit);
  throw new Refusal('signed_out', 401, 'Sign in first: nothing was changed.');
}

/** The page before any bank, and its files. */
function showStart(house: House, visit: ProblemVisit, url: URL): void {
  const file = url.pathname.startsWith(`/${NOBODY}/`) ? ASSET.exec(url.pathname.slice(2))?.[1] : undefined;
  if (file !== undefined) sendAsset({ ...visit, site: house.nobody }, file);
  else if (url.pathname === '/') offerBanks(house, visit, url);
  else throw new Refusal('not_found', 404, 'There is no page at this address.');
}

/** One bank alone is not chosen. */
function offerBanks({ options }: House, visit: ProblemVisit, url: URL): void {
  checkReading(visit.request);
  checkQuery(url.searchParams, []);
  if (chooseLanguage(visit, url)) return;
  const [only, ...more] = options.banks;
  if (only !== undefined && more.length === 0) redirect(visit, `/${only.id}/`);
  else respond(visit, 200, startView(visit.say, options.banks));
}

function sendAsset(visit: Parameters<typeof serveAsset>[0], file: string): void {
  checkReading(visit.request);
  serveAsset(visit, file);
}

function checkReading({ method = '' }: IncomingMessage): void {
  if (!['GET', 'HEAD'].includes(method)) throw methodRefused(['GET', 'HEAD']);
}

function checkMethod({ method = '' }: IncomingMessage, route: PortalRoute): void {
  const allowed = [...(route.get === undefined ? [] : ['GET', 'HEAD']), ...(route.post === undefined ? [] : ['POST'])];
  if (!allowed.includes(method)) throw methodRefused(allowed);
}

function methodRefused(allowed: readonly string[]): Refusal {
  const headers = { Allow: allowed.join(', ') };
  return new Refusal('method_not_allowed', 405, `Use ${allowed.join(' or ')} here.`, { headers });
}

/** A parameter that comes twice, or that nothing knows, is refused: who the customer is comes from the sign-in alone (N-233). */
function checkQuery(query: URLSearchParams, known: readonly string[]): void {
  const names = [...query.keys()];
  const foreign = names.some((name) => name !== 'lang' && !known.includes(name));
  const long = [...query.values()].some((value) => value.length > MAXIMUM_PARAMETER);
  if (!foreign && !long && new Set(names).size === names.length) return;
  throw new Refusal('field_invalid', 400, 'The address has a parameter that it does not take, or one twice.');
}

/** True when the visitor chose a language and is sent on to the page in it. */
function chooseLanguage({ request, response }: ProblemVisit, url: URL): boolean {
  const wish = url.searchParams.get('lang');
  if (wish === null || request.method === 'POST') return false;
  if (isLanguage(wish))
    addCookie(response, { name: LANGUAGE_COOKIE, value: wish, path: '/', seconds: LANGUAGE_SECONDS });
  url.searchParams.delete('lang');
  redirect({ response }, `${url.pathname}${url.search}`);
  return true;
}
