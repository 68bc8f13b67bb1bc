import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateOf, participantOf } from '../../../test/support/gateway.ts';
import { secondsAfter } from '../../platform/clock.ts';
import type { FetchRequest, FetchResponse } from '../../platform/fetch.ts';
import { Refusal } from '../../platform/refusal.ts';
import { rememberPositives, withFallback } from './combined.ts';
import { type AuthorityRegister, type RegisterAnswer, type RegisterQuestion, RegisterUnavailable } from './register.ts';
import { createRegisterService } from './service.ts';

const start = new Date('2026-11-21T10:00:00Z');
const number = '12/3 &=#?ä';
const question: RegisterQuestion = {
  identifier: `PSDXX-SANDBOX-${number}`,
  country: 'XX',
  authority: 'SANDBOX',
  number,
  roles: ['AISP'],
  certificate: certificateOf('cert-a'),
  participant: participantOf(),
};
const about = { country: 'XX', authority: 'SANDBOX', number };
const good = { ...about, status: 'authorised', roles: { XX: ['PISP', 'AISP'] } };

/** A register service that answers as told, and what it was asked. */
function stage(answer: (request: FetchRequest) => Partial<FetchResponse> | Promise<never>) {
  const world = { now: start, asked: [] as FetchRequest[] };
  const request = async (call: FetchRequest): Promise<FetchResponse> => {
    world.asked.push(call);
    const { headers, ...others } = await answer(call);
    const id = call.headers?.['x-request-id'] ?? '';
    const usual = { 'content-type': 'application/json', 'x-request-id': id };
    return { status: 200, body: new Uint8Array(), ...others, headers: { ...usual, ...headers } };
  };
  const fetcher = { request, close: async () => undefined };
  const clock = { now: () => world.now };
  return { world, clock, service: createRegisterService({ fetcher, url: 'https://register.example/v1/ask', clock }) };
}

const saying = (value: unknown) => stage(() => ({ body: Buffer.from(JSON.stringify(value)) }));

function silent(register: AuthorityRegister, code: string): Promise<void> {
  return assert.rejects(
    async () => register.ask(question),
    (cause: unknown) => cause instanceof RegisterUnavailable && cause.code === code,
  );
}

for (const name of ['country', 'authority', 'number'] as const)
  test(`N-30 an answer about another ${name} is no answer, whatever it says`, async () => {
    for (const other of [undefined, null, '', 'XY', `${number} `])
      for (const status of ['authorised', 'withdrawn', 'unknown'])
        await silent(saying({ ...good, status, [name]: other }).service, 'register_other_number');
  });

const MALFORMED: readonly (readonly [string, unknown])[] = [
  ['a list', [good]],
  ['null', null],
  ['no status', { ...good, status: undefined }],
  ['another status', { ...good, status: 'Authorised' }],
  ['no roles', { ...good, roles: undefined }],
  ['roles without country', { ...good, roles: ['AISP'] }],
  ['an unknown role', { ...good, roles: { XX: ['AIS'] } }],
  ['a country that is none', { ...good, roles: { xx: ['AISP'] } }],
  ['an end that is none', { ...good, until: 'soon' }],
];

for (const [what, value] of MALFORMED)
  test(`N-30 ${what} is no answer`, () => silent(saying(value).service, 'register_malformed'));

const ANSWERS: readonly (readonly [string, Partial<FetchResponse>])[] = [
  ['a 404', { status: 404 }],
  ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/' } }],
  ['another type', { headers: { 'content-type': 'text/html' } }],
  ['a compressed body', { headers: { 'content-encoding': 'gzip' } }],
  ["another question's id", { headers: { 'x-request-id': '1' } }],
];

for (const [what, answer] of ANSWERS)
  test(`N-30 ${what} is no answer, even with good words in it`, () =>
    silent(stage(() => ({ body: Buffer.from(JSON.stringify(good)), ...answer })).service, 'register_malformed'));

