import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import { openKeys } from './seal.ts';
import { type Connection, openStore } from './store.ts';

const connection: Connection = {
  id: 'c',
  user: 'robin',
  bank: 'one',
  connectedAt: '2026-01-01T00:00:00.000Z',
  standing: 'connected',
  since: '2026-01-01T00:00:00.000Z',
  scope: 'accounts',
  consent: undefined,
  endsAt: undefined,
  tokens: { access: 'a', accessEndsAt: '2026-01-01T00:05:00.000Z', refresh: 'r' },
};

test('N-118 what was sealed opens again with the same key and purpose, and never otherwise', async (context) => {
  const directory = await temporaryDirectory(context);
  const keys = await openKeys(join(directory, 'keys.json'));
  const sealed = keys.seal('a secret', 'here');
  assert.notEqual(sealed, keys.seal('a secret', 'here'));
  assert.equal((await openKeys(join(directory, 'keys.json'))).open(sealed, 'here'), 'a secret');
  assert.throws(() => keys.open(sealed, 'elsewhere'));
  const other = await openKeys(join(directory, 'other.json'));
  assert.throws(() => other.open(sealed, 'here'));
  const bytes = Buffer.from(sealed, 'base64url');
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.throws(() => keys.open(changed.toString('base64url'), 'here'), `octet ${index}`);
  }
  assert.throws(() => keys.open('', 'here'));
  assert.throws(() => keys.open(bytes.subarray(0, 20).toString('base64url'), 'here'));
});

test('N-118 keys are made once, and a damaged key file is no key', async (context) => {
  const path = join(await temporaryDirectory(context), 'keys.json');
  const keys = await openKeys(path);
  assert.ok((await openKeys(path)).isSigned('text', keys.sign('text')));
  assert.ok(!keys.isSigned('text', keys.sign('other')) && !keys.isSigned('text', ''));
  await writeFile(path, '{"sealing":"","signing":""}');
  await assert.rejects(openKeys(path), /is no key/);
});

test('the store keeps connections over a restart, and says when it cannot open them', async (context) => {
  const directory = await temporaryDirectory(context);
  const path = join(directory, 'connections.sealed');
  const keys = await openKeys(join(directory, 'keys.json'));
  const store = await openStore(path, keys);
  await Promise.all([store.save(connection), store.save({ ...connection, id: 'd' }), store.remove('d')]);
  const again = await openStore(path, keys);
  assert.deepEqual(again.all(), [JSON.parse(JSON.stringify(connection))]);
  const other = await openKeys(join(directory, 'other.json'));
  await assert.rejects(openStore(path, other), /cannot be opened with Financroo's key/);
});
