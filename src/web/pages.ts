import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interactions } from '../authorization/index.ts';
import type { BankConnector } from '../bank/index.ts';
import { readForm } from '../platform/form.ts';
import { uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import { createAssets } from './assets.ts';
import { showConsent, showDecided, takeCancel, takeConsent } from './consent-page.ts';
import { addCookie } from './cookies.ts';
import { answerProblem, type EngineProblem, type ErrorPage, errorPage, recordProblem } from './error-page.ts';
import { showExpired } from './expired-page.ts';
import { checkFormToken, checkSameOrigin } from './form-token.ts';
import { createLockout } from './lockout.ts';
import { createCatalogue, isLanguage } from './messages/catalogue.ts';
import type { PageBank } from './page-bank.ts';
import { redirect } from './respond.ts';
import { serveAsset } from './serve-asset.ts';
import { showSignIn, takeSignIn } from './sign-in.ts';
import { LANGUAGE_COOKIE, languageOf, loadAsked, type PageRooms, type Site, type Visit } from './visit.ts';

/** What the pages are made of. */
export interface PagesOptions extends PageRooms {
  readonly banks: readonly PageBank[];
  readonly interactions: (bank: string) => Interactions;
  readonly connector: (bank: string) => BankConnector;
}

/** The pages of the banks: sign-in, consent, errors, and the files they need. */
export interface Pages {
  /**
   * Answers a request below `/{bank}`; `path` is the rest, with its query: `/interaction/{uid}`, its forms, `/assets/{file}`.
   * Never throws: what goes wrong is a page.
   */
  handle(request: IncomingMessage, response: ServerResponse, bank: string, path: string): Promise<void>;
  /** The page for an error of the authorization endpoint, for the engine to send. @throws Error when there is no such bank */
  renderError(bank: string, problem: EngineProblem): ErrorPage;
  /** Removes sign-in attempts that no longer count. */
  sweep(): Promise<void>;
}

const INTERACTION = /^\/interaction\/([A-Za-z0-9_-]{1,128})(?:\/(sign-in|consent|cancel))?$/;
const ASSET = /^\/assets\/([a-z0-9A-Z_.-]{1,80})$/;
/** A form of ours is a few hundred characters; account lists of a company reach some thousand. */
const MAXIMUM_FORM_BYTES = 65_536;
/** A choice for this visit and the next months' ones. */
const LANGUAGE_SECONDS = 180 * 86_400;

/** Makes the pages of all banks. @throws Error naming the key when a colour, time zone or own text of a bank is wrong */
export function createPages(options: PagesOptions): Pages {
  const lockout = createLockout(options.database, options.clock);
  const sites = new Map(
    options.banks.map((bank): [string, Site] => [
      bank.id,
      {
        bank: checkTimeZone(bank),
        origin: new URL(bank.issuer).origin,
        assets: createAssets(bank),
        texts: createCatalogue(`banks.${bank.id}.texts`, bank.texts),
        interactions: options.interactions(bank.id),
        connector: options.connector(bank.id),
        rooms: options,
        lockout,
      },
    ]),
  );
  const siteOf = (bank: string): Site => {
    const site = sites.get(bank);
    if (site === undefined) throw new Error(`there are no pages for the bank ${bank}`);
    return site;
  };
  return {
    handle: (request, response, bank, path) => handle(siteOf(bank), request, response, path),
    renderError: (bank, problem) => errorPage(siteOf(bank), problem),
    sweep: () => lockout.sweep(),
  };
}

function checkTimeZone(bank: PageBank): PageBank {
  try {
    new Intl.DateTimeFormat('en', { timeZone: bank.timeZone ?? 'UTC' });
    return bank;
  } catch (cause) {
    throw new Error(`banks.${bank.id}.timeZone: ${bank.timeZone} is not a time zone`, { cause });
  }
}

async function handle(site: Site, request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
  const language = languageOf(request, []);
  const known = response.getHeader('x-fapi-interaction-id');
  const trace = typeof known === 'string' ? known : uuid();
  response.setHeader('x-fapi-interaction-id', trace);
  const visit: Visit = { site, request, response, trace, language, say: site.texts(language) };
  const url = new URL(path, site.origin);
  try {
    await route(visit, url);
  } catch (cause) {
    answerProblem(visit, recordProblem(visit, cause), INTERACTION.exec(url.pathname)?.[1]);
  }
}

async function route(visit: Visit, url: URL): Promise<void> {
  const file = ASSET.exec(url.pathname)?.[1];
  if (file !== undefined) {
    checkMethod(visit, ['GET', 'HEAD']);
    return serveAsset(visit, file);
  }
  const [, uid, form] = INTERACTION.exec(url.pathname) ?? [];
  if (uid === undefined) throw new Refusal('not_found', 404, 'There is no page at this address.');
  checkMethod(visit, form === undefined ? ['GET', 'HEAD'] : ['GET', 'HEAD', 'POST']);
  if (visit.request.method === 'POST') return takeForm(visit, uid, form ?? '');
  // Reloading or coming back to the address of a form leads to its page.
  if (form !== undefined) return redirect(visit, `/${visit.site.bank.id}/interaction/${uid}`);
  const wish = url.searchParams.get('lang');
  if (wish !== null) return chooseLanguage(visit, uid, wish);
  await show(visit, uid);
}

function checkMethod({ request }: Visit, allowed: readonly string[]): void {
  if (allowed.includes(request.method ?? '')) return;
  const headers = { Allow: allowed.join(', ') };
  throw new Refusal('method_not_allowed', 405, `Use ${allowed.join(' or ')} here.`, { headers });
}

/** The page that is due; an answer that is stored but was not followed is followed now (a second click on the button). */
async function show(visit: Visit, uid: string): Promise<void> {
  try {
    const asked = await loadAsked(visit, uid);
    const { resume, prompt } = asked.interaction;
    if (resume !== undefined) redirect(asked, resume);
    else if (prompt === 'sign-in') await showSignIn(asked);
    else await showConsent(asked);
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'interaction_expired') throw cause;
    const shown = (await showDecided(visit, uid)) || (await showExpired(visit, uid, cause));
    if (!shown) throw cause;
  }
}

async function takeForm(visit: Visit, uid: string, kind: string): Promise<void> {
  checkSameOrigin(visit);
  const form = await readForm(visit.request, MAXIMUM_FORM_BYTES, ['account']);
  const asked = await loadForForm(visit, uid);
  if (asked === undefined) return;
  await checkFormToken(asked, form);
  if (kind === 'sign-in') await takeSignIn(asked, form);
  else if (kind === 'consent') await takeConsent(asked, form);
  else await takeCancel(asked);
}

/** Undefined when the visitor was sent on instead: the request is over, or its answer is stored already (N-225). */
async function loadForForm(visit: Visit, uid: string) {
  const page = `/${visit.site.bank.id}/interaction/${uid}`;
  try {
    const asked = await loadAsked(visit, uid);
    if (asked.interaction.resume === undefined) return asked;
  } catch (cause) {
    if (!(cause instanceof Refusal) || cause.code !== 'interaction_expired') throw cause;
  }
  redirect(visit, page);
  return undefined;
}

function chooseLanguage(visit: Visit, uid: string, wish: string): void {
  const { id } = visit.site.bank;
  if (isLanguage(wish)) {
    const cookie = { name: LANGUAGE_COOKIE, value: wish, path: `/${id}/interaction`, seconds: LANGUAGE_SECONDS };
    addCookie(visit.response, cookie);
  }
  redirect(visit, `/${id}/interaction/${uid}`);
}
