import { readForm } from '../../platform/form.ts';
import { type Html, html } from '../../platform/html.ts';
import { Refusal } from '../../platform/refusal.ts';
import { formRefused } from '../events.ts';
import { checkSameOrigin, FORM_TOKEN_FIELD } from '../form-token.ts';
import type { PortalVisit } from './portal-visit.ts';

/** A user name, a password and a token. */
const MAXIMUM_FORM_BYTES = 4_096;
/** The same with the ticks of a long list of accounts. */
const MAXIMUM_CHOICES_BYTES = 65_536;

/** The hidden field of a form: a keyed hash over the browser's cookie and the form's address, so it fits nothing else (N-215). */
export async function formField(visit: PortalVisit, action: string): Promise<Html> {
  return html`<input type="hidden" name="${FORM_TOKEN_FIELD}" value="${await tokenFor(visit, action)}">`;
}

/**
 * The fields of a form that came from our page in this browser; those of `repeatable` may come more than once.
 * @throws Refusal `csrf_invalid` 403, `field_invalid` 400 for a field the form does not have, and those of `readForm`
 */
export async function takeForm(
  visit: PortalVisit,
  action: string,
  fields: readonly string[],
  repeatable: readonly string[] = [],
): Promise<URLSearchParams> {
  checkSameOrigin(visit);
  const limit = repeatable.length === 0 ? MAXIMUM_FORM_BYTES : MAXIMUM_CHOICES_BYTES;
  const form = await readForm(visit.request, limit, repeatable);
  const known = [FORM_TOKEN_FIELD, ...fields, ...repeatable];
  const foreign = [...form.keys()].find((name) => !known.includes(name));
  if (foreign !== undefined)
    throw new Refusal('field_invalid', 400, 'The form has a field that does not belong to it.');
  const { site } = visit;
  const hash = await site.rooms.vault.hasher(site.bank.id, 'portal-form');
  const expected = await tokenFor(visit, action);
  // Compared by their keyed hashes: how long the comparison takes says nothing about the token.
  if (hash(form.get(FORM_TOKEN_FIELD) ?? '') === hash(expected)) return form;
  const place = { bank: site.bank.id, participant: undefined, client: undefined, interaction: visit.trace };
  site.rooms.audit.enqueue(formRefused(place, 'csrf_invalid'));
  throw new Refusal('csrf_invalid', 403, 'The form does not carry the token of the page this browser was given.');
}

async function tokenFor({ site, browser }: PortalVisit, action: string): Promise<string> {
  const hash = await site.rooms.vault.hasher(site.bank.id, 'portal-form');
  return hash(JSON.stringify([site.origin, action, browser]));
}
