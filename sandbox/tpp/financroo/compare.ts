import { isApi, type Message, type Side } from './messages.ts';

/** A value that is not the same on both sides; undefined where it is not there at all. */
export interface Difference {
  readonly name: string;
  readonly one: string | undefined;
  readonly other: string | undefined;
}

/** A step of one flow, of the other, or of both. */
export interface Step {
  readonly title: string;
  readonly one: Message | undefined;
  readonly other: Message | undefined;
  readonly differences: readonly Difference[];
  /** Names of values that differ because they must never be the same twice. */
  readonly fresh: readonly string[];
}

/** Made anew for every request or flow, or clocks that went on: that these differ says nothing about the flows. */
const FRESH = [
  ...['nonce', 'state', 'jti', 'iat', 'nbf', 'exp', 'auth_time', 'at_hash', 'code', 'code_challenge', 'code_verifier'],
  ...['request_uri', 'x-fapi-interaction-id', 'traceId', 'consent_id', 'expires_in', 'client_id_issued_at'],
];

/** Puts the steps of two flows side by side: the longest common order of them stays together, the rest stands alone. */
export function compare(one: readonly Message[], other: readonly Message[]): readonly Step[] {
  const common = commonLengths(one, other);
  const steps: Step[] = [];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const [here, there] = [one[left], other[right]];
    if (here !== undefined && there !== undefined && titleOf(here) === titleOf(there)) {
      steps.push({ title: titleOf(here), one: here, other: there, ...differencesOf(here, there) });
      left += 1;
      right += 1;
    } else if (there === undefined || (here !== undefined && lengthAt(left + 1, right) >= lengthAt(left, right + 1))) {
      if (here !== undefined) steps.push(alone(here, 'one'));
      left += 1;
    } else {
      steps.push(alone(there, 'other'));
      right += 1;
    }
  }
  return steps;

  function lengthAt(row: number, column: number): number {
    return common[row]?.[column] ?? 0;
  }
}

/** The same message with neutral words for what every bank has its own of: its addresses, its id for the client. */
export function neutral(message: Message, words: ReadonlyMap<string, string>): Message {
  const inText = (text: string) => [...words].reduce((told, [own, word]) => told.replaceAll(own, word), text);
  const inSide = ({ line, headers, body }: Side): Side => ({
    line: inText(line),
    headers: headers.map(([name, value]) => [name, inText(value)] as const),
    body: body === undefined ? undefined : inText(body),
  });
  const { sent, answered } = message;
  return { ...message, sent: inSide(sent), answered: answered === undefined ? undefined : inSide(answered) };
}

/** For every place in both flows, how many steps they still have in common from there (the longest common subsequence). */
function commonLengths(one: readonly Message[], other: readonly Message[]): readonly (readonly number[])[] {
  const lengths: number[][] = [Array.from({ length: other.length + 1 }, () => 0)];
  for (const here of one.toReversed()) {
    const below = lengths[0] ?? [];
    const row = [0];
    for (const [index, there] of [...other.entries()].toReversed()) {
      const same = titleOf(here) === titleOf(there);
      row.unshift(same ? (below[index + 1] ?? 0) + 1 : Math.max(row[0] ?? 0, below[index] ?? 0));
    }
    lengths.unshift(row);
  }
  return lengths;
}

/** The title without ids: the same call for another account is the same step. */
function titleOf({ title }: Message): string {
  return title.replaceAll(/\/[\w-]*\d[\w-]*/g, '/…');
}

function alone(message: Message, side: 'one' | 'other'): Step {
  const sides = { one: undefined, other: undefined, [side]: message };
  return { title: titleOf(message), ...sides, differences: [], fresh: [] };
}

function differencesOf(one: Message, other: Message): Pick<Step, 'differences' | 'fresh'> {
  const [here, there] = [factsOf(one), factsOf(other)];
  const names = [...new Set([...here.keys(), ...there.keys()])].filter((name) => here.get(name) !== there.get(name));
  // A value that only one side has is a difference, however fresh.
  const isFresh = (name: string) =>
    here.has(name) && there.has(name) && FRESH.includes(name.split(/[. ]/).at(-1) ?? name);
  return {
    differences: names
      .filter((name) => !isFresh(name))
      .map((name) => ({ name, one: here.get(name), other: there.get(name) })),
    fresh: names.filter(isFresh),
  };
}

/** Everything a message says, value by value. What an API answers is the customer's own, and no part of the protocol. */
function factsOf({ title, sent, answered: told }: Message): ReadonlyMap<string, string> {
  const answered = told !== undefined && isApi(title) ? { ...told, body: undefined } : told;
  return new Map([
    ...(answered === undefined ? [] : [['answer', answered.line] as const]),
    ...queryFacts(sent.line),
    ...sideFacts('sent', sent),
    ...(answered === undefined ? [] : sideFacts('answered', answered)),
  ]);
}

/** The address itself differs between banks and says nothing; what hangs on to it does. */
function queryFacts(line: string): readonly (readonly [string, string])[] {
  const query = line.split('?').slice(1).join('?');
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split('='));
  return pairs.map(([name = '', ...value]) => [`address ${name}`, value.join('=')]);
}

function sideFacts(name: string, { headers, body }: Side): readonly (readonly [string, string])[] {
  const head = headers.map(([header, value]) => [`${name} ${header}`, value] as const);
  return [...head, ...[...bodyFacts(body ?? '')].map(([path, value]) => [`${name} ${path}`, value] as const)];
}

/** Values of a body as it is shown: JSON, one value a line, its depth told by its indentation, perhaps cut off at the end. */
function bodyFacts(body: string): ReadonlyMap<string, string> {
  const facts = new Map<string, string>();
  const path: string[] = [];
  for (const line of body.split('\n')) {
    const [, indent = '', key = '', value = ''] = /^( *)(?:"([^"]*)": )?(.*?),?$/.exec(line) ?? [];
    const depth = indent.length / 2;
    path.splice(Math.max(depth - 1, 0));
    if (depth > 0) path.push(key);
    if (/^([{}[\]]*)$/.test(value)) continue;
    const name = path.filter((part) => part !== '').join('.') || 'body';
    const before = facts.get(name);
    facts.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return facts;
}
