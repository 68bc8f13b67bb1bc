import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { test } from 'node:test';
import { createLocalJWKSet, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { expected, publishedKids, Vaults } from '../../test/support/vaults.ts';
import { epochSeconds, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';

const vaults = new Vaults();

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
  const vault = await vaults.start();
  const token = await vault.signJwt('gobank', 'at+jwt', vaults.claims());
  const [header = '', payload = '', signature = ''] = token.split('.');
  const other = encode({ ...vaults.claims(), sub: 'somebody else' });
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
  const vault = await vaults.start();
  const token = await vault.signJwt('gobank', 'at+jwt', vaults.claims());
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
  const vault = await vaults.start();
  const { publicKeys, privateKeys } = await vault.keyring('gobank');
  const [ec, rsa] = publicKeys.keys;
  const payload = encode(vaults.claims());
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
    const token = await new SignJWT(vaults.claims())
      .setProtectedHeader({ alg, kid: String(rsa?.kid), typ: 'at+jwt' })
      .sign(await importJWK({ ...rsaPrivate, kty: 'RSA' }, alg));
    await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_invalid', 'algorithm'));
  }
  const crossed = `${encode({ alg: 'ES256', kid: rsa?.kid, typ: 'at+jwt' })}.${payload}.AAAA`;
  await assert.rejects(vault.verifyJwt('gobank', crossed, expected), refuses('token_invalid', 'algorithm'));
});

test('LAB-22 an unknown kid, another bank’s key and a key in the header are invalid', async () => {
  const vault = await vaults.start();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const stranger = signedBy(privateKey, { alg: 'ES256', kid: 'unknown', typ: 'at+jwt' }, vaults.claims());
  await assert.rejects(vault.verifyJwt('gobank', stranger, expected), refuses('token_invalid', 'unknown_key'));
  const foreign = await vault.signJwt('albion', 'at+jwt', vaults.claims());
  await assert.rejects(vault.verifyJwt('gobank', foreign, expected), refuses('token_invalid', 'unknown_key'));
  const [kid] = await publishedKids(vault);
  const base = { alg: 'ES256', kid, typ: 'at+jwt' };
  const pretender = signedBy(privateKey, base, vaults.claims());
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
    const token = signedBy(privateKey, { ...base, ...extra }, vaults.claims());
    await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_invalid', 'header'));
  }
});

test('LAB-22 wrong typ, issuer and audience are told apart', async () => {
  const vault = await vaults.start();
  const verify = async (change: Readonly<Record<string, unknown>>, type = 'at+jwt'): Promise<JWTPayload> =>
    vault.verifyJwt('gobank', await vault.signJwt('gobank', type, vaults.claims(change)), expected);
  for (const type of ['JWT', 'AT+JWT', 'application/at+jwt', 'logout+jwt'])
    await assert.rejects(verify({}, type), refuses('token_invalid', 'type'));
  for (const iss of ['https://bank.example/albion', `${expected.issuer}/`, undefined])
    await assert.rejects(verify({ iss }), refuses('token_invalid', 'issuer'));
  for (const aud of ['https://other.example', `${expected.audience}/`, [], ['a', 'b'], undefined])
    await assert.rejects(verify({ aud }), refuses('wrong_audience'));
  assert.deepEqual((await verify({ aud: ['a', expected.audience] })).aud, ['a', expected.audience]);
});

test('LAB-22 exp is required and ends the token to the second; nbf may be ten seconds ahead', async () => {
  const vault = await vaults.start();
  const at = epochSeconds(vaults.now);
  const verify = async (change: Readonly<Record<string, unknown>>): Promise<JWTPayload> =>
    vault.verifyJwt('gobank', await vault.signJwt('gobank', 'at+jwt', vaults.claims(change)), expected);
  await assert.rejects(verify({ exp: undefined }), refuses('token_invalid', 'expiry_missing'));
  for (const exp of [at, at - 1, 0, -1]) await assert.rejects(verify({ exp }), refuses('token_expired'));
  await assert.rejects(verify({ nbf: at + 11 }), refuses('token_invalid', 'not_yet_valid'));
  assert.equal((await verify({ nbf: at + 10, exp: at + 11 })).exp, at + 11);
  const token = await vault.signJwt('gobank', 'at+jwt', vaults.claims({ exp: at + 2 }));
  vaults.now = secondsAfter(vaults.now, 1.999);
  await vault.verifyJwt('gobank', token, expected);
  vaults.now = secondsAfter(vaults.now, 0.001);
  await assert.rejects(vault.verifyJwt('gobank', token, expected), refuses('token_expired'));
});

test('LAB-22 claims of the wrong type are invalid, though we signed them', async () => {
  const vault = await vaults.start();
  const jwk = (await vault.keyring('gobank')).privateKeys[0];
  const key = await importJWK({ ...jwk, kty: 'EC' }, 'ES256');
  assert.ok(!(key instanceof Uint8Array));
  const forge = (payload: string): Promise<string> => {
    const input = `${encode({ alg: 'ES256', kid: jwk?.kid, typ: 'at+jwt' })}.${Buffer.from(payload).toString('base64url')}`;
    return crypto.subtle
      .sign({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(input))
      .then((signature) => `${input}.${Buffer.from(signature).toString('base64url')}`);
  };
  const base = JSON.stringify(vaults.claims()).slice(0, -1);
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
    ...vaults.database,
    query: (sql, values) => {
      if (sql.includes('vault.signing_keys')) readings += 1;
      return vaults.database.query(sql, values);
    },
  };
  const vault = await vaults.start(counting);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const stranger = signedBy(privateKey, { alg: 'ES256', kid: 'unknown', typ: 'at+jwt' }, vaults.claims());
  await vault.keyring('gobank');
  readings = 0;
  const attempt = () => assert.rejects(vault.verifyJwt('gobank', stranger, expected), { code: 'token_invalid' });
  for (let index = 0; index < 20; index += 1) await attempt();
  assert.equal(readings, 0);
  vaults.now = secondsAfter(vaults.now, 5);
  await Promise.all(Array.from({ length: 20 }, attempt));
  assert.equal(readings, 1);
});

test('LAB-22 our ES256 token, and a PS256 one under our key, verify here and in another library', async () => {
  const vault = await vaults.start();
  const { publicKeys, privateKeys } = await vault.keyring('gobank');
  const token = await vault.signJwt('gobank', 'at+jwt', vaults.claims({ scope: 'accounts' }));
  const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(publicKeys), {
    issuer: expected.issuer,
    audience: expected.audience,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    currentDate: vaults.now,
  });
  assert.deepEqual(await vault.verifyJwt('gobank', token, expected), payload);
  assert.equal(payload.scope, 'accounts');
  assert.deepEqual(protectedHeader, { alg: 'ES256', typ: 'at+jwt', kid: publicKeys.keys[0]?.kid });
  const engine = await new SignJWT(vaults.claims())
    .setProtectedHeader({ alg: 'PS256', typ: 'at+jwt', kid: String(publicKeys.keys[1]?.kid) })
    .sign(await importJWK({ ...privateKeys[1], kty: 'RSA' }, 'PS256'));
  assert.equal((await vault.verifyJwt('gobank', engine, expected)).sub, 'client');
  const anyAudience = { ...expected, audience: undefined };
  assert.equal((await vault.verifyJwt('gobank', engine, anyAudience)).sub, 'client');
});
