import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { newParticipant, openDirectories, STAFF, testClock } from '../../test/support/directory.ts';
import type { Database } from '../platform/database.ts';
import type { Participant } from './participant.ts';
import { createRequestCounter } from './request-counter.ts';
import { addRequests, deleteRequestCounts } from './request-store.ts';

let house: Awaited<ReturnType<typeof openDirectories>>;
before(async () => {
  house = await openDirectories();
});
after(() => house.close());

function entered(requestsPerMinute: number | undefined): Promise<Participant> {
  return house.directory.createParticipant(newParticipant({ requestsPerMinute }), STAFF);
}

function counterOn(database: Database, log: string[] = []) {
  const clock = testClock();
  const counter = createRequestCounter({ database, clock, log: { error: (_details, message) => log.push(message) } });
  return { counter, clock, log };
}

/** A database that never answers. */
const SILENT: Database = {
  kind: 'postgres',
  query: () => new Promise(() => undefined),
  transaction: () => new Promise(() => undefined),
  together: () => new Promise(() => undefined),
  listen: async () => async () => undefined,
  notificationsAlive: () => false,
  close: async () => undefined,
};

/** Real time passes here because the flush has a timer; the condition, not the time, ends the wait. */
async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await condition()) return;
    await wait(25);
  }
  assert.fail('did not happen within five seconds');
}

async function storedCount(participant: string): Promise<number> {
  const rows = await house.database.query(
    'SELECT COALESCE(sum(requests), 0)::int8 AS total FROM directory.request_counts WHERE participant = $1',
    [participant],
  );
  return Number(rows[0]?.total);
}

test('LAB-17 calls 1 to 5 pass, the 6th waits for the rest of the minute, and after the window calls pass', async () => {
  const { counter, clock } = counterOn(SILENT);
  const participant = await entered(5);
  clock.forward(12.5);
  const answers = Array.from({ length: 7 }, () => counter.take(participant));
  assert.deepEqual(answers, [undefined, undefined, undefined, undefined, undefined, 48, 48]);
  clock.forward(47.4);
  assert.equal(counter.take(participant), 1);
  clock.forward(0.1);
  assert.equal(counter.take(participant), undefined);
});

test('LAB-17 N-172 another participant is unaffected, and one without a limit is never refused', async () => {
  const { counter } = counterOn(SILENT);
  const [exhausted, second, unlimited] = [await entered(1), await entered(1), await entered(undefined)];
  counter.take(exhausted);
  assert.equal(counter.take(exhausted), 60);
  assert.equal(counter.take(second), undefined);
  for (let call = 0; call < 1_000; call += 1) assert.equal(counter.take(unlimited), undefined);
});

test('LAB-17 a changed limit acts on the next call, in both directions', async () => {
  const { counter } = counterOn(SILENT);
  const participant = await entered(2);
  counter.take(participant);
  counter.take(participant);
  assert.equal(counter.take(participant), 60);
  assert.equal(counter.take({ ...participant, requestsPerMinute: 3 }), undefined);
  assert.equal(counter.take({ ...participant, requestsPerMinute: 1 }), 60);
  assert.equal(counter.take({ ...participant, requestsPerMinute: undefined }), undefined);
});

test('LAB-17 counting never waits for the database, and each node counts alone while it is away', async () => {
  const log: string[] = [];
  const broken: Database = { ...SILENT, query: () => Promise.reject(new Error('connect ECONNREFUSED')) };
  const { counter } = counterOn(broken, log);
  const participant = await entered(3);
  assert.deepEqual(
    Array.from({ length: 4 }, () => counter.take(participant)),
    [undefined, undefined, undefined, 60],
  );
  await until(() => log.length > 0);
  assert.equal(counter.take(participant), 60);
  await counter.close();
  assert.equal(log.length, 1, 'the failure is reported once, not at every attempt');
});

test('LAB-17 all nodes share one counter: what one node used up, the other refuses once it has been told', async () => {
  const another = await house.another();
  const participant = await entered(5);
  for (let call = 0; call < 4; call += 1) assert.equal(house.directory.takeRequest(participant), undefined);
  await until(async () => (await storedCount(participant.id)) === 4);
  assert.equal(another.takeRequest(participant), undefined);
  await until(async () => (await storedCount(participant.id)) === 5);
  await until(() => another.takeRequest(participant) !== undefined);
  assert.ok((await storedCount(participant.id)) <= 7);
});

test('LAB-17 two nodes with heavy traffic exceed the limit by no more than one flush', async () => {
  const limit = 400;
  const nodes = [house.directory, await house.another()];
  const participant = await entered(limit);
  let passed = 0;
  for (let round = 0; round < 100; round += 1) {
    for (const node of nodes)
      for (let call = 0; call < 5; call += 1) if (node.takeRequest(participant) === undefined) passed += 1;
    await wait(5);
  }
  await until(async () => (await storedCount(participant.id)) === passed);
  assert.ok(passed >= limit, `${passed} passed`);
  assert.ok(passed < limit * 2, `${passed} passed: the nodes did not learn of each other`);
});

