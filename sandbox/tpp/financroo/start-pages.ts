import type { App } from './app.ts';
import { page } from './layout.ts';
import { html } from './markup.ts';
import { demoUserPassword, demoUsers } from './sessions.ts';
import { dropCookie, type Reply, seeOther, setCookie, type Visit } from './visit.ts';

/** `GET /`: what this is, and the way in. */
export function showStart(app: App, visit: Visit): Reply {
  if (visit.session !== undefined) return seeOther('/dashboard');
  return signInPage(app, 200, undefined);
}

/** The start page with the form, and what was wrong with the last try. */
export function signInPage(app: App, status: number, problem: string | undefined): Reply {
  const body = html`<h1>All your accounts in one place</h1>
<p class="lead">Financroo connects to your banks with your permission and shows accounts, balances and spending together. It is a demo of what a third party does in open banking, and it shows every message it exchanges with a bank.</p>
${problem === undefined ? '' : html`<div class="notice problem" role="alert"><p>${problem}</p></div>`}
<div class="columns">
<form class="panel" method="post" action="/sign-in">
<h2>Sign in to Financroo</h2>
<label for="user">User</label>
<input id="user" name="user" autocomplete="username" required aria-describedby="who">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button>
<p id="who" class="hint">Sandbox users: ${demoUsers.map((user, index) => html`${index === 0 ? '' : ' or '}<code>${user}</code>`)}, password <code>${demoUserPassword}</code>. This is not your password at a bank: type that one at your bank only.</p>
</form>
<section>
<h2>What you can try</h2>
<ol>
<li>Connect a bank. You sign in there as <code>user</code> or <code>user2</code>, choose accounts, and come back.</li>
<li>Look at your money: accounts of all banks, search, charts.</li>
<li>Pay from an account without ever giving its number away.</li>
<li>Open “Under the hood”: each message decoded, explained, and as a command to copy.</li>
<li>Take the permission back at the bank, and see Financroo notice.</li>
</ol>
</section>
</div>`;
  return page(app, undefined, { title: 'Welcome', status, body });
}

/** `POST /sign-in` */
export function signIn(app: App, visit: Visit): Reply {
  const { form, session } = visit;
  const next = app.sessions.signIn(form.get('user') ?? '', form.get('password') ?? '');
  if (next === undefined) return signInPage(app, 401, 'User or password is wrong.');
  if (session !== undefined) app.sessions.end(session);
  return seeOther('/dashboard', { 'set-cookie': setCookie(app.sessions.cookieOf(next)) });
}

/** `POST /sign-out` */
export function signOut(app: App, { session }: Visit): Reply {
  if (session !== undefined) app.sessions.end(session);
  return seeOther('/', { 'set-cookie': dropCookie() });
}
