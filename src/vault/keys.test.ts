import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { calculateJwkThumbprint } from 'jose';
import { expected, OVERLAP_SECONDS, publishedKids, Vaults } from '../../test/support/vaults.ts';
import type { Actor } from '../audit/index.ts';
import { epochSeconds, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { text } from '../platform/row.ts';

const staff: Actor = { kind: 'staff', reference: 'operator-1', reason: 'yearly rotation', interaction: undefined };
const unknownKey = { code: 'token_invalid', status: 401, detail: 'unknown_key' };
const vaults = new Vaults();

/** Waits for what a notification does, without a fixed time. */
async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'nothing happened');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('N-78 the published keys are public, named by their RFC 7638 thumbprint, for signatures', async () => {
  const vault = await vaults.start();
  const { publicKeys, privateKeys } = await vault.keyring('gobank');
  assert.deepEqual(
    publicKeys.keys.map(({ alg, use, kty }) => [alg, use, kty]),
    [
      ['ES256', 'sig', 'EC'],
      ['PS256', 'sig', 'RSA'],
    ],
  );
  for (const jwk of publicKeys.keys) {
    assert.equal(jwk.kid, await calculateJwkThumbprint(jwk, 'sha256'));
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.equal(member in jwk, false);
  }
  assert.equal(Buffer.from(publicKeys.keys[1]?.n ?? '', 'base64url').length, 256);
  assert.deepEqual(
    privateKeys.map(({ kid }) => kid),
    publicKeys.keys.map(({ kid }) => kid),
  );
  assert.ok(privateKeys.every(({ d }) => typeof d === 'string'));
});

test('N-280 two processes that start at once end with one set of keys and one secret per bank', async () => {
  const processes = [await vaults.start(), await vaults.start(), await vaults.start()];
  const sets = await Promise.all(processes.flatMap((vault) => [publishedKids(vault), publishedKids(vault)]));
  for (const set of sets) assert.deepEqual(set, sets[0]);
  assert.equal(sets[0]?.length, 2);
  const secrets = await Promise.all(
    processes.flatMap((vault) => [vault.secret('gobank', 'p'), vault.secret('gobank', 'p')]),
  );
  for (const secret of secrets) assert.deepEqual(secret, secrets[0]);
  assert.equal(secrets[0]?.length, 32);
  const created = await vaults.audit.search({ family: 'key', action: 'key.created', bank: 'gobank', limit: 1 });
  assert.equal(created[0]?.facts?.kids, sets[0]?.join(' '));
});

test('a rotation: new keys sign at once, old ones stay published until the overlap ends, then they are gone', async () => {
  const vault = await vaults.start();
  const before = await publishedKids(vault);
  const token = await vault.signJwt(
    'gobank',
    'at+jwt',
    vaults.claims({ exp: epochSeconds(vaults.now) + 2 * OVERLAP_SECONDS }),
  );
  await vault.rotate('gobank', staff);
  const after = await publishedKids(vault);
  assert.equal(after.length, 4);
  assert.deepEqual(after.slice(2), before);
  const next = await vault.signJwt(
    'gobank',
    'at+jwt',
    vaults.claims({ exp: epochSeconds(vaults.now) + 2 * OVERLAP_SECONDS }),
  );
  const [header = ''] = next.split('.');
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).kid, after[0]);
  vaults.now = secondsAfter(vaults.now, OVERLAP_SECONDS - 0.001);
  await vault.verifyJwt('gobank', token, expected);
  vaults.now = secondsAfter(vaults.now, 0.001);
  await assert.rejects(vault.verifyJwt('gobank', token, expected), unknownKey);
  await vault.verifyJwt('gobank', next, expected);
  assert.deepEqual(await publishedKids(vault), after.slice(0, 2));
  assert.deepEqual(await publishedKids(await vaults.start()), after.slice(0, 2));
  const [event] = await vaults.audit.search({ action: 'key.rotated', bank: 'gobank', limit: 1 });
  assert.equal(event?.facts?.actorReference, 'operator-1');
  assert.equal(event?.facts?.kids, after.slice(0, 2).join(' '));
  assert.equal(event?.facts?.retiring, before.join(' '));
});