test('N-30 broken JSON and broken UTF-8 are no answers', async () => {
  for (const body of [Buffer.from('{'), Buffer.from([0x22, 0xff, 0x22])])
    await silent(stage(() => ({ body })).service, 'register_malformed');
});

test('N-285 three failures in a row and the service is left alone for half a minute; then it may recover', async () => {
  let works = false;
  const { world, service } = stage(() => {
    if (works) return { body: Buffer.from(JSON.stringify(good)) };
    throw new Refusal('upstream_unavailable', 502, 'Nothing.', { detail: 'ECONNREFUSED' });
  });
  for (let count = 0; count < 3; count += 1) await silent(service, 'register_unreachable');
  works = true;
  await silent(service, 'register_paused');
  assert.equal(world.asked.length, 3);
  world.now = secondsAfter(start, 30);
  assert.equal((await service.ask(question)).status, 'authorised');
});

test('N-30 a nonsensical answer about one participant is no reason to stop asking about the others', async () => {
  const { world, service } = saying({ ...good, number: 'another' });
  for (let count = 0; count < 5; count += 1) await silent(service, 'register_other_number');
  assert.equal(world.asked.length, 5);
});

test('N-285 a service that fails is one that does not answer', async () => {
  const { world, service } = stage(() => ({ status: 503 }));
  for (let count = 0; count < 3; count += 1) await silent(service, 'register_unreachable');
  await silent(service, 'register_paused');
  assert.equal(world.asked.length, 3);
});

test('N-30 a time limit that passed is told apart from a connection that failed', async () => {
  const { service } = stage(() => {
    throw new Refusal('upstream_unavailable', 502, 'Nothing.', { detail: 'TimeoutError' });
  });
  await silent(service, 'register_timeout');
});

test('an address with a query, credentials or without TLS is refused at start', () => {
  const fetcher = { request: () => assert.fail('it was called'), close: async () => undefined };
  for (const url of [
    'http://a.example/',
    'https://a.example/?x=1',
    'https://u:p@a.example/',
    'https://a.example/#x',
    'x',
  ])
    assert.throws(() => createRegisterService({ fetcher, url, clock: { now: () => start } }), /authority register/);
});

test('WSN-14 the three parts travel as parameters, whatever is in the number', async () => {
  const { world, service } = saying({ ...good, until: '2027-01-01' });
  const answer = await service.ask(question);
  assert.deepEqual(answer, { status: 'authorised', roles: { XX: ['AISP', 'PISP'] }, until: new Date('2027-01-01') });
  const url = new URL(world.asked[0]?.url ?? '');
  assert.equal(`${url.origin}${url.pathname}`, 'https://register.example/v1/ask');
  assert.deepEqual(Object.fromEntries(url.searchParams), about);
  for (const status of ['withdrawn', 'unknown'] as const)
    assert.deepEqual(await saying({ ...about, status }).service.ask(question), { status });
});

/** A register whose answer a test turns, and how often it was asked. */
function turning(first: RegisterAnswer | Error) {
  const state = { answer: first, asked: 0, now: start };
  const register: AuthorityRegister = {
    ask: async () => {
      state.asked += 1;
      if (state.answer instanceof Error) throw state.answer;
      return state.answer;
    },
    close: async () => undefined,
  };
  return { state, register, clock: { now: () => state.now } };
}

const yes: RegisterAnswer = { status: 'authorised', roles: { XX: ['AISP'] }, until: undefined };
const silence = new RegisterUnavailable('register_timeout', 'silence');

