import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { callOf, certificateOf, passes, refusalOf, tokenOf } from '../../../test/support/gateway.ts';
import { tokenBound } from './token-bound.ts';

const certificate = certificateOf('cert-a');
const unbound = tokenOf({ thumbprint: undefined });
const baseline = { requireBoundTokens: false, requireClientCertificate: false };

async function reasonOf(call: ReturnType<typeof callOf>): Promise<string> {
  const refusal = await refusalOf(tokenBound, call);
  assert.equal(refusal.status, 401);
  return `${refusal.code} ${refusal.detail}`;
}

test('WSN-42 N-163 attack 70 a stolen token over another certificate is refused', async () => {
  const call = callOf({ evidence: { certificate: certificateOf('cert-b'), token: tokenOf() } });
  assert.equal(await reasonOf(call), 'certificate_not_bound other_certificate');
});

test('WSN-46 attack 69 a thumbprint in another encoding is another thumbprint', async () => {
  for (const thumbprint of ['cert-a=', 'CERT-A', ' cert-a', ''])
    assert.match(
      await reasonOf(callOf({ evidence: { certificate, token: tokenOf({ thumbprint }) } })),
      /^certificate_not_bound/,
    );
});

test('WSN-46 attack 69 SHA-1, hexadecimal, padded, truncated and re-cased forms of the right thumbprint are not it', async () => {
  const digest = (name: string) => createHash(name).update('a certificate');
  const right = digest('sha256').digest('base64url');
  const presented = certificateOf(right);
  const hex = digest('sha256').digest('hex');
  const shortened = [right.slice(0, -1), right.slice(1), `${right}=`, `${right} `];
  const others = [digest('sha1').digest('base64url'), hex, hex.toUpperCase(), digest('sha256').digest('base64')];
  for (const thumbprint of [...shortened, ...others, right.toUpperCase(), right.toLowerCase()]) {
    const call = callOf({ evidence: { certificate: presented, token: tokenOf({ thumbprint }) } });
    assert.equal(await reasonOf(call), 'certificate_not_bound other_certificate', thumbprint);
  }
  await passes(tokenBound, callOf({ evidence: { certificate: presented, token: tokenOf({ thumbprint: right }) } }));
});

test('a token without cnf is refused where the bank requires one', async () => {
  assert.equal(
    await reasonOf(callOf({ evidence: { certificate, token: unbound } })),
    'certificate_not_bound cnf_missing',
  );
});

test('a bound token is refused at a door without certificates', async () => {
  const call = callOf({ bank: baseline, door: 'plain', evidence: { token: tokenOf() } });
  assert.equal(await reasonOf(call), 'certificate_not_bound no_certificate');
});

test('a baseline bank still refuses a bound token over another certificate', async () => {
  const call = callOf({ bank: baseline, evidence: { certificate: certificateOf('cert-b'), token: tokenOf() } });
  assert.equal(await reasonOf(call), 'certificate_not_bound other_certificate');
});

test('RS-15 the certificate of the token passes', () =>
  passes(tokenBound, callOf({ evidence: { certificate, token: tokenOf() } })));

test('LAB-31 an unbound token passes at a baseline bank, with and without certificate', async () => {
  await passes(tokenBound, callOf({ bank: baseline, door: 'plain', evidence: { token: unbound } }));
  await passes(tokenBound, callOf({ bank: baseline, evidence: { certificate, token: unbound } }));
});

test('a call whose token was never checked is a defect, not an allow', async () => {
  await assert.rejects(async () => passes(tokenBound, callOf()), /before it was found/);
});
