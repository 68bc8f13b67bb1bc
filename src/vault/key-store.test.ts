import assert from 'node:assert/strict';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { testKeyStore } from '../../test/support/key-store-suite.ts';
import { createMemoryKeyStore } from '../../test/support/memory-key-store.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { openFileKeyStore } from './index.ts';

testKeyStore('file key store', async () => {
  const directory = await temporaryDirectory();
  const first = await openFileKeyStore(directory);
  const second = await openFileKeyStore(directory);
  return { first, second, rotate: async () => void (await first.rotateMasterKey()) };
});

testKeyStore('key service', async () => {
  const service = createMemoryKeyStore();
  return { first: service, second: service, rotate: async () => service.rotate() };
});

async function keyDirectory(context: TestContext): Promise<string> {
  return join(await temporaryDirectory(context), 'keys');
}

test('N-278 a key file that others can read stops the start', async (context) => {
  const directory = await keyDirectory(context);
  await openFileKeyStore(directory);
  for (const mode of [0o640, 0o604, 0o644]) {
    await chmod(join(directory, 'master-0001.key'), mode);
    await assert.rejects(openFileKeyStore(directory), /can be read by others than its owner: chmod 600/);
  }
});

test('N-278 a file that is no key stops the start, and the error does not quote it', async (context) => {
  const directory = await keyDirectory(context);
  await openFileKeyStore(directory);
  const path = join(directory, 'master-0001.key');
  const content = (await readFile(path, 'utf8')).trim();
  for (const wrong of ['', content.slice(1), `${content}A`, `${content}\n${content}`, content.replace(/.$/, '*')]) {
    await writeFile(path, wrong);
    const refused = (cause: unknown) =>
      cause instanceof Error &&
      /is not a master key/.test(cause.message) &&
      !cause.message.includes(content.slice(1, 12));
    await assert.rejects(openFileKeyStore(directory), refused);
  }
});

test('LAB-30 a key store whose files are gone refuses instead of making new keys', async (context) => {
  const directory = await keyDirectory(context);
  const store = await openFileKeyStore(directory);
  await rm(join(directory, 'master-0001.key'));
  await assert.rejects(store.wrap(new Uint8Array(32)), /no master key any more/);
  await assert.rejects(store.rotateMasterKey(), /no master key any more/);
});

test('N-280 keys are made at first use, for the owner only, and kept', async (context) => {
  const directory = await keyDirectory(context);
  const stores = await Promise.all(Array.from({ length: 8 }, () => openFileKeyStore(directory)));
  assert.deepEqual(await readdir(directory), ['master-0001.key']);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, 'master-0001.key'))).mode & 0o777, 0o600);
  const dataKey = new Uint8Array(32).fill(7);
  const [first] = stores;
  const { keyId, wrapped } = (await first?.wrap(dataKey)) ?? { keyId: '', wrapped: dataKey };
  for (const store of [...stores, await openFileKeyStore(directory)])
    assert.deepEqual(Uint8Array.from(await store.unwrap(keyId, wrapped)), dataKey);
});