test('LAB-17 all clients of a participant share one counter', async () => {
  const participant = await entered(2);
  const { directory } = house;
  const certificates = undefined;
  for (const id of ['shared-1', 'shared-2']) {
    const secretHash = `scrypt$16384$salt$${'h'.repeat(43)}`;
    const client = {
      bank: 'labbank',
      id,
      participant: participant.id,
      softwareId: undefined,
      metadata: {},
      secretHash,
    };
    await directory.registerClient({ ...client, certificate: certificates }, STAFF);
  }
  const answers = [];
  for (const id of ['shared-1', 'shared-2', 'shared-1']) {
    const standing = await directory.standing('labbank', id);
    assert.ok(standing);
    answers.push(directory.takeRequest(standing.participant));
  }
  assert.deepEqual(
    answers.map((answer) => answer === undefined),
    [true, true, false],
  );
});

test('LAB-17 a node that starts inside the minute learns what was used before it', async () => {
  const participant = await entered(3);
  const first = counterOn(house.database);
  for (let call = 0; call < 3; call += 1) first.counter.take(participant);
  await first.counter.close();
  assert.equal(await storedCount(participant.id), 3);
  const restarted = counterOn(house.database);
  restarted.counter.take(participant);
  await until(() => restarted.counter.take(participant) !== undefined);
  await restarted.counter.close();
});

test('LAB-17 requests are told in batches: many calls, few statements', async () => {
  let statements = 0;
  const counting: Database = {
    ...house.database,
    query: (text, values) => {
      statements += 1;
      return house.database.query(text, values);
    },
  };
  const { counter } = counterOn(counting);
  const participants = await Promise.all([entered(100_000), entered(100_000), entered(100_000)]);
  for (let call = 0; call < 3_000; call += 1) counter.take(participants[call % 3] ?? assert.fail());
  await counter.close();
  assert.deepEqual(await Promise.all(participants.map(({ id }) => storedCount(id))), [1_000, 1_000, 1_000]);
  assert.ok(statements <= 4, `${statements} statements`);
});

test('LAB-17 near the limit, and first in a minute, a request is told at once; otherwise after 100 ms', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  for (const [limit, delay] of [
    [21, 0],
    [1_000, 100],
  ] as const) {
    let told = 0;
    const answering: Database = {
      ...SILENT,
      query: async (_text, values) => {
        if (!Array.isArray(values?.[1])) return [];
        told += 1;
        return values[1].map((participant) => ({ participant, requests: 1 }));
      },
    };
    const { counter } = counterOn(answering);
    const participant = await entered(limit);
    const passing = async (milliseconds: number): Promise<number> => {
      context.mock.timers.tick(milliseconds);
      for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
      return told;
    };
    counter.take(participant);
    assert.equal(await passing(0), 1, `first of ${limit}`);
    counter.take(participant);
    if (delay > 0) assert.equal(await passing(delay - 1), 1, `second of ${limit}, too early`);
    assert.equal(await passing(delay > 0 ? 1 : 0), 2, `second of ${limit}`);
  }
});

test('LAB-17 a count that could not be told is told when the database is back', async () => {
  const state = { reachable: false };
  const flaky: Database = {
    ...house.database,
    query: (text, values) =>
      state.reachable ? house.database.query(text, values) : Promise.reject(new Error('connect ECONNREFUSED')),
  };
  const { counter, log } = counterOn(flaky);
  const participant = await entered(10);
  for (let call = 0; call < 4; call += 1) counter.take(participant);
  await until(() => log.length === 1);
  state.reachable = true;
  await until(async () => (await storedCount(participant.id)) === 4);
  await counter.close();
  assert.equal(await storedCount(participant.id), 4);
});

test('LAB-17 parallel additions of two nodes to the same participants are all counted', async () => {
  const window = new Date('2026-01-01T00:00:00Z');
  const forth = new Map([
    ['sum-a', 1],
    ['sum-b', 1],
  ]);
  const back = new Map([
    ['sum-b', 1],
    ['sum-a', 1],
  ]);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => addRequests(house.database, window, index % 2 ? forth : back)),
  );
  const totals = await addRequests(house.database, window, forth);
  assert.deepEqual([totals.get('sum-a'), totals.get('sum-b')], [21, 21]);
});

test('LAB-17 counts of past minutes are removed in bounded batches', async () => {
  const old = new Date('2025-01-01T00:00:00Z');
  await addRequests(house.database, old, new Map(Array.from({ length: 7 }, (_, index) => [`old-${index}`, 1])));
  const before = new Date('2025-01-01T00:01:00Z');
  assert.equal(await deleteRequestCounts(house.database, before, 5), 5);
  assert.equal(await deleteRequestCounts(house.database, before, 5), 2);
  assert.equal(await deleteRequestCounts(house.database, before, 5), 0);
});

test('LAB-17 a counter with traffic removes old minutes by itself', async () => {
  await addRequests(house.database, new Date('2025-01-01T00:00:00Z'), new Map([['long-gone', 1]]));
  const { counter } = counterOn(house.database);
  counter.take(await entered(5));
  await counter.close();
  assert.equal(await storedCount('long-gone'), 0);
});
