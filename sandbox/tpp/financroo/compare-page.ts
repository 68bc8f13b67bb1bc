import { type App, bankName, day } from './app.ts';
import { compare, type Difference, type Step } from './compare.ts';
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
<p class="lead">Choose two of your connections, or two banks, and see step by step where they go different ways. Secrets are left out here too, so that two of the same length look the same.</p>
${form(choices, one?.choice, other?.choice)}
${one?.choice === undefined || other?.choice === undefined ? '' : result(one.choice, other.choice)}`;
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
  return html`<form class="panel" action="/compare"><div class="filters">
${select('one', 'One', first)}${select('other', 'The other', second)}<button>Compare</button></div></form>`;
}

function result(one: Choice, other: Choice): Markup {
  if (one === other) return html`<p>These are the same: choose two.</p>`;
  // At one bank both share discovery and registration.
  const whole = one.bank !== other.bank || one.own.length === 0 || other.own.length === 0;
  const messages = (choice: Choice) => (whole ? [...choice.setup, ...choice.own] : choice.own);
  const steps = compare(messages(one), messages(other));
  const count = (fits: (step: Step) => boolean) => steps.filter(fits).length;
  const same = count((step) => verdictOf(step) === 'same');
  const differing = count((step) => verdictOf(step) === 'differs');
  return html`<section aria-labelledby="result"><h2 id="result">${steps.length} steps</h2>
<dl><dt>One</dt><dd>${one.name}</dd><dt>The other</dt><dd>${other.name}</dd></dl>
<p>${same} the same, ${differing} with differences, ${steps.length - same - differing} in one of them alone.</p></section>
<ol class="messages">${steps.map((step, index) => item(step, index + 1))}</ol>`;
}

function verdictOf({ one, other, differences }: Step): 'same' | 'differs' | 'one' | 'other' {
  if (other === undefined) return 'one';
  if (one === undefined) return 'other';
  return differences.length === 0 ? 'same' : 'differs';
}

const VERDICTS = {
  same: ['good', 'the same'],
  differs: ['problem', 'differs'],
  one: ['problem', 'only in one'],
  other: ['problem', 'only in the other'],
} as const;

function item(step: Step, number: number): Markup {
  const { title, one, other, differences, fresh } = step;
  const [kind, text] = VERDICTS[verdictOf(step)];
  const answers = [one, other].flatMap((message) => message?.answered?.line ?? []);
  return html`<li><article class="compared"><h3><span class="number" aria-hidden="true">${number}</span>${title} <span class="badge ${kind}">${text}</span></h3>
${differences.length > 0 ? table(title, differences) : answers.length > 0 && html`<p class="hint">Answered ${answers[0]}.</p>`}
${fresh.length > 0 && html`<p class="hint">Fresh each time, as they must be: ${[...new Set(fresh.map((name) => name.split(/[. ]/).at(-1)))].join(', ')}.</p>`}
</article></li>`;
}

/** The name of each value stands above its two sides, so that both fit a phone. */
function table(title: string, differences: readonly Difference[]): Markup {
  return html`<table class="sides" aria-label="What differs: ${title}"><thead><tr><th scope="col">One</th><th scope="col">The other</th></tr></thead>
${differences.map(
  ({ name, one, other }) => html`<tbody><tr><th scope="rowgroup" colspan="2">${name}</th></tr>
<tr><td>${side(one)}</td><td>${side(other)}</td></tr></tbody>`,
)}</table>`;
}

function side(value: string | undefined): Markup {
  if (value === undefined) return html`<span class="hint">not there</span>`;
  const cut = value.length > SHOWN_CHARACTERS;
  return html`<code>${value.slice(0, SHOWN_CHARACTERS)}${cut ? `… (${value.length} characters)` : ''}</code>`;
}
