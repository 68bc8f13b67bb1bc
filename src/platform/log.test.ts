import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './log.ts';
import { Refusal } from './refusal.ts';

function written(level = 'debug') {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  const only = (): Record<string, unknown> => {
    assert.equal(lines.length, 1);
    return JSON.parse(lines.pop() ?? '');
  };
  return { log, lines, only };
}

test('text under the key of a secret is never written, at any depth', () => {
  const { log, lines } = written();
  const names = [
    'authorization',
    'Cookie',
    'set-cookie',
    'client_secret',
    'client_assertion',
    'access_token',
    'refreshToken',
    'token',
    'password',
    'body',
    'key',
    'privateKey',
    'code_verifier',
    'id_token_hint',
    'iban',
    'accountNumber',
    'username',
    'request_object',
    'x-amzn-jwt',
    'd',
  ];
  for (const name of names) {
    for (const shape of ['hidden-value', { a: 'hidden-value' }, ['hidden-value']]) {
      log.error({ [name]: shape }, 'top');
      log.error({ request: { headers: [{ [name]: shape }] } }, 'deep');
    }
  }
  assert.equal(lines.length, names.length * 6);
  for (const line of lines) assert.doesNotMatch(line, /hidden-value/, line);
});

test('a secret inside other text is blanked, in details, sentences and errors', () => {
  const { log, lines } = written();
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';
  const pem = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----';
  for (const secret of [jwt, `${jwt}.x.y`, 'Bearer abcdefgh.1234', `Basic ${btoa('id:secret')}`, pem]) {
    const text = `before ${secret} after`;
    log.info({ note: text }, 'x');
    log.info({}, text);
    log.error({ cause: new Error(text, { cause: new Error(text) }) }, 'x');
  }
  log.error({ err: new Error('connect postgres://bank:hunter22@db:5432/x') }, 'x');
  assert.equal(lines.length, 16);
  for (const line of lines) assert.doesNotMatch(line, /eyJ|abcdefgh|aWQ6|MIGH|hunter22/, line);
});

test('an error is told by name, code, sentence, stack and cause; what a driver adds is not', () => {
  const { log, only } = written();
  const driver = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (email)=(a@b.example)',
    where: 'x',
  });
  log.error({ cause: new Refusal('kms_unavailable', 503, 'Later.', { detail: 'timeout', cause: driver }) }, 'x');
  const { cause } = only();
  const { stack, cause: inner, ...outer } = recordOf(cause);
  assert.match(String(stack), /log\.test\.ts/);
  assert.deepEqual(outer, {
    name: 'Refusal',
    message: 'Later.',
    code: 'kms_unavailable',
    status: 503,
    detail: 'timeout',
  });
  const { stack: _stack, ...rest } = recordOf(inner);
  assert.deepEqual(rest, { name: 'Error', message: 'duplicate key', code: '23505' });
});

test('what is no secret is written as it is', () => {
  const { log, only } = written();
  log.info(
    { bank: 'gobank', tokens: 3, ok: true, at: new Date(0), doors: ['issuer 8443'], none: undefined, big: 1n },
    'ready',
  );
  const { time, ...line } = only();
  assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
  const details = {
    bank: 'gobank',
    tokens: 3,
    ok: true,
    at: '1970-01-01T00:00:00.000Z',
    doors: ['issuer 8443'],
    big: '1',
  };
  assert.deepEqual(line, { level: 'info', ...details, msg: 'ready' });
});

test('endless, huge and binary details do no harm', () => {
  const { log, lines } = written();
  const endless: Record<string, unknown> = {};
  endless.self = endless;
  log.info({ endless, octets: Buffer.from('hidden'), long: 'x'.repeat(100_000), many: Array(10_000).fill('y') }, 'x');
  assert.ok((lines[0]?.length ?? 0) < 20_000);
});

test('levels below the chosen one are silent; an unknown level is refused', () => {
  const { log, lines } = written('warn');
  log.info({}, 'x');
  log.debug({}, 'x');
  assert.deepEqual(lines, []);
  assert.throws(() => createLog({ level: 'loud' }), /there is no log level loud/);
});

function recordOf(value: unknown): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}
