import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { createMemoryKeyStore } from '../../test/support/memory-key-store.ts';
import { Refusal } from '../platform/refusal.ts';
import { createEnvelope } from './envelope.ts';

const secret = Buffer.from('DE89370400440532013000');
const unavailable = { name: 'Refusal', code: 'kms_unavailable', status: 503 };
const altered = /a sealed value cannot be opened/;

test('LAB-30 a sealed value that was altered anywhere is an error', async () => {
  const { seal, open } = createEnvelope(createMemoryKeyStore());
  const sealed = await seal('context', secret);
  for (let index = 0; index < sealed.length; index += 1) {
    const other = sealed[index] === 'A' ? 'B' : 'A';
    const text = sealed.slice(0, index) + other + sealed.slice(index + 1);
    // A key id that names no key is a key that the service refuses; everything else is an alteration.
    await assert.rejects(open('context', text), (cause) => cause instanceof Error, `position ${index}`);
  }
  for (const text of [
    '',
    'v1',
    sealed.slice(0, -2),
    `${sealed}AA`,
    sealed.replace('v1', 'v2'),
    `${sealed}.`,
    `${sealed}\n`,
  ])
    await assert.rejects(open('context', text), altered);
});

test('LAB-30 a sealed value of another context is an error', async () => {
  const { seal, open } = createEnvelope(createMemoryKeyStore());
  const sealed = await seal('bank-a', secret);
  for (const context of ['bank-b', '', 'bank-a ', 'BANK-A']) await assert.rejects(open(context, sealed), altered);
});

test('LAB-30 parts of two sealed values do not make a third', async () => {
  const { seal, open } = createEnvelope(createMemoryKeyStore());
  const [one, two] = [await seal('c', secret), await seal('c', Buffer.from('other'))];
  const [version, keyId, wrapped, nonce] = one.split('.');
  const [, , , , ciphertext] = two.split('.');
  await assert.rejects(open('c', [version, keyId, wrapped, nonce, ciphertext].join('.')), altered);
});

test('LAB-30 a key service that refuses is a 503, and so is one that does not answer', async (context) => {
  const service = createMemoryKeyStore();
  const { seal, open } = createEnvelope(service);
  const sealed = await seal('context', secret);
  service.state = 'refuses';
  await assert.rejects(seal('context', secret), unavailable);
  await assert.rejects(open('context', sealed), unavailable);
  service.state = 'hangs';
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const waiting = [seal('context', secret), open('context', sealed)];
  context.mock.timers.tick(5_000);
  for (const answer of waiting) await assert.rejects(answer, unavailable);
  service.state = 'answers';
  assert.deepEqual(await open('context', sealed), secret);
});

test('LAB-30 a key service that answers nonsense is an error', async () => {
  const service = createMemoryKeyStore();
  const sealed = await createEnvelope(service).seal('context', secret);
  const wrongKeyId = createEnvelope({ ...service, wrap: async () => ({ keyId: 'a.b', wrapped: new Uint8Array(40) }) });
  await assert.rejects(wrongKeyId.seal('context', secret), /no usable form/);
  const wrongKey = createEnvelope({ ...service, unwrap: async () => new Uint8Array(31) });
  await assert.rejects(wrongKey.open('context', sealed), altered);
  const otherKey = createEnvelope({ ...service, unwrap: async () => new Uint8Array(32) });
  await assert.rejects(otherKey.open('context', sealed), altered);
});

test('LAB-30 a record is ciphertext, wrapped data key and key id; the same value is never sealed alike', async () => {
  const service = createMemoryKeyStore();
  const { seal, open } = createEnvelope(service);
  const [one, two] = [await seal('context', secret), await seal('context', secret)];
  const [version, keyId, wrapped, nonce, ciphertext] = one.split('.');
  assert.equal(version, 'v1');
  assert.equal(keyId, await service.currentKeyId());
  assert.equal(Buffer.from(wrapped ?? '', 'base64url').length, 40);
  assert.equal(Buffer.from(nonce ?? '', 'base64url').length, 12);
  assert.equal(Buffer.from(ciphertext ?? '', 'base64url').length, secret.length + 16);
  const parts = two.split('.');
  assert.ok(wrapped !== parts[2] && nonce !== parts[3] && ciphertext !== parts[4]);
  assert.deepEqual(await open('context', one), secret);
  assert.deepEqual(await open('context', await seal('context', new Uint8Array(0))), Buffer.alloc(0));
});

test('LAB-30 after a rotation of the master key old values are readable and new ones name the new key', async () => {
  const service = createMemoryKeyStore();
  const { seal, open } = createEnvelope(service);
  const old = await seal('context', secret);
  service.rotate();
  const fresh = await seal('context', secret);
  assert.deepEqual(await open('context', old), secret);
  assert.deepEqual(await open('context', fresh), secret);
  assert.notEqual(old.split('.')[1], fresh.split('.')[1]);
  assert.equal(fresh.split('.')[1], await service.currentKeyId());
});

test('sealing takes 64 KiB and no more', async () => {
  const { seal, open } = createEnvelope(createMemoryKeyStore());
  const largest = Buffer.alloc(65_536, 1);
  assert.deepEqual(await open('c', await seal('c', largest)), largest);
  await assert.rejects(seal('c', Buffer.alloc(65_537)), /at most 65536 octets/);
});

test('N-278 no error shows what was sealed, or a key', async () => {
  const service = createMemoryKeyStore();
  const keys: string[] = [];
  const spied = createEnvelope({
    ...service,
    wrap: async (dataKey) => {
      keys.push(Buffer.from(dataKey).toString('hex'), Buffer.from(dataKey).toString('base64url'));
      return service.wrap(dataKey);
    },
  });
  const sealed = await spied.seal('context', secret);
  const errors: unknown[] = [];
  const keep = (cause: unknown): boolean => errors.push(cause) > 0;
  await assert.rejects(spied.open('other', sealed), keep);
  await assert.rejects(spied.open('context', `${sealed}AAAA`), keep);
  service.state = 'refuses';
  await assert.rejects(createEnvelope(service).open('context', sealed), keep);
  assert.equal(errors.length, 3);
  assert.ok(errors[2] instanceof Refusal);
  for (const error of errors) {
    const shown = inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error);
    for (const hidden of [...keys, secret.toString(), secret.toString('hex'), sealed.split('.')[2] ?? '-'])
      assert.equal(shown.includes(hidden), false);
  }
});
