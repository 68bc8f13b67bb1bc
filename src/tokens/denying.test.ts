import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAgain } from '../../test/support/second-database.ts';
import {
  BANK,
  claimsOf,
  factsOf,
  ISSUER,
  openTokenRoom,
  refuses,
  STAFF,
  START,
} from '../../test/support/token-room.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';

const room = openTokenRoom();

test('N-205 a denial of a whole bank, or with a blank member, is refused and kills nothing', async () => {
  const token = await room.issueOpaque();
  await assert.rejects(room.tokens().deny({ bank: BANK }, STAFF), refuses('field_missing', 400));
  await assert.rejects(room.tokens().deny({ bank: BANK, client: '' }, STAFF), refuses('field_invalid', 400));
  await assert.rejects(
    room.tokens().deny({ bank: BANK, client: 'client-1', customer: ' ' }, STAFF),
    refuses('field_invalid', 400),
  );
  await assert.rejects(room.tokens().list({ bank: BANK, client: '' }), refuses('field_invalid', 400));
  assert.equal(await room.stateOf(token), 'active');
});

const CHOICES = [
  { consent: 'consent-x' },
  { client: 'client-x' },
  { participant: 'paymate' },
  { customer: 'customer-x' },
  { thumbprint: 'z'.repeat(43) },
] as const;

for (const choice of CHOICES) {
  const [member] = Object.keys(choice);
  test(`LAB-20 N-73 N-203 denying by ${member} kills what matches in both formats, remembered or not, and nothing else`, async () => {
    const [opaque, jwt, unseen] = [
      await room.issueOpaque(choice),
      (await room.issueJwt(choice)).token,
      await room.issueOpaque(choice),
    ];
    const [other, elsewhere] = [await room.issueOpaque(), await room.issueOpaque({ ...choice, bank: 'albion' })];
    for (const token of [opaque, jwt, other]) assert.equal(await room.stateOf(token), 'active');
    assert.equal((await room.tokens().list({ bank: BANK, ...choice })).length, 3);
    assert.equal(await room.tokens().deny({ bank: BANK, ...choice }, STAFF), 3);
    for (const token of [opaque, jwt, unseen]) assert.equal(await room.stateOf(token), 'revoked');
    assert.equal(await room.stateOf(other), 'active');
    assert.equal((await room.tokens().resolve('albion', ISSUER, elsewhere)).state, 'active');
    assert.deepEqual(await room.tokens().list({ bank: BANK, ...choice }), []);
    assert.equal(await room.tokens().deny({ bank: BANK, ...choice }, STAFF), 0);
    await room.tokens().deny({ bank: 'albion', ...choice }, STAFF);
  });
}

test('the members of a denial combine: all must match', async () => {
  const choice = { client: 'client-and', consent: 'consent-and' };
  const [both, one] = [await room.issueOpaque(choice), await room.issueOpaque({ client: 'client-and' })];
  assert.equal(await room.tokens().deny({ bank: BANK, ...choice }, STAFF), 1);
  assert.deepEqual([await room.stateOf(both), await room.stateOf(one)], ['revoked', 'active']);
});

test('N-74 a token denied in the name of another client stays alive', async () => {
  for (const format of ['opaque', 'jwt'] as const) {
    const token = await room.issue(format);
    assert.equal(await room.tokens().deny({ bank: BANK, token, client: 'client-2' }, STAFF), 0);
    assert.equal(await room.tokens().deny({ bank: 'albion', token }, STAFF), 0);
    assert.equal(await room.stateOf(token), 'active');
  }
});

test('a forged JWT that names the id of another’s token denies nothing', async () => {
  const { token, jti } = await room.issueJwt();
  const forged = await room.vault().signJwt('albion', 'at+jwt', claimsOf(jti, factsOf({ format: 'jwt' })));
  assert.equal(await room.tokens().deny({ bank: BANK, token: forged }, STAFF), 0);
  assert.equal(await room.stateOf(token), 'active');
});

test('the engine denies a self-contained token by its id', async () => {
  const { token, jti } = await room.issueJwt();
  assert.equal(await room.tokens().deny({ bank: BANK, token: jti }, STAFF), 1);
  assert.equal(await room.stateOf(token), 'revoked');
});