test('a rotation removes the private keys whose overlap has ended', async () => {
  const vault = await vaults.start();
  await vault.rotate('gobank', staff);
  vaults.now = secondsAfter(vaults.now, OVERLAP_SECONDS);
  await vault.rotate('gobank', staff);
  const rows = await vaults.database.query(
    "SELECT generation FROM vault.signing_keys WHERE bank = 'gobank' ORDER BY 1",
  );
  assert.deepEqual(
    rows.map(({ generation }) => generation),
    [2, 2, 3, 3],
  );
});

test('LAB-22 a rotation elsewhere is announced, and the new keys are accepted without a restart', async () => {
  const [here, there] = [await vaults.start(), await vaults.start()];
  const announced: string[] = [];
  here.onRotation((bank) => announced.push(bank));
  await here.keyring('gobank');
  await here.keyring('albion');
  await there.rotate('gobank', staff);
  await eventually(() => announced.length > 0);
  assert.deepEqual(announced, ['gobank']);
  assert.deepEqual(await publishedKids(here), await publishedKids(there));
  await here.verifyJwt('gobank', await there.signJwt('gobank', 'at+jwt', vaults.claims()), expected);
});

test('LAB-22 a process that missed the notification reads the keys again for an unknown kid', async () => {
  const deaf: Database = { ...vaults.database, listen: async () => async () => undefined };
  const [here, there] = [await vaults.start(deaf), await vaults.start()];
  await here.keyring('gobank');
  await there.rotate('gobank', staff);
  const token = await there.signJwt('gobank', 'at+jwt', vaults.claims());
  await assert.rejects(here.verifyJwt('gobank', token, expected), unknownKey);
  vaults.now = secondsAfter(vaults.now, 5);
  await here.verifyJwt('gobank', token, expected);
});

test('when notifications may have been lost the keys are read again, and without any they live one second', async () => {
  let lost: (() => void) | undefined;
  let alive = true;
  const shaky: Database = {
    ...vaults.database,
    listen: async (_, __, lose) => {
      lost = lose;
      return async () => undefined;
    },
    notificationsAlive: () => alive,
  };
  const [here, there] = [await vaults.start(shaky), await vaults.start()];
  const announced: string[] = [];
  here.onRotation((bank) => announced.push(bank));
  await here.keyring('gobank');
  await there.rotate('gobank', staff);
  lost?.();
  await eventually(() => announced.length > 0);
  assert.deepEqual(await publishedKids(here), await publishedKids(there));
  await there.rotate('gobank', staff);
  alive = false;
  vaults.now = secondsAfter(vaults.now, 1);
  assert.deepEqual(await publishedKids(here), await publishedKids(there));
});

test('two rotations at once: one wins, the other is refused, and the bank has one current set', async () => {
  const processes = [await vaults.start(), await vaults.start()];
  for (const vault of processes) await vault.keyring('gobank');
  const results = await Promise.allSettled(processes.map((vault) => vault.rotate('gobank', staff)));
  const rotated = results.filter(({ status }) => status === 'fulfilled').length;
  for (const result of results)
    if (result.status === 'rejected') assert.equal(result.reason.code, 'key_rotation_conflict');
  assert.ok(rotated >= 1);
  const rows = await vaults.database.query(
    "SELECT algorithm FROM vault.signing_keys WHERE bank = 'gobank' AND retires_at IS NULL ORDER BY 1",
  );
  assert.deepEqual(
    rows.map((row) => text(row, 'algorithm')),
    ['ES256', 'PS256'],
  );
});

