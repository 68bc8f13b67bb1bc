import assert from 'node:assert/strict';
import { after, before, beforeEach, mock, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { monotonicMilliseconds, systemClock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import { type Audit, type AuditEvent, createAudit } from './index.ts';
import { QUEUE_LIMIT, QUEUE_RESERVE, Queue } from './queue.ts';
import { BEGINNING, linkAll, type NewRecord } from './record.ts';

/** The real database behind a switch: it fails before a statement, loses the answer after it, or hangs. */
let real: TestDatabase;
let mode: 'works' | 'fails' | 'answer lost' | 'hangs';
let release: () => void = () => undefined;
const logged: string[] = [];
let audit: Audit;

before(async () => {
  real = await openTestDatabase();
});
after(async () => {
  await audit.close();
  await real.close();
});
beforeEach(async () => {
  await audit?.close();
  await real.query('TRUNCATE audit.events, audit.chains');
  await real.query('UPDATE audit.trail SET chains = 0, last_chain = NULL');
  mode = 'works';
  logged.length = 0;
  audit = await createAudit({
    database: switched(),
    clock: systemClock,
    log: { error: (_, message) => logged.push(message), info: (_, message) => logged.push(message) },
  });
});

function switched(): Database {
  return {
    ...real,
    query: async (text, values) => {
      if (mode === 'fails') throw new Error('the database is gone');
      if (mode === 'hangs')
        await new Promise<void>((resolve) => {
          release = resolve;
        });
      const rows = await real.query(text, values);
      if (mode === 'answer lost') throw new Error('the connection broke');
      return rows;
    },
  };
}

const event = (index = 0): AuditEvent => {
  return { family: 'gateway', action: 'request.forwarded', outcome: 'allowed', facts: { index } };
};

function refuses(detail: string) {
  return (cause: unknown): boolean =>
    cause instanceof Refusal && cause.code === 'audit_unavailable' && cause.status === 503 && cause.detail === detail;
}

async function indexes(): Promise<readonly unknown[]> {
  const records = await audit.search({ action: 'request.forwarded', limit: 1000 });
  return records.map(({ facts }) => facts?.index).reverse();
}

test('LAB-42 a database that fails makes enqueue and checkWritable refuse; when it is back everything is recorded once', async () => {
  mode = 'fails';
  audit.enqueue(event(1));
  await assert.rejects(audit.flush(), refuses('commit_failed'));
  assert.throws(() => audit.checkWritable(), refuses('commit_failed'));
  assert.throws(() => audit.enqueue(event(2)), refuses('commit_failed'));
  await assert.rejects(audit.flush(), refuses('commit_failed'));
  mode = 'works';
  await audit.flush();
  audit.checkWritable();
  audit.enqueue(event(3));
  await audit.flush();
  assert.deepEqual(await indexes(), [1, 2, 3]);
  assert.equal((await audit.verify()).intact, true);
  assert.deepEqual(logged, ['audit records cannot be committed', 'audit records are committed again']);
});

test('LAB-42 recovery needs nobody to ask: the queue retries by itself', async () => {
  mode = 'fails';
  audit.enqueue(event(1));
  await assert.rejects(audit.flush(), refuses('commit_failed'));
  mode = 'works';
  const deadline = monotonicMilliseconds() + 5_000;
  const writable = (): boolean => {
    try {
      audit.checkWritable();
      return true;
    } catch {
      return false;
    }
  };
  while (!writable()) {
    assert.ok(monotonicMilliseconds() < deadline, 'the queue did not recover');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.deepEqual(await indexes(), [1]);
});

test('LAB-42 a group whose answer was lost is not recorded twice', async () => {
  mode = 'answer lost';
  audit.enqueue(event(1));
  audit.enqueue(event(2));
  await assert.rejects(audit.flush(), refuses('commit_failed'));
  mode = 'works';
  await audit.flush();
  audit.enqueue(event(3));
  await audit.flush();
  assert.deepEqual(await indexes(), [1, 2, 3]);
  assert.equal((await audit.verify()).intact, true);
});

test('LAB-42 a full queue refuses; requests are refused before it is full, and it drains', async () => {
  for (let index = 0; index < QUEUE_LIMIT - QUEUE_RESERVE; index += 1) audit.enqueue(event(index));
  assert.throws(() => audit.checkWritable(), refuses('queue_full'));
  for (let index = 0; index < QUEUE_RESERVE; index += 1) audit.enqueue(event(index));
  assert.throws(() => audit.enqueue(event()), refuses('queue_full'));
  await audit.flush();
  audit.checkWritable();
  const verdict = await audit.verify();
  assert.equal(verdict.intact, true);
});

test('LAB-42 a database that does not answer refuses new requests after two seconds', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  mode = 'hangs';
  audit.enqueue(event(1));
  context.mock.timers.tick(20);
  await Promise.resolve();
  context.mock.timers.tick(1_999);
  audit.checkWritable();
  context.mock.timers.tick(1);
  assert.throws(() => audit.checkWritable(), refuses('commit_stalled'));
  mode = 'works';
  release();
  mock.timers.reset();
  await audit.flush();
  audit.checkWritable();
  assert.deepEqual(await indexes(), [1]);
});

test('LAB-42 a chain that somebody else moved is not written to', async () => {
  const robbed = await createAudit({ database: real, clock: systemClock });
  robbed.enqueue(event(1));
  await robbed.flush();
  await real.query("UPDATE audit.chains SET head_hash = 'x' WHERE kind = 'queue' AND head_sequence = 2");
  robbed.enqueue(event(2));
  await assert.rejects(robbed.flush(), refuses('commit_failed'));
  assert.throws(() => robbed.checkWritable(), refuses('commit_failed'));
  await assert.rejects(robbed.close(), /1 audit records could not be committed/);
  assert.deepEqual(await indexes(), [1]);
});

test('LAB-42 a trail that cannot flush at its end says how many records are lost', async () => {
  const closing = await createAudit({ database: switched(), clock: systemClock });
  mode = 'fails';
  for (let index = 0; index < 3; index += 1) closing.enqueue(event(index));
  await assert.rejects(closing.close(), /3 audit records could not be committed/);
  mode = 'works';
});

test('records without company are committed within 50 ms and nobody has to flush', async () => {
  audit.enqueue(event(7));
  const started = monotonicMilliseconds();
  while ((await indexes()).at(-1) !== 7) {
    assert.ok(monotonicMilliseconds() - started < 5_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});

test('what comes during a commit waits for company, unless somebody waits for it', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const groups: number[] = [];
  const entries: NewRecord[] = [];
  const queue = new Queue(
    {
      stalled: () => false,
      link: (given) => linkAll('chain', BEGINNING, given),
      write: async (group) => {
        groups.push(group.length);
        entries.push(...group);
        // Two come while the first group is being committed.
        if (groups.length === 1) for (const index of [2, 3]) queue.enqueue(event(index));
      },
    },
    systemClock,
    undefined,
  );
  try {
    queue.enqueue(event(1));
    mock.timers.tick(20);
    await settled();
    assert.deepEqual(groups, [1]);
    queue.enqueue(event(4));
    mock.timers.tick(20);
    await settled();
    assert.deepEqual(groups, [1, 3]);
    queue.enqueue(event(5));
    await queue.flush();
    assert.deepEqual(groups, [1, 3, 1]);
    assert.deepEqual(
      entries.map(({ canonical }) => JSON.parse(canonical).at(-1)),
      [1, 2, 3, 4, 5].map((index) => [['index', index]]),
    );
  } finally {
    mock.timers.reset();
    await queue.close();
  }
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}