test('N-31 negative answers and silence are never remembered', async () => {
  const nothing = { status: 'authorised', until: undefined } as const;
  const negatives: readonly RegisterAnswer[] = [
    { status: 'withdrawn' },
    { status: 'unknown' },
    { ...nothing, roles: {} },
    { ...nothing, roles: { XX: [] } },
    { ...nothing, roles: { DE: ['AISP'] } },
  ];
  for (const answer of negatives) {
    const { state, register, clock } = turning(answer);
    const remembering = rememberPositives(register, { clock, seconds: 300, country: 'XX' });
    for (const turn of [1, 2]) {
      assert.deepEqual(await remembering.ask(question), answer);
      assert.equal(state.asked, turn);
    }
    state.answer = yes;
    assert.deepEqual(await remembering.ask(question), yes);
  }
  const { state, register, clock } = turning(silence);
  const remembering = rememberPositives(register, { clock, seconds: 300, country: 'XX' });
  await silent(remembering, 'register_timeout');
  await silent(remembering, 'register_timeout');
  assert.equal(state.asked, 2);
});

test('N-31 a positive answer is believed for five minutes from the question on, to the second, and not after a silence', async () => {
  const { state, register, clock } = turning(yes);
  const remembering = rememberPositives(register, { clock, seconds: 300, country: 'XX' });
  await remembering.ask(question);
  state.answer = { status: 'withdrawn' };
  state.now = secondsAfter(start, 299);
  assert.deepEqual(remembering.ask(question), yes);
  state.now = secondsAfter(start, 300);
  assert.deepEqual(await remembering.ask(question), { status: 'withdrawn' });
  state.answer = silence;
  await silent(remembering, 'register_timeout');
  assert.equal(state.asked, 3);
});

test('N-31 an answer at hand that does not give the role a request needs is asked for anew', async () => {
  const { state, register, clock } = turning({ ...yes, roles: { XX: ['PISP'] } });
  const remembering = rememberPositives(register, { clock, seconds: 300, country: 'XX' });
  await remembering.ask({ ...question, roles: ['PISP'] });
  state.answer = { ...yes, roles: { XX: ['AISP', 'PISP'] } };
  assert.deepEqual(await remembering.ask(question), state.answer);
  await remembering.ask({ ...question, roles: [] });
  await remembering.ask({ ...question, roles: ['PISP', 'CBPII'] });
  assert.equal(state.asked, 2);
});

test('an authorisation that ends sooner is believed until then', async () => {
  const { state, register, clock } = turning({ ...yes, until: secondsAfter(start, 10) });
  const remembering = rememberPositives(register, { clock, seconds: 300, country: 'XX' });
  await remembering.ask(question);
  state.now = secondsAfter(start, 10);
  await remembering.ask(question);
  assert.equal(state.asked, 2);
});

test('nobody can set a longer memory than five minutes', () => {
  const { register, clock } = turning(yes);
  for (const seconds of [301, -1, Number.NaN])
    assert.throws(() => rememberPositives(register, { clock, seconds, country: 'XX' }));
});

test('one question at a time for a participant and certificate; another certificate is another question', async () => {
  const { state, register, clock } = turning({ status: 'withdrawn' });
  const remembering = rememberPositives(register, { clock, seconds: 300, country: 'XX' });
  await Promise.all([1, 2, 3].map(() => remembering.ask(question)));
  assert.equal(state.asked, 1);
  state.answer = yes;
  await remembering.ask(question);
  await remembering.ask({ ...question, certificate: certificateOf('cert-b') });
  await remembering.ask({ ...question, certificate: undefined });
  assert.equal(state.asked, 4);
});

test('the second source is asked only when the first is silent: a refusal is an answer', async () => {
  const refusing = turning({ status: 'unknown' });
  const second = turning(yes);
  assert.deepEqual(await withFallback(refusing.register, second.register).ask(question), { status: 'unknown' });
  assert.equal(second.state.asked, 0);
  const broken = turning(new Error('a defect'));
  await assert.rejects(async () => withFallback(broken.register, second.register).ask(question), /a defect/);
  await silent(withFallback(turning(silence).register, turning(silence).register), 'register_timeout');
  assert.deepEqual(await withFallback(turning(silence).register, second.register).ask(question), yes);
});
