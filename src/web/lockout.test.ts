import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { openTestDatabase } from '../../test/support/database.ts';
import type { Database } from '../platform/database.ts';
import { canonicalUsername, createLockout, LOCK_SECONDS, MAXIMUM_ATTEMPTS } from './lockout.ts';

let database: Database;
let now = new Date('2026-05-01T10:00:00Z');
const clock = { now: () => now };
const pass = (seconds: number) => {
  now = new Date(now.getTime() + seconds * 1000);
};

before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

const keyFor = (name: string, bank = 'gobank') => ({ bank, usernameHash: `hash-of-${name}` });

async function takeMany(name: string, times: number) {
  const lockout = createLockout(database, clock);
  for (let count = 0; count < times; count += 1) await lockout.take(keyFor(name));
}

test('CLD-24 the fifth attempt locks, the sixth is not tried, and the end of the lock stays where it is', async () => {
  const lockout = createLockout(database, clock);
  await takeMany('fifth', MAXIMUM_ATTEMPTS - 1);
  const until = new Date(now.getTime() + LOCK_SECONDS * 1000);
  assert.deepEqual(await lockout.take(keyFor('fifth')), { allowed: true, attempts: 5, lockedUntil: until });
  pass(60);
  assert.deepEqual(await lockout.take(keyFor('fifth')), { allowed: false, lockedUntil: until });
  assert.deepEqual(await lockout.take(keyFor('fifth')), { allowed: false, lockedUntil: until });
});

test('CLD-24 twenty guesses at once are five attempts', async () => {
  const lockout = createLockout(database, clock);
  const verdicts = await Promise.all(Array.from({ length: 20 }, () => lockout.take(keyFor('parallel'))));
  assert.equal(verdicts.filter((verdict) => verdict.allowed).length, MAXIMUM_ATTEMPTS);
});

test('CLD-24 another node counts on, another bank and another name do not', async () => {
  await takeMany('shared', MAXIMUM_ATTEMPTS);
  const other = createLockout(database, clock);
  assert.equal((await other.take(keyFor('shared'))).allowed, false);
  assert.equal((await other.take(keyFor('shared', 'hyperscale'))).allowed, true);
  assert.equal((await other.take(keyFor('someone else'))).allowed, true);
});

test('CLD-24 the lock ends by itself and the count starts anew', async () => {
  const lockout = createLockout(database, clock);
  await takeMany('ends', MAXIMUM_ATTEMPTS);
  pass(LOCK_SECONDS - 1);
  assert.equal((await lockout.take(keyFor('ends'))).allowed, false);
  pass(1);
  assert.deepEqual(await lockout.take(keyFor('ends')), { allowed: true, attempts: 1, lockedUntil: undefined });
  await takeMany('ends', MAXIMUM_ATTEMPTS - 1);
  assert.equal((await lockout.take(keyFor('ends'))).allowed, false);
});

test('CLD-24 success forgets, an unanswered attempt does not count', async () => {
  const lockout = createLockout(database, clock);
  await takeMany('forgets', 4);
  await database.transaction((statements) => lockout.forget(statements, keyFor('forgets')));
  assert.deepEqual(await lockout.take(keyFor('forgets')), { allowed: true, attempts: 1, lockedUntil: undefined });
  await takeMany('forgets', 4);
  await database.transaction((statements) => lockout.giveBack(statements, keyFor('forgets')));
  assert.equal((await lockout.take(keyFor('forgets'))).allowed, true);
  assert.equal((await lockout.take(keyFor('forgets'))).allowed, false);
});

test('CLD-24 attempts far apart are not in a row', async () => {
  const lockout = createLockout(database, clock);
  for (let count = 0; count < 10; count += 1) {
    assert.equal((await lockout.take(keyFor('slow'))).allowed, true);
    pass(LOCK_SECONDS);
  }
});

test('CLD-24 an attempt that is being counted while the sweep runs still counts', async () => {
  const lockout = createLockout(database, clock);
  await lockout.take(keyFor('swept'));
  pass(LOCK_SECONDS);
  let sweeping: Promise<void> | undefined;
  await database.transaction(async ({ query }) => {
    await createLockout({ ...database, query }, clock).take(keyFor('swept'));
    sweeping = lockout.sweep();
    // On PostgreSQL it has come to the row by then; the embedded database does one after the other.
    await Promise.race([sweeping, wait(100)]);
  });
  await sweeping;
  assert.deepEqual(await lockout.take(keyFor('swept')), { allowed: true, attempts: 2, lockedUntil: undefined });
});

test('sweep removes what no longer counts and keeps what does', async () => {
  const lockout = createLockout(database, clock);
  await takeMany('old', 2);
  pass(LOCK_SECONDS);
  await takeMany('locked', MAXIMUM_ATTEMPTS);
  await lockout.sweep();
  const rows = await database.query('SELECT username_hash FROM web.sign_in_attempts');
  assert.deepEqual(rows, [{ username_hash: 'hash-of-locked' }]);
  assert.equal((await lockout.take(keyFor('locked'))).allowed, false);
});

test('one name has one form', () => {
  assert.equal(canonicalUsername('  USER '), 'user');
  assert.equal(canonicalUsername('ｕｓｅｒ'), 'user');
  assert.notEqual(canonicalUsername('user2'), 'user');
});
