import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actionsOf } from '../../test/support/recording-audit.ts';
import {
  BANK,
  END,
  factsOf,
  openTokenRoom,
  PARTICIPANT,
  refuses,
  STAFF,
  START,
} from '../../test/support/token-room.ts';
import type { Actor } from '../audit/index.ts';
import { secondsAfter } from '../platform/clock.ts';
import { randomToken } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { TokenFacts } from './token.ts';

const room = openTokenRoom();
const CUSTOMER: Actor = { kind: 'customer', reference: 'customer-1' };

test('a token whose event cannot be written is neither issued nor denied', async () => {
  const token = randomToken();
  const alive = await room.issueOpaque();
  room.audit.failure = new Refusal('audit_unavailable', 503, 'The audit trail cannot be written.');
  await assert.rejects(room.tokens().save(token, factsOf(), {}), refuses('audit_unavailable', 503));
  await assert.rejects(room.tokens().deny({ bank: BANK, token: alive }, STAFF), refuses('audit_unavailable', 503));
  assert.equal(await room.stateOf(token), 'invalid');
  assert.equal(await room.stateOf(alive), 'active');
});

test('LAB-02 what contradicts itself is not issued', async () => {
  const wrong: readonly (readonly [string, TokenFacts, Record<string, unknown> | undefined])[] = [
    [randomToken(), factsOf({ customer: undefined }), {}],
    [randomToken(), factsOf({ ...PARTICIPANT, customer: 'customer-1' }), {}],
    [randomToken(), factsOf({ ...PARTICIPANT, subject: 'pairwise-1' }), {}],
    [randomToken(), factsOf(), undefined],
    [randomToken(), factsOf({ format: 'jwt' }), {}],
    ['', factsOf(), {}],
    ['with padding=', factsOf(), {}],
    ['x'.repeat(257), factsOf(), {}],
  ];
  for (const [id, facts, payload] of wrong) {
    await assert.rejects(room.tokens().save(id, facts, payload), (error) => !(error instanceof Refusal));
    if (id !== '') assert.equal(await room.stateOf(id), 'invalid');
  }
  assert.deepEqual(room.audit.events, []);
});

test('an id is issued once', async () => {
  const token = await room.issueOpaque();
  await assert.rejects(
    room.tokens().save(token, factsOf({ client: 'client-2' }), {}),
    refuses('token_store_unavailable', 503),
  );
  const resolution = await room.resolve(token);
  assert.equal(resolution.state === 'active' ? resolution.facts.client : undefined, 'client-1');
});

test('CLD-31 no row, event or warning holds a token or its id', async () => {
  const opaque = await room.issueOpaque();
  const { token, jti } = await room.issueJwt();
  await room.tokens().deny({ bank: BANK, token: opaque }, CUSTOMER);
  await room.tokens().deny({ bank: BANK, token }, STAFF);
  const rows = await room.database().query('SELECT * FROM tokens.access_tokens');
  const kept = JSON.stringify([rows, room.audit.events, room.warnings]);
  assert.ok(rows.length >= 2);
  for (const secret of [opaque, jti, token]) assert.equal(kept.includes(secret), false);
});

test('CLD-31 a payload that repeats the token elsewhere than in its id is refused', async () => {
  const token = randomToken();
  await assert.rejects(
    room.tokens().save(token, factsOf(), { jti: token, copy: `Bearer ${token}` }),
    /repeats the token/,
  );
  assert.equal(await room.stateOf(token), 'invalid');
});

test('CLD-49 events tell what was issued and denied, by whom, for which consent, and never name the customer', async () => {
  await room.issueOpaque({ consent: 'consent-told-of' });
  await room.tokens().deny({ bank: BANK, consent: 'consent-told-of' }, STAFF);
  await room.issueOpaque({ customer: 'customer-y' });
  await room.tokens().deny({ bank: BANK, customer: 'customer-y' }, { kind: 'customer', reference: 'customer-y' });
  assert.deepEqual(actionsOf(room.audit), ['token.issued', 'token.denied', 'token.issued', 'token.denied']);
  const [issued, denied, , byCustomer] = room.audit.events;
  assert.equal(issued?.consent, 'consent-told-of');
  assert.equal(issued?.client, 'client-1');
  assert.equal(denied?.consent, 'consent-told-of');
  assert.equal(denied?.interaction, 'interaction-1');
  assert.deepEqual(denied?.facts, {
    tokens: 1,
    by: 'consent',
    thumbprint: null,
    actor: 'staff',
    actorReference: 'staff-1',
  });
  assert.equal(byCustomer?.facts?.by, 'customer');
  assert.equal(byCustomer?.subject?.length, 43);
  assert.equal(JSON.stringify(room.audit.events).includes('customer-y'), false);
});

test('the engine gets its payload back as it was, for live opaque tokens alone', async () => {
  const token = randomToken();
  const payload = {
    jti: token,
    kind: 'AccessToken',
    clientId: 'client-1',
    extra: { participant_id: 'financroo' },
    exp: 1,
  };
  await room.tokens().save(token, factsOf(), payload);
  assert.deepEqual(await room.tokens().findPayload(BANK, token), payload);
  for (const text of ['', 'unknown', `${token}=`, 'x'.repeat(9_000)])
    assert.equal(await room.tokens().findPayload(BANK, text), undefined);
  assert.equal(await room.tokens().findPayload('albion', token), undefined);
  room.clock.current = END;
  assert.equal(await room.tokens().findPayload(BANK, token), undefined);
  room.clock.current = START;
  await room.tokens().deny({ bank: BANK, token }, STAFF);
  assert.equal(await room.tokens().findPayload(BANK, token), undefined);
});

test('lists are of live tokens, newest first', async () => {
  const client = 'client-list';
  for (const seconds of [1, 3, 2]) {
    const issuedAt = secondsAfter(START, seconds);
    await room.issueOpaque({ client, issuedAt, expiresAt: secondsAfter(issuedAt, 10) });
  }
  const ages = async () =>
    (await room.tokens().list({ bank: BANK, client })).map(
      ({ issuedAt }) => (issuedAt.getTime() - START.getTime()) / 1000,
    );
  assert.deepEqual(await ages(), [3, 2, 1]);
  room.clock.current = secondsAfter(START, 12);
  assert.deepEqual(await ages(), [3]);
  assert.deepEqual(await room.tokens().list({ bank: 'albion', client }), []);
});

test('N-75 sweeping removes what expired an hour ago: until then expired is told apart from unknown', async () => {
  const token = await room.issueOpaque();
  room.clock.current = secondsAfter(END, 3_600);
  await room.tokens().sweep();
  assert.equal(await room.stateOf(token), 'expired');
  room.clock.current = secondsAfter(END, 3_601);
  const young = await room.issueOpaque({ expiresAt: secondsAfter(room.clock.current, 60) });
  await room.tokens().sweep();
  assert.equal(await room.stateOf(token), 'invalid');
  assert.equal(await room.stateOf(young), 'active');
});
