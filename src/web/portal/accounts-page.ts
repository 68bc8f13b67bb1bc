import type { Account } from '../../bank/index.ts';
import type { Consent } from '../../consent/index.ts';
import { type Html, html } from '../../platform/html.ts';
import { Refusal } from '../../platform/refusal.ts';
import { redirect, respond } from '../respond.ts';
import { accountsPath, detailPath } from './detail-page.ts';
import { formField, takeForm } from './forms.ts';
import { leaveNotice, takeNotice } from './notice.ts';
import { type CustomerVisit, pathTo } from './portal-visit.ts';
import { loadOwn, nameOf, shareOf } from './share.ts';
import { signOutForm } from './sign-in-page.ts';
import { actorOf } from './stop-page.ts';

/** Which accounts are shared from now on, where the bank lets its customers choose again (N-207); changes nothing. */
export async function askAccounts(visit: CustomerVisit, id: string): Promise<void> {
  const consent = await loadChangeable(visit, id);
  if (consent === undefined) return redirect(visit, pathTo(visit, detailPath(id)));
  const { say } = visit;
  const participant = nameOf(await shareOf(visit, consent));
  const title = say('portal.accounts.title', { participant });
  const own = await visit.site.connector.accounts(visit.customer);
  const notice = await takeNotice(visit, accountsPath(id));
  respond(visit, 200, {
    title,
    problem: notice !== undefined,
    languageChoice: true,
    tools: await signOutForm(visit),
    body: html`<h1>${title}</h1>
${notice === undefined ? '' : html`<div class="notice" id="notice" role="alert"><p>${say('portal.accounts.none')}</p></div>`}
<form method="post" action="${pathTo(visit, accountsPath(id))}">${await formField(visit, accountsPath(id))}
<fieldset aria-describedby="accounts-hint${notice === undefined ? '' : ' notice'}"><legend>${say('portal.accounts')}</legend>
<p id="accounts-hint">${say('portal.accounts.lead', { participant })}</p>
${own.map((account) => choice(account, consent.accounts.includes(account.id)))}
</fieldset>
<div class="actions">
<button type="submit">${say('portal.accounts.confirm')}</button>
<a role="button" class="quiet" href="${pathTo(visit, detailPath(id))}">${say('portal.accounts.keep')}</a>
</div></form>`,
  });
}

/**
 * The accounts that are ticked, and no others, from now on; what was removed is refused on the next call.
 * @throws Refusal `not_found` 404, `field_invalid` 400 for an account that is not the customer's (N-195)
 */
export async function takeAccounts(visit: CustomerVisit, id: string): Promise<void> {
  checkAllowed(visit);
  const form = await takeForm(visit, accountsPath(id), [], ['account']);
  const { site, customer } = visit;
  const consent = await loadOwn(visit, id);
  const accounts = [...new Set(form.getAll('account'))];
  if (accounts.length === 0) {
    await leaveNotice(visit, accountsPath(id), { kind: 'none-ticked' });
    return redirect(visit, pathTo(visit, accountsPath(id)));
  }
  const own = new Set((await site.connector.accounts(customer)).map((account) => account.id));
  if (!accounts.every((account) => own.has(account)))
    throw new Refusal('field_invalid', 400, 'account: one of the chosen accounts is not yours.');
  await site.rooms.consents.changeAccounts(site.bank.id, consent.id, { customer, accounts }, await actorOf(visit));
  await leaveNotice(visit, detailPath(id), { kind: 'changed' });
  redirect(visit, pathTo(visit, detailPath(id)));
}

/** Undefined when the consent is the customer's own and does not stand. */
async function loadChangeable(visit: CustomerVisit, id: string): Promise<Consent | undefined> {
  checkAllowed(visit);
  const consent = await loadOwn(visit, id);
  return consent.state === 'Authorised' ? consent : undefined;
}

/** @throws Refusal `not_found` 404 where the bank keeps accounts as agreed */
function checkAllowed({ site }: CustomerVisit): void {
  if (site.bank.accountChanges === true) return;
  throw new Refusal('not_found', 404, 'There is no page at this address.');
}

function choice({ id, name, type, maskedNumber, currency }: Account, shared: boolean): Html {
  return html`<label class="account"><input type="checkbox" name="account" value="${id}"${shared ? html` checked` : ''}><span><strong>${name}</strong><small>${type} · ${maskedNumber} · ${currency}</small></span></label>
`;
}
