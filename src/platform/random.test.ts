import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomToken, sha256, uuid } from './random.ts';

test('tokens have 256 bits, an URL-safe alphabet and no twin', () => {
  const tokens = Array.from({ length: 1_000 }, () => randomToken());
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.equal(new Set(tokens).size, tokens.length);
  assert.equal(randomToken(16).length, 22);
});

test('ids are version 4', () => {
  assert.match(uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('SHA-256 as RFC 7636 appendix B shows it, of text and octets alike', () => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  assert.equal(sha256(verifier), 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM');
  assert.equal(sha256(Buffer.from(verifier)), sha256(verifier));
});
