import { type App, bankName, day } from './app.ts';
import { compare, type Difference, neutral, type Step } from './compare.ts';
import { page, problemPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import type { Message } from './messages.ts';
import type { Session } from './sessions.ts';
import type { Reply, Visit } from './visit.ts';

/** Something whose messages can be compared: a connection or flow of this user, or what was said at a bank before any. */
interface Choice {
  readonly value: string;
  readonly name: string;
  readonly bank: string;
  readonly setup: readonly Message[];
  readonly own: readonly Message[];
}

/** A value longer than this is told apart by its beginning. */
const SHOWN_CHARACTERS = 140;

/** `GET /compare`: two flows side by side (SCR-29); `one` and `other` in the query choose them. */
export function showComparison(app: App, { url }: Visit, session: Session): Reply {
  const choices = choicesOf(app, session);
  const [one, other] = ['one', 'other'].map((side) => {
    const value = url.searchParams.get(side);
    return { value, choice: choices.find((choice) => choice.value === value) };
  });
  // Another user's flow is as if it did not exist.
  if ([one, other].some((side) => side?.value && side.choice === undefined)) {
    const way = { to: '/compare', text: 'Choose others' };
    return problemPage(app, session, 404, 'Not there', 'There is no such connection, or not any more.', way);
  }
  const body = html`<h1>Compare two flows</h1>
<p class="lead">Choose two of your connections, or two banks, and see step by step where they go different ways. Every bank’s own addresses and its id for Financroo are written as {bank} and {client}; secrets are left out, so that two of the same length look the same. What is in your accounts is not compared.</p>
${form(choices, one?.choice, other?.choice)}
${one?.choice === undefined || other?.choice === undefined ? '' : result(app, one.choice, other.choice)}`;
  return page(app, session, { title: 'Compare two flows', body });
}

function choicesOf(app: App, session: Session): readonly Choice[] {
  const setupOf = (bank: string) => app.clientOf(bank)?.log ?? [];
  const flows = app.logs.ofUser(session.user).map(({ id, bank, log }): Choice => {
    const standing = app.store.find(id)?.standing ?? 'not connected';
    const at = log[0]?.at;
    const when = at === undefined ? 'nothing sent yet' : `${day(at)}, ${at.slice(11, 19)} UTC`;
    const name = `${bankName(app, bank)}, ${when} (${standing})`;
    // An experiment is no step of the flow it was made with.
    const own = log.filter(({ experiment }) => experiment === undefined);
    return { value: `connection:${id}`, name, bank, setup: setupOf(bank), own };
  });
  const banks = app.banks.map(({ id, name }): Choice => {
    return { value: `bank:${id}`, name: `${name}: registration`, bank: id, setup: setupOf(id), own: [] };
  });
  return [...flows, ...banks];
}

function form(choices: readonly Choice[], one: Choice | undefined, other: Choice | undefined): Markup {
  const [first, second] = [one ?? choices[0], other ?? choices.find((choice) => choice !== (one ?? choices[0]))];
  const select = (name: string, label: string, chosen: Choice | undefined) =>
    html`<label>${label}<select name="${name}">${choices.map(
      (choice) =>
        html`<option value="${choice.value}"${choice === chosen ? html` selected` : ''}>${choice.name}</option>`,
    )}</select></label>`;
  return html`<form class="panel" action="/compare"><div class="choose">
${select('one', 'One', first)}${select('other', 'The other', second)}<button>Compare</button></div></form>`;
}

function result(app: App, one: Choice, other: Choice): Markup {
  if (one === other) return html`<p>These are the same: choose two.</p>`;
  // At one bank both share discovery and registration.
  const whole = one.bank !== other.bank || one.own.length === 0 || other.own.length === 0;
  const messages = (choice: Choice) => {
    const words = wordsOf(app, choice.bank);
    return (whole ? [...choice.setup, ...choice.own] : choice.own).map((message) => neutral(message, words));
  };
  const steps = compare(messages(one), messages(other));
  const count = (fits: (step: Step) => boolean) => steps.filter(fits).length;
  const same = count((step) => verdictOf(step) === 'same');
  const differing = count((step) => verdictOf(step) === 'differs');
  const names: Names =
    one.bank === other.bank ? ['one', 'the other'] : [bankName(app, one.bank), bankName(app, other.bank)];
  return html`<section aria-labelledby="result"><h2 id="result">${steps.length} steps</h2>
<dl><dt>One</dt><dd>${one.name}</dd><dt>The other</dt><dd>${other.name}</dd></dl>
<p>${same} the same, ${differing} with differences, ${steps.length - same - differing} in one of them alone.</p></section>
<ol class="messages">${steps.map((step, index) => item(step, index + 1, names))}</ol>`;
}

/** How the two are called where they stand side by side. */
type Names = readonly [one: string, other: string];

function wordsOf(app: App, id: string): ReadonlyMap<string, string> {
  const bank = app.banks.find((candidate) => candidate.id === id);
  if (bank === undefined) return new Map();
  const readiness = app.clientOf(id)?.readiness();
  const own = [bank.resourceBase, bank.issuer, bank.mtlsBase].map((address) => [address, '{bank}'] as const);
  return new Map([...own, ...(readiness?.state === 'ready' ? [[readiness.clientId, '{client}'] as const] : [])]);
}

function verdictOf({ one, other, differences }: Step): 'same' | 'differs' | 'one' | 'other' {
  if (other === undefined) return 'one';
  if (one === undefined) return 'other';
  return differences.length === 0 ? 'same' : 'differs';
}

function badge(step: Step, [one, other]: Names): Markup {
  switch (verdictOf(step)) {
    case 'same':
      return html`<span class="badge good">the same</span>`;
    case 'differs':
      return html`<span class="badge problem">differs</span>`;
    case 'one':
      return html`<span class="badge problem">only in ${one}</span>`;
    case 'other':
      return html`<span class="badge problem">only in ${other}</span>`;
  }
}

function item(step: Step, number: number, names: Names): Markup {
  const { title, one, other, differences, fresh } = step;
  const answer = (one ?? other)?.answered?.line;
  const told = answer !== undefined && html`<p class="hint">Answered ${answer}.</p>`;
  const freshNames = [...new Set(fresh.map((name) => name.split(/[. ]/).at(-1)))].join(', ');
  return html`<li><article class="compared"><h3><span class="number" aria-hidden="true">${number}</span>${title} ${badge(step, names)}</h3>
${differences.length > 0 ? table(title, differences, names) : told}
${fresh.length > 0 && html`<p class="hint">Different each time, as it must be: ${freshNames}.</p>`}
</article></li>`;
}

/** The name of each value stands above its two sides, so that both fit a phone. */
function table(title: string, differences: readonly Difference[], [one, other]: Names): Markup {
  return html`<table class="sides" aria-label="What differs: ${title}"><thead><tr><th scope="col">${one}</th><th scope="col">${other}</th></tr></thead>
${differences.map(
  (difference) => html`<tbody><tr><th scope="rowgroup" colspan="2">${difference.name}</th></tr>
<tr><td>${side(difference.one)}</td><td>${side(difference.other)}</td></tr></tbody>`,
)}</table>`;
}

function side(value: string | undefined): Markup {
  if (value === undefined) return html`<span class="hint">not there</span>`;
  const cut = value.length > SHOWN_CHARACTERS;
  return html`<code>${value.slice(0, SHOWN_CHARACTERS)}${cut ? `… (${value.length} characters)` : ''}</code>`;
}
