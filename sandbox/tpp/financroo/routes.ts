import type { App } from './app.ts';
import { comeBack, connectBank, showBank, showBanks } from './bank-pages.ts';
import { showComparison } from './compare-page.ts';
import { disconnect, showConnection } from './connection-pages.ts';
import { refresh, showDashboard } from './dashboard-page.ts';
import { makeExperiment, showExperiments } from './experiment-pages.ts';
import { problemPage } from './layout.ts';
import { exportMessages, showBankMessages, showMessages } from './messages-pages.ts';
import { confirmPayment, preparePayment, showPay, showPayment } from './pay-pages.ts';
import { showBankRecord, showRecord } from './record-pages.ts';
import type { Session } from './sessions.ts';
import { deleteEverything, registerAgain, showSettings } from './settings-page.ts';
import { showStart, signIn, signInPage, signOut } from './start-pages.ts';
import { dropCookie, type Reply, seeOther, type Visit } from './visit.ts';

/** A page of somebody who is signed in; `id` is what stands for `*` in the path. */
type OwnPage = (app: App, visit: Visit, session: Session, id: string) => Reply | Promise<Reply>;
type OpenPage = (app: App, visit: Visit) => Reply | Promise<Reply>;

/** For everybody. The callback judges itself: it has to say something to a browser that never signed in. */
const OPEN: Readonly<Record<string, OpenPage>> = {
  'GET /': showStart,
  'POST /sign-in': signIn,
  'GET /callback': comeBack,
};

/** For those who are signed in. */
const OWN: Readonly<Record<string, OwnPage>> = {
  'POST /sign-out': signOut,
  'GET /banks': showBanks,
  'GET /banks/*': showBank,
  'POST /banks/*/connect': connectBank,
  'GET /banks/*/messages': showBankMessages,
  'GET /banks/*/record': showBankRecord,
  'POST /banks/*/register': registerAgain,
  'GET /dashboard': showDashboard,
  'POST /refresh': refresh,
  'GET /connections/*': showConnection,
  'POST /connections/*/disconnect': disconnect,
  'GET /connections/*/messages': showMessages,
  'GET /connections/*/record': showRecord,
  'GET /connections/*/experiments': showExperiments,
  'POST /connections/*/experiments': makeExperiment,
  'GET /compare': showComparison,
  'GET /pay': showPay,
  'POST /pay': preparePayment,
  'GET /pay/*': showPayment,
  'POST /pay/*': confirmPayment,
  'GET /settings': showSettings,
  'POST /settings/delete': deleteEverything,
};

/** For those who are signed in, too: files rather than pages. */
const FILES: Readonly<Record<string, OwnPage>> = {
  'GET /connections/*/export': exportMessages,
};

/** Every page that can be asked for, `*` for an id. */
export const pagePaths: readonly string[] = [...Object.keys(OPEN), ...Object.keys(OWN)]
  .filter((route) => route.startsWith('GET '))
  .map((route) => route.slice('GET '.length));

/** Answers a request: forged cookies first (N-117), then what is open, then what needs a session and its form token. */
export async function answer(app: App, visit: Visit): Promise<Reply> {
  const { method, url, session, form, forged } = visit;
  if (forged) {
    const reply = signInPage(app, 401, 'Your sign-in is not one that Financroo gave. Sign in again.');
    return { ...reply, headers: { ...reply.headers, 'set-cookie': dropCookie() } };
  }
  const open = OPEN[`${method} ${url.pathname}`];
  if (open !== undefined) return open(app, visit);
  const found = findOwn(method, url.pathname);
  if (found === undefined) return problemPage(app, session, 404, 'Not here', 'There is no such page.');
  if (session === undefined) return seeOther('/');
  if (method === 'POST' && form.get('form_token') !== session.formToken) {
    return problemPage(app, session, 403, 'Not sent', 'This form did not come from your own Financroo page.');
  }
  return found.page(app, visit, session, found.id);
}

/** A path with at most one id in its second place. */
function findOwn(method: string, path: string): { readonly page: OwnPage; readonly id: string } | undefined {
  const exact = OWN[`${method} ${path}`];
  if (exact !== undefined) return { page: exact, id: '' };
  const [, first, id = '', ...rest] = path.split('/');
  if (!/^[\w-]{1,64}$/.test(id)) return undefined;
  const route = [`${method} /${first}/*`, ...rest].join('/');
  const page = OWN[route] ?? FILES[route];
  return page === undefined ? undefined : { page, id };
}
