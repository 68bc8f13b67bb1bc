import { isRefused } from './lanes.ts';
import { html, type Markup } from './markup.ts';
import type { Message } from './messages.ts';

/** What a refusal says, put in order: an API answers `error.reason`, OAuth endpoints `error` and `error_description` (RFC 6749 §5.2). */
export function refusalView(message: Message): Markup {
  const { answered, experiment } = message;
  if (answered === undefined) return html``;
  if (!isRefused(message)) {
    const taken = html`<p><span class="badge good">taken</span> Answered ${answered.line}.</p>`;
    return experiment === undefined ? html`` : taken;
  }
  const body = membersOf(answered.body);
  const error = body.get('error');
  const inner = new Map<string, unknown>(Object.entries(typeof error === 'object' && error !== null ? error : {}));
  const trace = inner.get('traceId') ?? new Map(answered.headers).get('x-fapi-interaction-id');
  const facts: readonly (readonly [string, unknown])[] = [
    ['Answer', answered.line],
    ['Code', inner.get('reason') ?? error],
    ['Trace id', trace],
  ];
  const sentence = inner.get('message') ?? body.get('error_description');
  return html`<p><span class="badge problem">refused</span></p><dl>${facts.map(([name, value]) =>
    typeof value === 'string' ? html`<dt>${name}</dt><dd><code>${value}</code></dd>` : '',
  )}${typeof sentence === 'string' ? html`<dt>Sentence</dt><dd>${sentence}</dd>` : ''}</dl>`;
}

function membersOf(text: string | undefined): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}');
    return new Map<string, unknown>(Object.entries(typeof value === 'object' && value !== null ? value : {}));
  } catch {
    return new Map();
  }
}
