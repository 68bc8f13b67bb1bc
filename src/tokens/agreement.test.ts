import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDisagreement } from './agreement.ts';
import type { TokenFacts } from './token.ts';

const THUMBPRINT = 'a-b_c'.repeat(8).padEnd(43, 'x');
const FACTS: TokenFacts = {
  bank: 'albion',
  format: 'jwt',
  kind: 'customer',
  client: 'client-1',
  participant: 'financroo',
  customer: 'customer-1',
  subject: 'pairwise-1',
  scopes: ['accounts', 'payments.create'],
  consent: 'consent-1',
  audience: 'https://localhost:8444/albion',
  thumbprint: THUMBPRINT,
  issuedAt: new Date(0),
  expiresAt: new Date(300_000),
};
const CLAIMS = {
  client_id: 'client-1',
  scope: 'payments.create accounts',
  cnf: { 'x5t#S256': THUMBPRINT },
  aud: 'https://localhost:8444/albion',
  consent_id: 'consent-1',
};

test('a token that says what its row says agrees, whatever the order of its scopes', () => {
  assert.equal(findDisagreement(CLAIMS, FACTS), undefined);
  assert.equal(findDisagreement({ ...CLAIMS, aud: [CLAIMS.aud] }, FACTS), undefined);
  assert.equal(findDisagreement({ ...CLAIMS, consent_id: undefined }, FACTS), undefined);
});

test('a token for another client, consent or audience disagrees', () => {
  assert.equal(findDisagreement({ ...CLAIMS, client_id: 'client-2' }, FACTS), 'client_id');
  assert.equal(findDisagreement({ ...CLAIMS, client_id: undefined }, FACTS), 'client_id');
  assert.equal(findDisagreement({ ...CLAIMS, consent_id: 'consent-2' }, FACTS), 'consent_id');
  for (const aud of [undefined, 'https://elsewhere', [], [CLAIMS.aud, 'https://elsewhere'], [['x']]])
    assert.equal(findDisagreement({ ...CLAIMS, aud }, FACTS), 'aud');
});

test('LAB-23 more, fewer, no or malformed scopes disagree', () => {
  const scopes = ['accounts', 'accounts accounts', 'accounts payments.create admin', '', undefined, ['accounts'], 7];
  for (const scope of scopes) assert.equal(findDisagreement({ ...CLAIMS, scope }, FACTS), 'scope');
});

test('LAB-23 a token without scope agrees with a row without scopes', () => {
  assert.equal(findDisagreement({ ...CLAIMS, scope: undefined }, { ...FACTS, scopes: [] }), undefined);
  assert.equal(findDisagreement({ ...CLAIMS, scope: '' }, { ...FACTS, scopes: [] }), undefined);
});

test('WSN-46 a binding that is absent, padded, hex, SHA-1 or of another kind disagrees', () => {
  const wrong: readonly unknown[] = [
    undefined,
    null,
    {},
    'x',
    { 'x5t#S256': `${THUMBPRINT}=` },
    { 'x5t#S256': Buffer.from(THUMBPRINT, 'base64url').toString('hex') },
    { x5t: THUMBPRINT },
    { jkt: THUMBPRINT },
    { 'x5t#S256': THUMBPRINT, jkt: 'another' },
    { 'x5t#S256': undefined },
  ];
  for (const cnf of wrong) assert.equal(findDisagreement({ ...CLAIMS, cnf }, FACTS), 'cnf', JSON.stringify(cnf));
});

test('WSN-46 a binding in the token alone disagrees, even when it names nothing', () => {
  const unbound = { ...FACTS, thumbprint: undefined };
  assert.equal(findDisagreement(CLAIMS, unbound), 'cnf');
  assert.equal(findDisagreement({ ...CLAIMS, cnf: { 'x5t#S256': undefined } }, unbound), 'cnf');
  assert.equal(findDisagreement({ ...CLAIMS, cnf: undefined }, unbound), undefined);
});
