import { type Html, html } from '../platform/html.ts';
import { FORM_TOKEN_FIELD } from './form-token.ts';
import type { Frame, PageContent } from './layout.ts';
import { type Notice, noticeText } from './notice.ts';
import type { AskedVisit } from './visit.ts';

/** Longer names and passwords are nobody's. */
export const MAXIMUM_CREDENTIAL_CHARACTERS = 256;

/** SCR-01: who is asking, that nothing is shared yet, user name and password. */
export function signInView(visit: AskedVisit, token: string, notice: Notice | undefined): PageContent {
  const { say, path, asker } = visit;
  const bank = visit.site.bank.name;
  const participant = asker.name;
  return {
    title: say('signIn.title', { bank }),
    problem: notice !== undefined,
    languageChoice: true,
    body: html`<h1>${say('signIn.title', { bank })}</h1>
${notice === undefined ? '' : html`<div class="notice" id="notice" role="alert"><p>${noticeText(visit, notice)}</p></div>`}
<p class="lead">${say('signIn.asking', { participant, bank })}</p>
<p>${say('signIn.nothingShared', { participant })}</p>
<form method="post" action="${path}/sign-in" class="panel">
<input type="hidden" name="${FORM_TOKEN_FIELD}" value="${token}">
<label for="username">${say('signIn.username')}</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="${MAXIMUM_CREDENTIAL_CHARACTERS}"${describedBy(notice)}>
<label for="password">${say('signIn.password')}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="${MAXIMUM_CREDENTIAL_CHARACTERS}"${describedBy(notice)}>
<div class="actions">
<button type="submit">${say('signIn.submit')}</button>
<button type="submit" form="cancel" class="quiet">${say('signIn.cancel')}</button>
</div>
</form>
<form method="post" action="${path}/cancel" id="cancel">
<input type="hidden" name="${FORM_TOKEN_FIELD}" value="${token}">
</form>
${testUsers(visit)}
<details><summary>${say('signIn.forgotten')}</summary><p>${say('signIn.forgottenText', { bank, participant })}</p></details>`,
  };
}

function describedBy(notice: Notice | undefined): Html | '' {
  return notice === undefined ? '' : html` aria-describedby="notice"`;
}

/** Users to try, in the sandbox alone; never filled in (N-230). */
export function testUsers({ site, say }: Frame): Html | '' {
  const { showTestUsers = [] } = site.bank;
  if (showTestUsers.length === 0) return '';
  return html`<section aria-labelledby="test-users"><h2 id="test-users">${say('signIn.testUsers')}</h2>
<p>${say('signIn.testUsersText')}</p>
<ul>${showTestUsers.map((user) => html`<li>${say('signIn.testUser', { ...user })}</li>`)}</ul></section>`;
}
