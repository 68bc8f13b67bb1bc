import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createRecordingAudit } from '../../test/support/recording-audit.ts';
import { openAgain } from '../../test/support/second-database.ts';
import type { Actor } from '../audit/index.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { uuid } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Consent } from './consent.ts';
import { createConsents } from './consents.ts';
import type { ConsentStore, Consents } from './port.ts';
import { createSqlConsentStore, type SqlConsentStore } from './sql-consents.ts';
import { announceConsent } from './store.ts';

const BANK = 'gobank';
const START = new Date('2026-01-01T10:00:00.000Z');
const END = secondsAfter(START, 86_400);
const STAFF: Actor = { kind: 'staff', reference: 'staff-1' };

const audit = createRecordingAudit();
let now = START;
const clock = { now: () => now };
let database: TestDatabase;
let sql: SqlConsentStore;

before(async () => {
  database = await openTestDatabase();
  sql = createSqlConsentStore({ database, audit, clock, reference: () => 'reference' });
});
after(async () => {
  await sql.close();
  await database.close();
});
beforeEach(() => {
  now = START;
});

interface Room {
  readonly consents: Consents;
  /** How often the store was asked. */
  readonly reads: () => number;
}

async function openRoom(changes: { database?: Database; store?: Partial<ConsentStore> } = {}): Promise<Room> {
  let reads = 0;
  const counting: ConsentStore = {
    ...sql,
    ...changes.store,
    find: (bank, id) => {
      reads += 1;
      return (changes.store?.find ?? sql.find)(bank, id);
    },
  };
  const consents = await createConsents({ stores: () => counting, database: changes.database ?? database, clock });
  return { consents, reads: () => reads };
}

async function authorised(): Promise<string> {
  const id = `consent-${uuid()}`;
  await sql.create(
    {
      id,
      bank: BANK,
      participant: 'financroo',
      client: 'client-1',
      customer: 'customer-1',
      scopes: ['accounts'],
      authorizationDetails: [],
      decideBefore: secondsAfter(now, 60),
    },
    STAFF,
  );
  const agreed = { customer: 'customer-1', scopes: ['accounts'], accounts: ['account-1'], expiresAt: END };
  await sql.authorise(BANK, id, agreed, STAFF);
  await delivered();
  return id;
}

/** Waits until everything told so far has arrived: notifications come in order, on their own time. */
async function delivered(): Promise<void> {
  const mark = uuid();
  const { promise, resolve } = Promise.withResolvers<void>();
  const unlisten = await database.listen('consent_changed', (payload) => payload.includes(mark) && resolve());
  await announceConsent(database, BANK, mark);
  await promise;
  await unlisten();
}

function unavailable(error: unknown): boolean {
  return error instanceof Refusal && error.code === 'consent_store_unavailable' && error.status === 503;
}

test('the request path reads a consent once until something changes it', async () => {
  const { consents, reads } = await openRoom();
  const id = await authorised();
  for (let call = 0; call < 5; call += 1) assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  assert.equal(reads(), 1);
  await consents.close();
});

test('CLD-48 N-206 a revoked consent is Revoked on the very next call', async () => {
  const { consents } = await openRoom();
  const id = await authorised();
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  await consents.revoke(BANK, id, STAFF);
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
  await consents.close();
});

test('a consumed consent is Consumed on the very next call', async () => {
  const { consents } = await openRoom();
  const id = await authorised();
  await consents.current(BANK, id);
  await consents.consume(BANK, id, STAFF);
  assert.equal((await consents.current(BANK, id))?.state, 'Consumed');
  await consents.close();
});

test('N-206 a revocation while an older answer is on its way never leaves Authorised in the cache', async () => {
  const gate = Promise.withResolvers<void>();
  const read = Promise.withResolvers<void>();
  let slow = true;
  const find: ConsentStore['find'] = async (bank, id) => {
    const consent = await sql.find(bank, id);
    if (slow) {
      slow = false;
      read.resolve();
      await gate.promise;
    }
    return consent;
  };
  const { consents } = await openRoom({ store: { find } });
  const id = await authorised();
  const before = consents.current(BANK, id);
  await read.promise;
  await consents.revoke(BANK, id, STAFF);
  assert.equal(
    (await consents.current(BANK, id))?.state,
    'Revoked',
    'asked after the revocation, not sharing the old call',
  );
  gate.resolve();
  assert.equal((await before)?.state, 'Authorised', 'asked before the revocation');
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
  await consents.close();
});

test('CLD-48 revoked at one instance, refused at the other once it is told', async (context) => {
  const elsewhere = await openAgain(database, context);
  const [one, other] = [await openRoom(), await openRoom({ database: elsewhere })];
  const id = await authorised();
  assert.equal((await other.consents.current(BANK, id))?.state, 'Authorised');
  const told = new Promise<void>((resolve) => {
    other.consents.onChange((change) => change.bank === BANK && change.id === id && resolve());
  });
  await one.consents.revoke(BANK, id, STAFF);
  await told;
  assert.equal((await other.consents.current(BANK, id))?.state, 'Revoked');
  await one.consents.close();
  await other.consents.close();
});

