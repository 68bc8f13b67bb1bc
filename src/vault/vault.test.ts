import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import { calculateJwkThumbprint, createLocalJWKSet, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createMemoryKeyStore, type MemoryKeyStore } from '../../test/support/memory-key-store.ts';
import { type Actor, type Audit, createAudit } from '../audit/index.ts';
import { type Clock, epochSeconds, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { text } from '../platform/row.ts';
import { createVault, type Vault } from './index.ts';

const OVERLAP_SECONDS = 3_600;
const staff: Actor = { kind: 'staff', reference: 'operator-1', reason: 'yearly rotation', interaction: undefined };
const expected = { type: 'at+jwt', issuer: 'https://bank.example/gobank', audience: 'https://api.bank.example' };

let database: TestDatabase;
let audit: Audit;
let keyStore: MemoryKeyStore;
let now: Date;
const clock: Clock = { now: () => now };
const open: Vault[] = [];

before(async () => {
  database = await openTestDatabase();
  audit = await createAudit({ database, clock: { now: () => new Date() } });
});
after(async () => {
  await audit.close();
  await database.close();
});
beforeEach(async () => {
  now = new Date('2026-03-01T10:00:00.000Z');
  keyStore = createMemoryKeyStore();
  await database.query('TRUNCATE vault.signing_keys, vault.secrets');
});
afterEach(async () => {
  for (const vault of open.splice(0)) await vault.close();
});

/** A process of its own on the same database and key service. */
async function start(on: Database = database): Promise<Vault> {
  const vault = await createVault({ database: on, audit, clock, keyStore, overlapSeconds: OVERLAP_SECONDS });
  open.push(vault);
  return vault;
}

function claims(change: Readonly<Record<string, unknown>> = {}): JWTPayload {
  const exp = epochSeconds(now) + 300;
  return { iss: expected.issuer, aud: expected.audience, sub: 'client', exp, ...change };
}

async function kids(vault: Vault): Promise<readonly unknown[]> {
  return (await vault.keyring('gobank')).publicKeys.keys.map(({ kid }) => kid);
}

/** Waits for what a notification does, without a fixed time. */
async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await condition())) {
    assert.ok(performance.now() < deadline, 'nothing happened');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function refuses(code: string, detail?: string) {
  return (cause: unknown): boolean =>
    cause instanceof Refusal && cause.code === code && cause.status === 401 && cause.detail === detail;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signedBy(key: KeyObject, header: object, payload: unknown): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

test('LAB-22 a token with an altered header, payload or signature is invalid', async () => {
  const vault = await start();
  const token = await vault.signJwt('gobank', 'at+jwt', claims());
  const [header = '', payload = '', signature = ''] = token.split('.');
  const other = encode({ ...claims(), sub: 'somebody else' });
  await assert.rejects(
    vault.verifyJwt('gobank', `${header}.${other}.${signature}`, expected),
    refuses('token_invalid', 'signature'),
  );
  for (const altered of [signature.slice(4), 'A'.repeat(86), `${signature.slice(0, -4)}AAAA`, 'AAAA'])
    await assert.rejects(vault.verifyJwt('gobank', `${header}.${payload}.${altered}`, expected), {
      code: 'token_invalid',
    });
});

test('LAB-22 what is no compact JWT is invalid', async () => {
  const vault = await start();
  const token = await vault.signJwt('gobank', 'at+jwt', claims());
  const last = token.slice(-1);
  // The last character of 64 octets carries two bits: four texts for the same octets, of which one is the token.
  const twin = token.slice(0, -1) + ({ A: 'B', Q: 'R', g: 'h', w: 'x' }[last] ?? '?');
  const wrong = ['', '.', '..', 'a.b', `${token}.`, `${token}.a`, ` ${token}`, `${token}\n`, `${token}=`, twin];
  wrong.push(token.replaceAll('.', '..'), `${'A'.repeat(20_000)}.A.A`, `${encode([])}.${encode({})}.AAAA`);
  wrong.push(`bm90IGpzb24.${encode({})}.AAAA`, `${encode(null)}.${encode({})}.AAAA`);
  for (const text of wrong)
    await assert.rejects(vault.verifyJwt('gobank', text, expected), refuses('token_invalid', 'malformed'));
});

test('LAB-22 alg none, HMAC under a public key and the wrong algorithm for a key are invalid', async () => {
  const vault = await start();
  const { publicKeys, privateKeys } = await vault.keyring('gobank');
  const [ec, rsa] = publicKeys.keys;
  const payload = encode(claims());
  const none = `${encode({ alg: 'none', kid: ec?.kid, typ: 'at+jwt' })}.${payload}.AAAA`;
  await assert.rejects(vault.verifyJwt('gobank', none, expected), refuses('token_invalid', 'algorithm'));
  await assert.rejects(
    vault.verifyJwt('gobank', `${none.slice(0, -4)}`, expected),
    refuses('token_invalid', 'malformed'),
  );
  for (const jwk of [ec, rsa]) {
    const pem = createPublicKey({ key: { ...jwk }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const input = `${encode({ alg: 'HS256', kid: jwk?.kid, typ: 'at+jwt' })}.${payload}`;
    const token = `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
    await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_invalid', 'algorithm'));
  }
  const [, rsaPrivate] = privateKeys;
  for (const alg of ['RS256', 'PS384', 'RS512']) {
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg, kid: String(rsa?.kid), typ: 'at+jwt' })
      .sign(await importJWK({ ...rsaPrivate, kty: 'RSA' }, alg));
    await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_invalid', 'algorithm'));
  }
  const crossed = `${encode({ alg: 'ES256', kid: rsa?.kid, typ: 'at+jwt' })}.${payload}.AAAA`;
  await assert.rejects(vault.verifyJwt('gobank', crossed, expected), refuses('token_invalid', 'algorithm'));
});

test('LAB-22 an unknown kid, another bank’s key and a key in the header are invalid', async () => {
  const vault = await start();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const stranger = signedBy(privateKey, { alg: 'ES256', kid: 'unknown', typ: 'at+jwt' }, claims());
  await assert.rejects(vault.verifyJwt('gobank', stranger, expected), refuses('token_invalid', 'unknown_key'));
  const foreign = await vault.signJwt('albion', 'at+jwt', claims());
  await assert.rejects(vault.verifyJwt('gobank', foreign, expected), refuses('token_invalid', 'unknown_key'));
  const [kid] = await kids(vault);
  const base = { alg: 'ES256', kid, typ: 'at+jwt' };
  const pretender = signedBy(privateKey, base, claims());
  await assert.rejects(vault.verifyJwt('gobank', pretender, expected), refuses('token_invalid', 'signature'));
  const jwk = publicKey.export({ format: 'jwk' });
  const extras = [
    { jwk },
    { jku: 'https://evil.example' },
    { x5u: 'https://evil.example' },
    { crit: ['exp'] },
    { b64: false },
  ];
  for (const extra of [...extras, { kid: 7 }, { kid: undefined }, { typ: undefined }, { alg: ['ES256'] }]) {
    const token = signedBy(privateKey, { ...base, ...extra }, claims());
    await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_invalid', 'header'));
  }
});

test('LAB-22 wrong typ, issuer and audience are told apart', async () => {
  const vault = await start();
  const verify = async (change: Readonly<Record<string, unknown>>, type = 'at+jwt'): Promise<JWTPayload> =>
    vault.verifyJwt('gobank', await vault.signJwt('gobank', type, claims(change)), expected);
  for (const type of ['JWT', 'AT+JWT', 'application/at+jwt', 'logout+jwt'])
    await assert.rejects(verify({}, type), refuses('token_invalid', 'type'));
  for (const iss of ['https://bank.example/albion', `${expected.issuer}/`, undefined])
    await assert.rejects(verify({ iss }), refuses('token_invalid', 'issuer'));
  for (const aud of ['https://other.example', `${expected.audience}/`, [], ['a', 'b'], undefined])
    await assert.rejects(verify({ aud }), refuses('wrong_audience'));
  assert.deepEqual((await verify({ aud: ['a', expected.audience] })).aud, ['a', expected.audience]);
});

test('LAB-22 exp is required and ends the token to the second; nbf may be ten seconds ahead', async () => {
  const vault = await start();
  const at = epochSeconds(now);
  const verify = async (change: Readonly<Record<string, unknown>>): Promise<JWTPayload> =>
    vault.verifyJwt('gobank', await vault.signJwt('gobank', 'at+jwt', claims(change)), expected);
  await assert.rejects(verify({ exp: undefined }), refuses('token_invalid', 'expiry_missing'));
  for (const exp of [at, at - 1, 0, -1]) await assert.rejects(verify({ exp }), refuses('token_expired'));
  await assert.rejects(verify({ nbf: at + 11 }), refuses('token_invalid', 'not_yet_valid'));
  assert.equal((await verify({ nbf: at + 10, exp: at + 11 })).exp, at + 11);
  const token = await vault.signJwt('gobank', 'at+jwt', claims({ exp: at + 2 }));
  now = secondsAfter(now, 1.999);
  await vault.verifyJwt('gobank', token, expected);
  now = secondsAfter(now, 0.001);
  await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_expired'));
});

test('LAB-22 claims of the wrong type are invalid, though we signed them', async () => {
  const vault = await start();
  const jwk = (await vault.keyring('gobank')).privateKeys[0];
  const key = await importJWK({ ...jwk, kty: 'EC' }, 'ES256');
  assert.ok(!(key instanceof Uint8Array));
  const forge = (payload: string): Promise<string> => {
    const input = `${encode({ alg: 'ES256', kid: jwk?.kid, typ: 'at+jwt' })}.${Buffer.from(payload).toString('base64url')}`;
    return crypto.subtle
      .sign({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(input))
      .then((signature) => `${input}.${Buffer.from(signature).toString('base64url')}`);
  };
  const base = JSON.stringify(claims()).slice(0, -1);
  const members = [
    '"exp":"9999999999"',
    '"exp":1e999',
    '"exp":null',
    '"nbf":"1"',
    '"iss":["x"]',
    '"aud":7',
    '"aud":[1]',
    '"sub":{}',
  ];
  for (const member of members)
    await assert.rejects(
      vault.verifyJwt('gobank', await forge(`${base},${member}}`), expected),
      refuses('token_invalid', 'claims'),
    );
  for (const payload of ['[]', 'null', '"text"', '{', ''])
    await assert.rejects(
      vault.verifyJwt('gobank', await forge(payload), expected),
      refuses('token_invalid', 'malformed'),
    );
  assert.equal((await vault.verifyJwt('gobank', await forge(`${base}}`), expected)).sub, 'client');
});

test('LAB-22 unknown kids cost one reading of the keys in five seconds', async () => {
  let readings = 0;
  const counting: Database = {
    ...database,
    query: (sql, values) => {
      if (sql.includes('vault.signing_keys')) readings += 1;
      return database.query(sql, values);
    },
  };
  const vault = await start(counting);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const stranger = signedBy(privateKey, { alg: 'ES256', kid: 'unknown', typ: 'at+jwt' }, claims());
  await vault.keyring('gobank');
  readings = 0;
  const attempt = () => assert.rejects(vault.verifyJwt('gobank', stranger, expected), { code: 'token_invalid' });
  for (let index = 0; index < 20; index += 1) await attempt();
  assert.equal(readings, 0);
  now = secondsAfter(now, 5);
  await Promise.all(Array.from({ length: 20 }, attempt));
  assert.equal(readings, 1);
});

test('LAB-22 our ES256 token, and a PS256 one under our key, verify here and in another library', async () => {
  const vault = await start();
  const { publicKeys, privateKeys } = await vault.keyring('gobank');
  const token = await vault.signJwt('gobank', 'at+jwt', claims({ scope: 'accounts' }));
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(publicKeys), {
    issuer: expected.issuer,
    audience: expected.audience,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: now,
  });
  assert.deepEqual(await vault.verifyJwt('gobank', token, expected), payload);
  assert.equal(payload.scope, 'accounts');
  assert.deepEqual(protectedHeader, { alg: 'ES256', typ: 'at+jwt', kid: publicKeys.keys[0]?.kid });
  const engine = await new SignJWT(claims())
    .setProtectedHeader({ alg: 'PS256', typ: 'at+jwt', kid: String(publicKeys.keys[1]?.kid) })
    .sign(await importJWK({ ...privateKeys[1], kty: 'RSA' }, 'PS256'));
  assert.equal((await vault.verifyJwt('gobank', engine, expected)).sub, 'client');
  const anyAudience = { ...expected, audience: undefined };
  assert.equal((await vault.verifyJwt('gobank', engine, anyAudience)).sub, 'client');
});

test('N-78 the published keys are public, named by their RFC 7638 thumbprint, for signatures', async () => {
  const vault = await start();
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
  const vaults = [await start(), await start(), await start()];
  const sets = await Promise.all(vaults.flatMap((vault) => [kids(vault), kids(vault)]));
  for (const set of sets) assert.deepEqual(set, sets[0]);
  assert.equal(sets[0]?.length, 2);
  const secrets = await Promise.all(
    vaults.flatMap((vault) => [vault.secret('gobank', 'p'), vault.secret('gobank', 'p')]),
  );
  for (const secret of secrets) assert.deepEqual(secret, secrets[0]);
  assert.equal(secrets[0]?.length, 32);
  const created = await audit.search({ family: 'key', action: 'key.created', bank: 'gobank', limit: 1 });
  assert.equal(created[0]?.facts?.kids, sets[0]?.join(' '));
});

test('a rotation: new keys sign at once, old ones stay published until the overlap ends, then they are gone', async () => {
  const vault = await start();
  const before = await kids(vault);
  const token = await vault.signJwt('gobank', 'at+jwt', claims({ exp: epochSeconds(now) + 2 * OVERLAP_SECONDS }));
  await vault.rotate('gobank', staff);
  const after = await kids(vault);
  assert.equal(after.length, 4);
  assert.deepEqual(after.slice(2), before);
  const next = await vault.signJwt('gobank', 'at+jwt', claims({ exp: epochSeconds(now) + 2 * OVERLAP_SECONDS }));
  const [header = ''] = next.split('.');
  assert.equal(JSON.parse(Buffer.from(header, 'base64url').toString()).kid, after[0]);
  now = secondsAfter(now, OVERLAP_SECONDS - 0.001);
  await vault.verifyJwt('gobank', token, expected);
  now = secondsAfter(now, 0.001);
  await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_invalid', 'unknown_key'));
  await vault.verifyJwt('gobank', next, expected);
  assert.deepEqual(await kids(vault), after.slice(0, 2));
  assert.deepEqual(await kids(await start()), after.slice(0, 2));
  const [event] = await audit.search({ action: 'key.rotated', bank: 'gobank', limit: 1 });
  assert.equal(event?.facts?.actorReference, 'operator-1');
  assert.equal(event?.facts?.kids, after.slice(0, 2).join(' '));
  assert.equal(event?.facts?.retiring, before.join(' '));
});

test('a rotation removes the private keys whose overlap has ended', async () => {
  const vault = await start();
  await vault.rotate('gobank', staff);
  now = secondsAfter(now, OVERLAP_SECONDS);
  await vault.rotate('gobank', staff);
  const rows = await database.query("SELECT generation FROM vault.signing_keys WHERE bank = 'gobank' ORDER BY 1");
  assert.deepEqual(
    rows.map(({ generation }) => generation),
    [2, 2, 3, 3],
  );
});

test('LAB-22 a rotation elsewhere is announced, and the new keys are accepted without a restart', async () => {
  const [here, there] = [await start(), await start()];
  const announced: string[] = [];
  here.onRotation((bank) => announced.push(bank));
  await here.keyring('gobank');
  await here.keyring('albion');
  await there.rotate('gobank', staff);
  await eventually(() => announced.length > 0);
  assert.deepEqual(announced, ['gobank']);
  assert.deepEqual(await kids(here), await kids(there));
  await here.verifyJwt('gobank', await there.signJwt('gobank', 'at+jwt', claims()), expected);
});

test('LAB-22 a process that missed the notification reads the keys again for an unknown kid', async () => {
  const deaf: Database = { ...database, listen: async () => async () => undefined };
  const [here, there] = [await start(deaf), await start()];
  await here.keyring('gobank');
  await there.rotate('gobank', staff);
  const token = await there.signJwt('gobank', 'at+jwt', claims());
  await assert.rejects(here.verifyJwt('gobank', token, expected), refuses('token_invalid', 'unknown_key'));
  now = secondsAfter(now, 5);
  await here.verifyJwt('gobank', token, expected);
});

test('when notifications may have been lost the keys are read again, and without any they live one second', async () => {
  let lost: (() => void) | undefined;
  let alive = true;
  const shaky: Database = {
    ...database,
    listen: async (_, __, lose) => {
      lost = lose;
      return async () => undefined;
    },
    notificationsAlive: () => alive,
  };
  const [here, there] = [await start(shaky), await start()];
  const announced: string[] = [];
  here.onRotation((bank) => announced.push(bank));
  await here.keyring('gobank');
  await there.rotate('gobank', staff);
  lost?.();
  await eventually(() => announced.length > 0);
  assert.deepEqual(await kids(here), await kids(there));
  await there.rotate('gobank', staff);
  alive = false;
  now = secondsAfter(now, 1);
  assert.deepEqual(await kids(here), await kids(there));
});

test('two rotations at once: one wins, the other is refused, and the bank has one current set', async () => {
  const vaults = [await start(), await start()];
  for (const vault of vaults) await vault.keyring('gobank');
  const results = await Promise.allSettled(vaults.map((vault) => vault.rotate('gobank', staff)));
  const rotated = results.filter(({ status }) => status === 'fulfilled').length;
  for (const result of results)
    if (result.status === 'rejected') assert.equal(result.reason.code, 'key_rotation_conflict');
  assert.ok(rotated >= 1);
  const rows = await database.query(
    "SELECT algorithm FROM vault.signing_keys WHERE bank = 'gobank' AND retires_at IS NULL ORDER BY 1",
  );
  assert.deepEqual(
    rows.map((row) => text(row, 'algorithm')),
    ['ES256', 'PS256'],
  );
});

test('LAB-30 a key service that refuses stops what needs keys, not what is loaded, and recovery needs no restart', async () => {
  const vault = await start();
  await vault.keyring('gobank');
  keyStore.state = 'refuses';
  const late = await start();
  await assert.rejects(late.keyring('gobank'), { code: 'kms_unavailable', status: 503 });
  await assert.rejects(late.signJwt('gobank', 'at+jwt', claims()), { code: 'kms_unavailable' });
  await assert.rejects(late.secret('gobank', 'p'), { code: 'kms_unavailable' });
  await vault.signJwt('gobank', 'at+jwt', claims());
  now = secondsAfter(now, 1_000);
  await vault.signJwt('gobank', 'at+jwt', claims());
  keyStore.state = 'answers';
  assert.deepEqual(await kids(late), await kids(vault));
  assert.equal((await late.secret('gobank', 'p')).length, 32);
});

test('LAB-30 sealed keys of one bank, algorithm or generation do not open as another', async () => {
  const vault = await start();
  await vault.keyring('gobank');
  await vault.keyring('albion');
  const swap = `UPDATE vault.signing_keys g SET sealed_key = a.sealed_key, kid = a.kid FROM vault.signing_keys a
    WHERE g.bank = 'gobank' AND a.bank = 'albion' AND a.algorithm = g.algorithm`;
  await database.query(swap);
  await assert.rejects((await start()).keyring('gobank'), /cannot be opened/);
  await vault.secret('gobank', 'one');
  await vault.secret('gobank', 'two');
  await database.query(`UPDATE vault.secrets SET sealed_secret =
    (SELECT sealed_secret FROM vault.secrets WHERE purpose = 'two') WHERE purpose = 'one'`);
  await assert.rejects((await start()).secret('gobank', 'one'), /cannot be opened/);
});

test('N-80 a keyed hash is HMAC-SHA256 under the bank’s secret for its purpose, the same in every process', async () => {
  const [here, there] = [await start(), await start()];
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
  const vault = await start();
  const { privateKeys } = await vault.keyring('gobank');
  const secret = Buffer.from(await vault.secret('gobank', 'p'));
  await vault.rotate('gobank', staff);
  const errors: unknown[] = [];
  const keep = (cause: unknown): boolean => errors.push(cause) > 0;
  await database.query("UPDATE vault.signing_keys SET sealed_key = sealed_key || 'AAAA'");
  await assert.rejects((await start()).keyring('gobank'), keep);
  keyStore.state = 'refuses';
  await assert.rejects((await start()).secret('gobank', 'p'), keep);
  await assert.rejects(vault.verifyJwt('gobank', `${await vault.signJwt('gobank', 'x', claims())}`, expected), keep);
  const rows = await database.query(
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
