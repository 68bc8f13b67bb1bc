import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BANK,
  claimsOf,
  END,
  factsOf,
  ISSUER,
  openTokenRoom,
  PARTICIPANT,
  refuses,
  STAFF,
  START,
} from '../../test/support/token-room.ts';
import { epochSeconds, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { randomToken } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';

const room = openTokenRoom();

for (const format of ['opaque', 'jwt'] as const) {
  test(`LAB-02 a customer token and a participant token resolve to what was issued (${format})`, async () => {
    const customer = await room.resolve(await room.issue(format));
    assert.deepEqual(customer, { state: 'active', facts: factsOf({ format }) });
    const participant = await room.resolve(await room.issue(format, PARTICIPANT));
    assert.deepEqual(participant, { state: 'active', facts: factsOf({ format, ...PARTICIPANT }) });
  });

  test(`N-75 WSN-39 a token is expired from its very end, remembered or not (${format})`, async () => {
    const [known, fresh] = [await room.issue(format), await room.issue(format)];
    room.clock.current = secondsAfter(END, -1);
    assert.equal(await room.stateOf(known), 'active');
    room.clock.current = END;
    assert.equal(await room.stateOf(known), 'expired');
    assert.deepEqual(await room.resolve(fresh), { state: 'expired', facts: factsOf({ format }) });
  });

  test(`N-75 WSN-39 a denied token is revoked at once, also after its end (${format})`, async () => {
    const token = await room.issue(format);
    assert.equal(await room.stateOf(token), 'active');
    assert.equal(await room.tokens().deny({ bank: BANK, token }, STAFF), 1);
    assert.deepEqual(await room.resolve(token), { state: 'revoked', facts: factsOf({ format }) });
    assert.equal(await room.stateOf(token), 'revoked');
    room.clock.current = secondsAfter(END, 60);
    assert.equal(await room.stateOf(token), 'revoked');
  });

  test(`N-73 denying what is revoked, expired, unknown or no token at all changes and tells nothing (${format})`, async () => {
    const [revoked, expired] = [await room.issue(format), await room.issue(format)];
    await room.tokens().deny({ bank: BANK, token: revoked }, STAFF);
    room.clock.current = END;
    room.audit.events.length = 0;
    for (const token of [revoked, expired, randomToken(), 'a.b', 'x=', 'e30.e30.AA'])
      assert.equal(await room.tokens().deny({ bank: BANK, token }, STAFF), 0);
    assert.deepEqual(room.audit.events, []);
    assert.equal(await room.stateOf(expired), 'expired');
  });

  test(`the second look asks nobody (${format})`, async () => {
    const token = await room.issue(format);
    await room.resolve(token);
    const before = [room.queries(), room.verifications()];
    for (let call = 0; call < 10; call += 1) assert.equal(await room.stateOf(token), 'active');
    assert.deepEqual([room.queries(), room.verifications()], before);
  });

  test(`a remembered token is worth nothing at another bank or issuer (${format})`, async () => {
    const token = await room.issue(format);
    assert.equal(await room.stateOf(token), 'active');
    assert.equal((await room.tokens().resolve('albion', ISSUER, token)).state, 'invalid');
    if (format === 'jwt')
      assert.equal((await room.tokens().resolve(BANK, 'https://elsewhere', token)).state, 'invalid');
  });
}

test('CLD-31 N-40 an opaque token nobody issued is invalid', async () => {
  const token = await room.issueOpaque();
  const unknown = [randomToken(), token.slice(1), `${token}A`, token.toLowerCase(), `${token}=`, '', 'x'.repeat(9_000)];
  for (const text of unknown) assert.equal(await room.stateOf(text), 'invalid', text.slice(0, 50));
});

test('N-40 tokens with - and _ are found, with padding refused, in both formats', async () => {
  const opaque = `-_${randomToken()}_-`;
  await room.tokens().save(opaque, factsOf(), {});
  assert.equal(await room.stateOf(opaque), 'active');
  assert.deepEqual(await room.resolve(`${opaque}=`), { state: 'invalid', detail: 'malformed' });
  let { token } = await room.issueJwt();
  while (!/-/.test(token) || !/_/.test(token)) ({ token } = await room.issueJwt());
  assert.equal(await room.stateOf(token), 'active');
  assert.deepEqual(await room.resolve(`${token}=`), { state: 'invalid', detail: 'malformed' });
  const [header, claims, signature] = token.split('.');
  assert.deepEqual(await room.resolve(`${header}=.${claims}.${signature}`), { state: 'invalid', detail: 'malformed' });
});

test('the id of a self-contained token is no opaque token', async () => {
  const { jti, token } = await room.issueJwt();
  assert.equal(await room.stateOf(jti), 'invalid');
  assert.equal(await room.tokens().findPayload(BANK, jti), undefined);
  assert.equal(await room.stateOf(token), 'active');
});

test('LAB-22 WSN-39 an altered, foreign, unsigned or mistyped JWT is invalid', async () => {
  const { token, jti } = await room.issueJwt();
  const [header = '', claims = '', signature = ''] = token.split('.');
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const decoded: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'));
  const richer = encode({ ...(typeof decoded === 'object' ? decoded : {}), scope: 'accounts payments.create' });
  const bad = [
    `${header}.${richer}.${signature}`,
    `${header}.${claims}.${'A'.repeat(86)}`,
    `${encode({ alg: 'none', typ: 'at+jwt' })}.${claims}.${signature}`,
    `${encode({ alg: 'ES256', typ: 'at+jwt', kid: 'unknown' })}.${claims}.${signature}`,
    await room.vault().signJwt('albion', 'at+jwt', claimsOf(jti, factsOf({ format: 'jwt' }))),
    (await room.issueJwt({}, {}, 'JWT')).token,
    (await room.issueJwt({}, { iss: 'https://elsewhere' })).token,
    (await room.issueJwt({}, { nbf: epochSeconds(START) + 60 })).token,
  ];
  for (const text of bad) assert.equal(await room.stateOf(text), 'invalid');
  assert.equal(await room.stateOf(token), 'active');
});

test('LAB-22 a JWT that the bank signed but never issued is invalid', async () => {
  const facts = factsOf({ format: 'jwt' });
  const unissued = await room.vault().signJwt(BANK, 'at+jwt', claimsOf(randomToken(), facts));
  assert.deepEqual(await room.resolve(unissued), { state: 'invalid', detail: 'unknown' });
  const { jti: _jti, ...nameless } = claimsOf(randomToken(), facts);
  assert.deepEqual(await room.resolve(await room.vault().signJwt(BANK, 'at+jwt', nameless)), {
    state: 'invalid',
    detail: 'claim_missing',
  });
  const opaque = await room.issueOpaque();
  const wrapped = await room.vault().signJwt(BANK, 'at+jwt', claimsOf(opaque, facts));
  assert.deepEqual(await room.resolve(wrapped), { state: 'invalid', detail: 'unknown' });
});

test('LAB-22 LAB-23 WSN-46 a JWT that contradicts its row is invalid, and we are told', async () => {
  const contradictions: readonly Readonly<Record<string, unknown>>[] = [
    { client_id: 'client-2' },
    { scope: 'accounts payments.create' },
    { scope: undefined },
    { cnf: { 'x5t#S256': 'y'.repeat(43) } },
    { cnf: undefined },
    { aud: 'https://elsewhere' },
    { consent_id: 'consent-2' },
  ];
  for (const claims of contradictions) {
    const { token } = await room.issueJwt({}, claims);
    assert.equal(await room.stateOf(token), 'invalid', JSON.stringify(claims));
  }
  assert.equal(room.warnings.length, contradictions.length);
});

test('LAB-23 a JWT issued without scope is active without scopes', async () => {
  const { token } = await room.issueJwt({ scopes: [] });
  assert.deepEqual(await room.resolve(token), { state: 'active', facts: factsOf({ format: 'jwt', scopes: [] }) });
});

test('LAB-22 a new signing key is accepted without restart, and the old one during the overlap', async () => {
  const { token: old } = await room.issueJwt();
  await room.vault().rotate(BANK, STAFF);
  const { token: young } = await room.issueJwt();
  assert.equal(await room.stateOf(old), 'active');
  assert.equal(await room.stateOf(young), 'active');
});

test('a JWT ends at the earlier of its own claim and its row', async () => {
  const { token } = await room.issueJwt({}, { exp: epochSeconds(START) + 100 });
  room.clock.current = secondsAfter(START, 99);
  assert.equal(await room.stateOf(token), 'active');
  room.clock.current = secondsAfter(START, 100);
  assert.equal(await room.stateOf(token), 'expired');
  room.clock.current = START;
  const { token: longer } = await room.issueJwt({}, { exp: epochSeconds(END) + 100 });
  room.clock.current = secondsAfter(END, -1);
  assert.equal(await room.stateOf(longer), 'active');
  room.clock.current = END;
  assert.equal(await room.stateOf(longer), 'expired');
});

test('an expired JWT that was never issued is invalid, not expired', async () => {
  const unissued = await room.vault().signJwt(BANK, 'at+jwt', claimsOf(randomToken(), factsOf({ format: 'jwt' })));
  room.clock.current = secondsAfter(END, 1);
  assert.equal(await room.stateOf(unissued), 'invalid');
});

test('a vault that cannot judge, or a database that fails, is no verdict about a token', async () => {
  const { token } = await room.issueJwt();
  room.failing.vault = new Refusal('kms_unavailable', 503, 'The keys cannot be reached.');
  await assert.rejects(room.resolve(token), refuses('kms_unavailable', 503));
  room.failing.vault = new Error('defect');
  await assert.rejects(room.resolve(token), refuses('token_store_unavailable', 503));
  room.failing.vault = undefined;
  assert.equal(await room.stateOf(token), 'active');
  const gone: Database = {
    ...room.database(),
    query: () => Promise.reject(new Error('connection refused')),
    transaction: () => Promise.reject(new Error('connection refused')),
    together: () => Promise.reject(new Error('connection refused')),
  };
  const broken = await room.another(gone);
  const opaque = await room.issueOpaque();
  await assert.rejects(room.resolve(opaque, broken), refuses('token_store_unavailable', 503));
  await assert.rejects(broken.findPayload(BANK, opaque), refuses('token_store_unavailable', 503));
  await assert.rejects(broken.deny({ bank: BANK, token: opaque }, STAFF), refuses('token_store_unavailable', 503));
  await assert.rejects(broken.save(randomToken(), factsOf(), {}), refuses('token_store_unavailable', 503));
  await broken.close();
});

test('a token that was invalid is active as soon as it is issued', async () => {
  const token = randomToken();
  assert.equal(await room.stateOf(token), 'invalid');
  await room.tokens().save(token, factsOf(), {});
  assert.equal(await room.stateOf(token), 'active');
});