test('N-203 a change of one consent does not make others be read again', async () => {
  const { consents, reads } = await openRoom();
  const [one, other] = [await authorised(), await authorised()];
  await consents.current(BANK, one);
  await consents.current(BANK, other);
  await consents.revoke(BANK, one, STAFF);
  await delivered();
  await consents.current(BANK, other);
  assert.equal(reads(), 2);
  await consents.close();
});

test('CLD-48 while notifications do not arrive an answer lives one second at most', async () => {
  const { consents } = await openRoom({
    database: { ...database, notificationsAlive: () => false, listen: async () => async () => undefined },
  });
  const id = await authorised();
  await consents.current(BANK, id);
  await sql.revoke(BANK, id, STAFF);
  now = new Date(START.getTime() + 999);
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  now = secondsAfter(START, 1);
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
  await consents.close();
});

test('an answer is read again after half a minute even when notifications seem to arrive', async () => {
  const { consents } = await openRoom({ database: { ...database, listen: async () => async () => undefined } });
  const id = await authorised();
  await consents.current(BANK, id);
  await sql.revoke(BANK, id, STAFF);
  now = secondsAfter(START, 30);
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
  await consents.close();
});

test('when notifications may have been missed, or say nothing clear, everything is read again', async () => {
  let lose: (() => void) | undefined;
  let tell: ((payload: string) => void) | undefined;
  const listen: Database['listen'] = async (_channel, receive, lost) => {
    tell = receive;
    lose = lost;
    return async () => undefined;
  };
  const { consents, reads } = await openRoom({ database: { ...database, listen } });
  const id = await authorised();
  const reasons = [() => lose?.(), () => tell?.('not json'), () => tell?.('{}'), () => tell?.('["gobank"]')];
  for (const reason of reasons) {
    const before = reads();
    await consents.current(BANK, id);
    await consents.current(BANK, id);
    reason();
    await consents.current(BANK, id);
    assert.ok(reads() - before >= 1);
    reason();
  }
  assert.equal(reads(), 2 * reasons.length);
  await consents.close();
});

test('N-192 a remembered consent expires to the moment', async () => {
  const { consents } = await openRoom();
  const id = await authorised();
  now = new Date(END.getTime() - 1);
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  now = END;
  assert.equal((await consents.current(BANK, id))?.state, 'Expired');
  await consents.close();
});

test('N-191 an unknown consent is asked for every time, and found as soon as it exists', async () => {
  const { consents, reads } = await openRoom();
  assert.equal(await consents.current(BANK, 'unknown'), undefined);
  assert.equal(await consents.current(BANK, 'unknown'), undefined);
  assert.equal(reads(), 2);
  await consents.close();
});

test('CLD-50 N-199 a store that fails is consent_store_unavailable, also right after it answered', async () => {
  let down = false;
  const find: ConsentStore['find'] = (bank, id) =>
    down ? Promise.reject(new Error('connection refused')) : sql.find(bank, id);
  const { consents } = await openRoom({ store: { find } });
  const id = await authorised();
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  down = true;
  now = secondsAfter(START, 30);
  await assert.rejects(async () => consents.current(BANK, id), unavailable);
  down = false;
  assert.equal((await consents.current(BANK, id))?.state, 'Authorised');
  await consents.close();
});

test('N-199 a store that answers with another consent than asked for is not believed', async () => {
  const mine = await authorised();
  const other = await authorised();
  const { consents } = await openRoom({ store: { find: () => sql.find(BANK, other) } });
  await assert.rejects(async () => consents.current(BANK, mine), unavailable);
  await assert.rejects(async () => consents.current('albion', other), unavailable);
  await consents.close();
});

test('CLD-50 a revocation whose outcome nobody knows drops the answer at hand', async () => {
  const revoke: ConsentStore['revoke'] = async (bank, id, actor): Promise<Consent> => {
    await sql.revoke(bank, id, actor);
    throw new Error('the answer was lost');
  };
  const quiet = { ...database, listen: async () => async () => undefined };
  const { consents } = await openRoom({ store: { revoke }, database: quiet });
  const id = await authorised();
  await consents.current(BANK, id);
  await assert.rejects(consents.revoke(BANK, id, STAFF));
  assert.equal((await consents.current(BANK, id))?.state, 'Revoked');
  await consents.close();
});

test('the other members reach the bank’s own store', async () => {
  const asked: string[] = [];
  const stores = (bank: string): ConsentStore => {
    asked.push(bank);
    return sql;
  };
  const consents = await createConsents({ stores, database, clock });
  const id = await authorised();
  await consents.find(BANK, id);
  await consents.list({ bank: BANK });
  assert.equal((await consents.history(BANK, id)).length, 2);
  consents.touch(BANK, id);
  await assert.rejects(
    consents.reject('albion', id, STAFF),
    (error) => error instanceof Refusal && error.status === 404,
  );
  assert.deepEqual(asked, [BANK, BANK, BANK, BANK, 'albion']);
  await consents.close();
  assert.deepEqual((await sql.find(BANK, id))?.lastUsedAt, now, 'closing writes what is still noted');
});
