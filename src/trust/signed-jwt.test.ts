import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { CompactSign, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { NOW } from '../../test/support/judging.ts';
import { Refusal } from '../platform/refusal.ts';
import { type SignedJwtExpectation, verifySignedJwt } from './signed-jwt.ts';

const pair = await generateKeyPair('PS256', { extractable: true });
const other = await generateKeyPair('PS256');
const jwk: JWK = { ...(await exportJWK(pair.publicKey)), kid: 'one', alg: 'PS256', use: 'sig' };
const clock = { now: () => NOW };
const seconds = Math.floor(NOW.getTime() / 1000);
const claims = { iss: 'directory', aud: 'bank', iat: seconds, jti: '1' };
const base: SignedJwtExpectation = { keys: { keys: [jwk] }, algorithms: ['PS256'], clock };

const signed = (payload: object = claims, header: object = {}, key = pair.privateKey) =>
  new SignJWT({ ...payload }).setProtectedHeader({ alg: 'PS256', kid: 'one', ...header }).sign(key);

async function refusalOf(token: string, expected: Partial<SignedJwtExpectation> = {}): Promise<string> {
  try {
    await verifySignedJwt(token, { ...base, ...expected });
    return 'accepted';
  } catch (error) {
    if (error instanceof Refusal) return `${error.code} ${error.status} ${error.detail}`;
    throw error;
  }
}

test('N-123 a statement signed by the configured key is read', async () => {
  const expected = { ...base, issuer: 'directory', audience: ['bank'], maximumAgeSeconds: 60, requiredClaims: ['jti'] };
  assert.deepEqual(await verifySignedJwt(await signed(), expected), claims);
});

test('N-123 unsigned, HMAC-signed with the public key, and other algorithms are refused', async () => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const unsigned = `${part({ alg: 'none' })}.${part(claims)}.`;
  assert.equal(await refusalOf(unsigned), 'invalid_request 400 malformed');
  const withSignature = `${part({ alg: 'none' })}.${part(claims)}.AAAA`;
  assert.equal(await refusalOf(withSignature), 'invalid_request 400 algorithm');
  const input = `${part({ alg: 'HS256', kid: 'one' })}.${part(claims)}`;
  const hmac = createHmac('sha256', JSON.stringify(jwk)).update(input).digest('base64url');
  assert.equal(await refusalOf(`${input}.${hmac}`), 'invalid_request 400 algorithm');
  const rs = await new SignJWT(claims).setProtectedHeader({ alg: 'PS256', kid: 'one' }).sign(pair.privateKey);
  assert.equal(await refusalOf(rs, { algorithms: ['ES256'] }), 'invalid_request 400 algorithm');
});

test('a caller that would accept HMAC or none is a defect, not a refusal', async () => {
  const token = await signed();
  for (const algorithms of [['HS256'], ['none'], ['PS256', 'HS512']]) {
    await assert.rejects(verifySignedJwt(token, { ...base, algorithms }), /must not be accepted/);
  }
});

test('N-123 another key, an unknown key id, an altered text are refused', async () => {
  assert.equal(await refusalOf(await signed(claims, {}, other.privateKey)), 'invalid_request 400 signature_invalid');
  assert.equal(await refusalOf(await signed(claims, { kid: 'two' })), 'invalid_request 400 key_unknown');
  const [header, , signature] = (await signed()).split('.');
  const altered = Buffer.from(JSON.stringify({ ...claims, iss: 'me' })).toString('base64url');
  assert.equal(await refusalOf(`${header}.${altered}.${signature}`), 'invalid_request 400 signature_invalid');
  assert.equal(await refusalOf(await signed(), { keys: { keys: [] } }), 'invalid_request 400 key_unknown');
  const encryption = {
    keys: [
      { ...jwk, use: 'enc' },
      { kty: 'oct', k: 'AAAA', kid: 'one' },
    ],
  };
  assert.equal(await refusalOf(await signed(), { keys: encryption }), 'invalid_request 400 key_unknown');
});

test('keys and extensions named by the token itself are refused', async () => {
  const mine = await exportJWK(other.publicKey);
  for (const [member, value] of [
    ['jwk', mine],
    ['jku', 'https://evil.example/jwks'],
    ['x5u', 'https://evil.example/x'],
    ['x5c', ['AAAA']],
    ['zip', 'DEF'],
  ] as const) {
    const token = await signed(claims, { [member]: value }, other.privateKey);
    assert.equal(await refusalOf(token), `invalid_request 400 header_${member}`);
  }
  const crit = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'PS256', kid: 'one', crit: ['b64'], b64: true })
    .sign(pair.privateKey);
  assert.equal(await refusalOf(crit), 'invalid_request 400 header_crit');
});

test('N-123 stale, expired and future statements are refused', async () => {
  const at = (iat: number, exp?: number) => signed({ ...claims, iat, ...(exp === undefined ? {} : { exp }) });
  const aged = { maximumAgeSeconds: 60 };
  assert.equal(await refusalOf(await at(seconds - 71), aged), 'invalid_request 400 stale');
  assert.equal(await refusalOf(await at(seconds - 69), aged), 'accepted');
  assert.equal(await refusalOf(await at(seconds + 3600), aged), 'invalid_request 400 claim_invalid:iat');
  assert.equal(await refusalOf(await signed({ iss: 'directory' }), aged), 'invalid_request 400 claim_missing:iat');
  assert.equal(await refusalOf(await at(seconds, seconds - 11)), 'invalid_request 400 expired');
  assert.equal(
    await refusalOf(await signed({ ...claims, nbf: seconds + 60 })),
    'invalid_request 400 claim_invalid:nbf',
  );
});

test('issuer, audience, type and required claims are compared', async () => {
  const token = await signed(claims, { typ: 'x+jwt' });
  assert.equal(await refusalOf(token, { issuer: 'other' }), 'invalid_request 400 claim_invalid:iss');
  assert.equal(await refusalOf(token, { issuer: ['other', 'directory'] }), 'accepted');
  assert.equal(await refusalOf(token, { audience: 'other' }), 'invalid_request 400 claim_invalid:aud');
  assert.equal(await refusalOf(token, { type: 'y+jwt' }), 'invalid_request 400 claim_invalid:typ');
  assert.equal(await refusalOf(token, { type: 'application/x+jwt' }), 'accepted');
  assert.equal(
    await refusalOf(token, { requiredClaims: ['software_id'] }),
    'invalid_request 400 claim_missing:software_id',
  );
});

test('what is no compact JWS is refused, with the code of the caller', async () => {
  const refusal = { code: 'invalid_software_statement', status: 401 };
  for (const token of ['', 'a.b', 'a.b.c.d.e', 'a b.c.d', '{}', 'W10.e30.AAAA', 'bm9uc2Vuc2U.e30.AAAA']) {
    assert.equal(await refusalOf(token, { refusal }), 'invalid_software_statement 401 malformed', token);
  }
  assert.equal(await refusalOf(`a.${'b'.repeat(40_000)}.c`, { refusal }), 'invalid_software_statement 401 too_large');
  const array = await new CompactSign(Buffer.from('[]'))
    .setProtectedHeader({ alg: 'PS256', kid: 'one' })
    .sign(pair.privateKey);
  assert.equal(await refusalOf(array), 'invalid_request 400 signature_invalid');
});
