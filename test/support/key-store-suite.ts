import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type KeyStore, WrappedKeyError } from '../../src/vault/index.ts';

/** A key store under test: opened twice on the same keys, as two processes would, and able to rotate. */
export interface KeyStoreUnderTest {
  readonly first: KeyStore;
  readonly second: KeyStore;
  rotate(): Promise<void>;
}

/** What every key store must do, the file's as well as an adapter of a key service (LAB-30). */
export function testKeyStore(name: string, open: () => Promise<KeyStoreUnderTest>): void {
  test(`LAB-30 ${name}: an altered, cut or exchanged wrapped key is not unwrapped`, async () => {
    const { first } = await open();
    const { keyId, wrapped } = await first.wrap(randomBytes(32));
    for (let index = 0; index < wrapped.length; index += 5) {
      const altered = Uint8Array.from(wrapped);
      altered[index] = (altered[index] ?? 0) ^ 1;
      await assert.rejects(first.unwrap(keyId, altered), WrappedKeyError);
    }
    for (const octets of [wrapped.subarray(1), wrapped.subarray(0, 20), new Uint8Array(0), randomBytes(wrapped.length)])
      await assert.rejects(first.unwrap(keyId, octets), WrappedKeyError);
  });

  test(`LAB-30 ${name}: a key wrapped by one master key is not unwrapped by another`, async () => {
    const { first, rotate } = await open();
    const old = await first.wrap(randomBytes(32));
    await rotate();
    await assert.rejects(first.unwrap(await first.currentKeyId(), old.wrapped), WrappedKeyError);
  });

  test(`LAB-30 ${name}: an unknown or malformed key id is refused`, async () => {
    const { first } = await open();
    const { wrapped } = await first.wrap(randomBytes(32));
    for (const keyId of ['', 'master-9999', '../../etc/passwd', 'x'.repeat(300)])
      await assert.rejects(first.unwrap(keyId, wrapped));
  });

  test(`LAB-30 ${name}: what one process wraps another unwraps; wrapping twice gives different octets`, async () => {
    const { first, second } = await open();
    const dataKey = randomBytes(32);
    const [one, two] = [await first.wrap(dataKey), await first.wrap(dataKey)];
    assert.equal(one.keyId, await first.currentKeyId());
    assert.match(one.keyId, /^[\w:/-]{1,200}$/);
    assert.deepEqual(Buffer.from(await second.unwrap(one.keyId, one.wrapped)), dataKey);
    assert.deepEqual(Buffer.from(await second.unwrap(two.keyId, two.wrapped)), dataKey);
    assert.equal(Buffer.from(one.wrapped).includes(dataKey), false);
  });

  test(`LAB-30 ${name}: after a rotation every process wraps with the new key and still unwraps with the old`, async () => {
    const { first, second, rotate } = await open();
    const dataKey = randomBytes(32);
    const old = await second.wrap(dataKey);
    await rotate();
    for (const store of [first, second]) {
      const fresh = await store.wrap(dataKey);
      assert.notEqual(fresh.keyId, old.keyId);
      assert.equal(fresh.keyId, await store.currentKeyId());
      assert.deepEqual(Buffer.from(await store.unwrap(fresh.keyId, fresh.wrapped)), dataKey);
      assert.deepEqual(Buffer.from(await store.unwrap(old.keyId, old.wrapped)), dataKey);
    }
  });
}
