import type { OwnAccount } from './account-data.ts';
import { categoryChart, monthChart, monthName } from './charts.ts';
import { html, type Markup } from './markup.ts';
import { money } from './money.ts';
import { byCategory, byMonth, type Slice, spendingIn } from './spending.ts';

/** The charts of one currency; links lead to the others, a select to one month. */
export function spendingPanels(accounts: readonly OwnAccount[], query: URLSearchParams, now: Date): Markup {
  const currencies = [...new Set(accounts.map(({ account }) => account.currency))];
  const asked = query.get('currency');
  const currency = currencies.find((candidate) => candidate === asked) ?? currencies[0];
  if (currency === undefined) return html``;
  const spending = spendingIn(
    accounts.flatMap(({ transactions }) => transactions),
    currency,
  );
  const months = byMonth(spending, now);
  const month = months.find(({ name }) => name === query.get('month'))?.name;
  const period = month === undefined ? 'last twelve months' : monthName(month);
  return html`<section id="spending">
<h2>Spending</h2>
<form class="filters" action="/dashboard#spending">
<div><label for="currency">Currency</label>
<select id="currency" name="currency">${currencies.map((one) => html`<option${one === currency ? html` selected` : ''}>${one}</option>`)}</select></div>
<div><label for="month">Categories of</label>
<select id="month" name="month"><option value="">last twelve months</option>
${months.toReversed().map(({ name }) => html`<option value="${name}"${name === month ? html` selected` : ''}>${monthName(name)}</option>`)}</select></div>
<button class="quiet">Show</button>
</form>
<div class="columns">
<figure><figcaption>By month, ${currency}</figcaption>${monthChart(months, currency)}
${numbers('Spending by month', months, currency, (name) => monthName(name))}</figure>
<figure><figcaption>By category, ${period}</figcaption>${categoryFigure(byCategory(spending, now, month), currency)}</figure>
</div>
</section>`;
}

function categoryFigure(slices: readonly Slice[], currency: string): Markup {
  if (slices.length === 0) return html`<p class="hint">Nothing was spent in this time.</p>`;
  return html`${categoryChart(slices, currency)}${numbers('Spending by category', slices, currency, (name) => name)}`;
}

/** The same as a table, for those who do not see the picture. */
function numbers(title: string, slices: readonly Slice[], currency: string, nameOf: (name: string) => string): Markup {
  return html`<details><summary>${title} in numbers</summary>
<table aria-label="${title} in ${currency}"><tbody>${slices.map(
    ({ name, amount }) =>
      html`<tr><th scope="row">${nameOf(name)}</th><td class="amount">${money(amount, currency)}</td></tr>`,
  )}</tbody></table></details>`;
}
