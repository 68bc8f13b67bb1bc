import { html, type Markup } from './markup.ts';
import type { Message } from './messages.ts';

/** A message with its place in the whole log. */
export interface Numbered {
  readonly number: number;
  readonly message: Message;
}

const WIDTH = 420;
const TOP = 34;
const ROW = 30;
const HEAD = 7;
/** Where each stands; most is said between Financroo and the bank. */
const PLACES = { browser: 40, Financroo: 140, bank: 392 } as const;
type Who = keyof typeof PLACES;

/** Who sends and who gets it: what goes through the browser starts there. */
function endsOf({ actor, title }: Message): readonly [from: Who, to: Who] {
  if (actor === 'Financroo') return ['Financroo', 'bank'];
  return title.includes('back') ? ['browser', 'Financroo'] : ['browser', 'bank'];
}

/** True when the answer is a refusal or a failure, or the connection was cut before there was one. */
export function isRefused({ answered }: Message): boolean {
  return answered !== undefined && !(Number(answered.line) < 400);
}

/** The messages as a sequence diagram (SCR-29); the list below it tells the same in words. */
export function laneDiagram(messages: readonly Numbered[], bank: string): Markup {
  const height = TOP + messages.length * ROW + 8;
  const lane = (who: Who, name: string, anchor: string) => html`
<text class="who" x="${anchor === 'end' ? WIDTH : PLACES[who]}" y="14" text-anchor="${anchor}">${name}</text>
<line class="lane" x1="${PLACES[who]}" x2="${PLACES[who]}" y1="22" y2="${height}"></line>`;
  return html`<svg class="lanes" viewBox="0 0 ${WIDTH} ${height}" role="group" aria-label="The messages as a diagram; each leads to its text">
${lane('browser', 'Browser', 'middle')}${lane('Financroo', 'Financroo', 'middle')}${lane('bank', bank, 'end')}
${messages.map(arrow)}
</svg>`;
}

function arrow({ number, message }: Numbered, row: number): Markup {
  const [from, to] = endsOf(message);
  const y = TOP + row * ROW + 18;
  const [start, end] = [PLACES[from], PLACES[to]];
  const line = message.answered?.line;
  const answer = line === undefined ? '' : ` → ${/^\d+$/.test(line) ? line : '✗'}`;
  return html`<a href="#message-${number}" class="${isRefused(message) ? 'refused' : 'fine'}">
<text class="says" x="${start + 6}" y="${y - 5}">${number} ${labelOf(message, LONGEST_LABELS[from])}${answer}</text>
<line class="arrow" x1="${start}" x2="${end - HEAD}" y1="${y}" y2="${y}"></line>
<path class="head" d="M${end},${y} l-${HEAD},-4 v8 z"></path></a>`;
}

/** More does not fit between the one who speaks and the bank. */
const LONGEST_LABELS: Readonly<Record<Who, number>> = { browser: 40, Financroo: 25, bank: 25 };

function labelOf({ title }: Message, longest: number): string {
  const short = title.replace('The bank’s API: ', 'API: ').replace('Experiment: ', '');
  return short.length > longest ? `${short.slice(0, longest - 1)}…` : short;
}