test('20 parallel denials count each token once', async () => {
  for (let index = 0; index < 3; index += 1) await room.issueOpaque({ consent: 'consent-parallel' });
  const denial = { bank: BANK, consent: 'consent-parallel' };
  const counts = await Promise.all(Array.from({ length: 20 }, () => room.tokens().deny(denial, STAFF)));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
});

test('N-75 a denial while an older answer is on its way never leaves an active one behind', async () => {
  const gate = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  let slow = true;
  const slowed: Database = {
    ...room.database(),
    query: async (text, values) => {
      const rows = await room.database().query(text, values);
      if (slow) {
        slow = false;
        read.resolve();
        await gate.promise;
      }
      return rows;
    },
  };
  const slowRoom = await room.another(slowed);
  const token = await room.issueOpaque();
  const before = room.resolve(token, slowRoom);
  await read.promise;
  await slowRoom.deny({ bank: BANK, client: 'client-1', token }, STAFF);
  assert.equal(await room.stateOf(token, slowRoom), 'revoked', 'asked after the denial, not sharing the old call');
  gate.resolve();
  assert.equal((await before).state, 'active', 'asked before the denial');
  assert.equal(await room.stateOf(token, slowRoom), 'revoked');
  await slowRoom.close();
});

test('N-75 denied in one process, revoked in the other once it is told, and the rest is still remembered', async (context) => {
  const elsewhere = await openAgain(room.database(), context);
  const other = await room.another(elsewhere);
  const choice = { consent: 'consent-told' };
  const [dead, alive] = [await room.issueOpaque(choice), (await room.issueJwt()).token];
  for (const token of [dead, alive]) assert.equal(await room.stateOf(token, other), 'active');
  await room.tokens().deny({ bank: BANK, ...choice }, STAFF);
  await room.delivered(elsewhere);
  const before = room.verifications();
  assert.equal(await room.stateOf(dead, other), 'revoked');
  assert.equal(await room.stateOf(alive, other), 'active');
  assert.equal(room.verifications(), before);
  await other.close();
});

test('N-75 while notifications do not arrive an answer lives one second at most', async () => {
  const deaf = { ...room.database(), notificationsAlive: () => false, listen: async () => async () => undefined };
  const other = await room.another(deaf);
  const token = await room.issueOpaque();
  await room.resolve(token, other);
  await room.tokens().deny({ bank: BANK, token }, STAFF);
  room.clock.current = new Date(START.getTime() + 999);
  assert.equal(await room.stateOf(token, other), 'active');
  room.clock.current = secondsAfter(START, 1);
  assert.equal(await room.stateOf(token, other), 'revoked');
  await other.close();
});

test('an answer is read again after half a minute even when notifications seem to arrive', async () => {
  const other = await room.another({ ...room.database(), listen: async () => async () => undefined });
  const token = await room.issueOpaque();
  await room.resolve(token, other);
  await room.tokens().deny({ bank: BANK, token }, STAFF);
  room.clock.current = secondsAfter(START, 30);
  assert.equal(await room.stateOf(token, other), 'revoked');
  await other.close();
});

test('when notifications may have been missed, or say nothing clear, everything is read again', async () => {
  let lose: (() => void) | undefined;
  let tell: ((payload: string) => void) | undefined;
  const listen: Database['listen'] = async (_channel, receive, lost) => {
    tell = receive;
    lose = lost;
    return async () => undefined;
  };
  const other = await room.another({ ...room.database(), listen });
  const reasons = [() => lose?.(), () => tell?.('not json'), () => tell?.('{}'), () => tell?.(`{"bank":"${BANK}"}`)];
  for (const reason of reasons) {
    const token = await room.issueOpaque();
    assert.equal(await room.stateOf(token, other), 'active');
    await room.tokens().deny({ bank: BANK, token }, STAFF);
    assert.equal(await room.stateOf(token, other), 'active', 'nobody told');
    reason();
    assert.equal(await room.stateOf(token, other), 'revoked');
  }
  await other.close();
});