test('LAB-30 a key service that refuses stops what needs keys, not what is loaded, and recovery needs no restart', async () => {
  const vault = await vaults.start();
  await vault.keyring('gobank');
  vaults.keyStore.state = 'refuses';
  const late = await vaults.start();
  await assert.rejects(late.keyring('gobank'), { code: 'kms_unavailable', status: 503 });
  await assert.rejects(late.signJwt('gobank', 'at+jwt', vaults.claims()), { code: 'kms_unavailable' });
  await assert.rejects(late.secret('gobank', 'p'), { code: 'kms_unavailable' });
  await vault.signJwt('gobank', 'at+jwt', vaults.claims());
  vaults.now = secondsAfter(vaults.now, 1_000);
  await vault.signJwt('gobank', 'at+jwt', vaults.claims());
  vaults.keyStore.state = 'answers';
  assert.deepEqual(await publishedKids(late), await publishedKids(vault));
  assert.equal((await late.secret('gobank', 'p')).length, 32);
});

test('LAB-30 sealed keys of one bank, algorithm or generation do not open as another', async () => {
  const vault = await vaults.start();
  await vault.keyring('gobank');
  await vault.keyring('albion');
  const swap = `UPDATE vault.signing_keys g SET sealed_key = a.sealed_key, kid = a.kid FROM vault.signing_keys a
    WHERE g.bank = 'gobank' AND a.bank = 'albion' AND a.algorithm = g.algorithm`;
  await vaults.database.query(swap);
  await assert.rejects((await vaults.start()).keyring('gobank'), /cannot be opened/);
  await vault.secret('gobank', 'one');
  await vault.secret('gobank', 'two');
  await vaults.database.query(`UPDATE vault.secrets SET sealed_secret =
    (SELECT sealed_secret FROM vault.secrets WHERE purpose = 'two') WHERE purpose = 'one'`);
  await assert.rejects((await vaults.start()).secret('gobank', 'one'), /cannot be opened/);
});

test('N-80 a keyed hash is HMAC-SHA256 under the bank’s secret for its purpose, the same in every process', async () => {
  const [here, there] = [await vaults.start(), await vaults.start()];
  const hash = await here.hasher('gobank', 'pairwise');
  const secret = await here.secret('gobank', 'pairwise');
  assert.equal(hash('user'), createHmac('sha256', secret).update('user').digest('base64url'));
  assert.equal((await there.hasher('gobank', 'pairwise'))('user'), hash('user'));
  assert.notEqual((await here.hasher('albion', 'pairwise'))('user'), hash('user'));
  assert.notEqual((await here.hasher('gobank', 'tokens'))('user'), hash('user'));
  secret.fill(0);
  assert.equal((await here.hasher('gobank', 'pairwise'))('user'), hash('user'));
});

test('N-278 neither the database nor the trail nor an error has key material in the clear', async () => {
  const vault = await vaults.start();
  const { privateKeys } = await vault.keyring('gobank');
  const secret = Buffer.from(await vault.secret('gobank', 'p'));
  await vault.rotate('gobank', staff);
  const errors: unknown[] = [];
  const keep = (cause: unknown): boolean => errors.push(cause) > 0;
  await vaults.database.query("UPDATE vault.signing_keys SET sealed_key = sealed_key || 'AAAA'");
  await assert.rejects((await vaults.start()).keyring('gobank'), keep);
  vaults.keyStore.state = 'refuses';
  await assert.rejects((await vaults.start()).secret('gobank', 'p'), keep);
  await assert.rejects(
    vault.verifyJwt('gobank', `${await vault.signJwt('gobank', 'x', vaults.claims())}`, expected),
    keep,
  );
  const rows = await vaults.database.query(
    'SELECT k::text AS row FROM vault.signing_keys k UNION ALL SELECT s::text FROM vault.secrets s UNION ALL SELECT e::text FROM audit.events e',
  );
  const shown = [
    ...rows.map((row) => text(row, 'row')),
    ...errors.map((error) => inspect(error, { depth: 10 }) + JSON.stringify(error)),
  ];
  assert.equal(errors.length, 3);
  const hidden = [secret.toString('hex'), secret.toString('base64url'), ...privateKeys.map(({ d }) => String(d))];
  for (const value of shown) for (const key of hidden) assert.equal(value.includes(key), false);
});
