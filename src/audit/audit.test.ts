import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import type { Clock } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import { integer, text } from '../platform/row.ts';
import { type Audit, type AuditEvent, createAudit, removeExpiredRecords } from './index.ts';

let database: TestDatabase;
let now = new Date('2026-03-01T10:00:00.123Z');
const clock: Clock = { now: () => now };
const open: Audit[] = [];

before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

beforeEach(async () => {
  for (const audit of open.splice(0)) await audit.close();
  now = new Date('2026-03-01T10:00:00.123Z');
  await database.query('TRUNCATE audit.events, audit.chains');
  await database.query('UPDATE audit.trail SET chains = 0, last_chain = NULL');
});

async function start(): Promise<Audit> {
  const audit = await createAudit({ database, clock });
  open.push(audit);
  return audit;
}

function forwarded(change: Partial<AuditEvent> = {}): AuditEvent {
  return { family: 'gateway', action: 'request.forwarded', outcome: 'allowed', bank: 'gobank', ...change };
}

/** Six records in one chain, and that chain. */
async function sixRecords(audit: Audit): Promise<string> {
  for (let index = 0; index < 6; index += 1) audit.enqueue(forwarded({ facts: { index } }));
  await audit.flush();
  const [row] = await database.query(
    "SELECT chain::text AS chain FROM audit.chains WHERE kind = 'queue' ORDER BY ordinal DESC",
  );
  return text(row ?? {}, 'chain');
}

const unavailable = { name: 'Refusal', code: 'audit_unavailable', status: 503 };

test('LAB-42 a record keeps every member exactly as given', async () => {
  const audit = await start();
  const event: AuditEvent = {
    family: 'gateway',
    action: 'request.refused',
    outcome: 'refused',
    bank: 'gobank',
    participant: 'financroo',
    client: 'client-1',
    subject: 'Zm9v',
    consent: 'consent-1',
    interaction: '3f0d2a62-2a5e-4f0b-9a43-6a6d1e9f0c11',
    reason: 'insufficient_scope',
    detail: 'scope',
    facts: { route: '/accounts/{account}', method: 'GET', status: 403, milliseconds: 1.25, bound: true, none: null },
  };
  audit.enqueue(event);
  await audit.flush();
  const [record] = await audit.search({ participant: 'financroo' });
  assert.deepEqual({ ...record }, { ...event, at: now, chain: record?.chain, sequence: 2, hash: record?.hash });
  assert.match(record?.hash ?? '', /^[\w-]{43}$/);
});

test('LAB-45 values that a database changes or refuses are recorded and still verify', async () => {
  const audit = await start();
  const facts = {
    zero: -0,
    large: 1e21,
    larger: Number.MAX_VALUE,
    tiny: 5e-324,
    fraction: 0.1,
    nan: Number.NaN,
    infinite: Number.POSITIVE_INFINITY,
    ß: 'a\0b',
    'key\0': '\ud800 lone',
    __proto__: null,
    '10': 'numeric name',
    '9': 'numeric name',
    long: 'x'.repeat(10_000),
  };
  audit.enqueue(forwarded({ consent: 'c\0', client: '💶'.repeat(5_000), detail: '', facts }));
  await database.transaction((statements) => audit.record(statements, forwarded({ facts })));
  audit.enqueue(
    forwarded({ facts: Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`f${index}`, index])) }),
  );
  await audit.flush();
  const verdict = await audit.verify();
  assert.equal(verdict.intact, true);
  const found = await audit.search({ action: 'request.forwarded' });
  assert.equal(found.length, 3);
  const cut = found.find(({ client }) => client !== undefined);
  assert.equal(cut?.client?.length, 256);
  assert.equal(cut?.detail, '');
  assert.equal(cut?.facts?.nan, null);
  assert.ok(found.every((record) => Object.keys(record.facts ?? {}).length <= 32));
});

test('LAB-45 a rolled back transaction leaves no record and a whole chain', async () => {
  const audit = await start();
  const work = database.transaction(async (statements) => {
    await audit.record(statements, forwarded());
    throw new Error('the change failed');
  });
  await assert.rejects(work, /the change failed/);
  await database.transaction((statements) => audit.record(statements, forwarded({ action: 'consent.revoked' })));
  assert.deepEqual(await audit.search({ action: 'request.forwarded' }), []);
  assert.equal((await audit.search({ action: 'consent.revoked' })).length, 1);
  assert.equal((await audit.verify()).intact, true);
});

test('LAB-45 two records of one transaction, also at once, follow each other', async () => {
  const audit = await start();
  await database.transaction(async (statements) => {
    await audit.record(statements, forwarded());
    await Promise.all([audit.record(statements, forwarded()), audit.record(statements, forwarded())]);
  });
  assert.equal((await audit.search({ action: 'request.forwarded' })).length, 3);
  assert.equal((await audit.verify()).intact, true);
});

test('LAB-45 fifty transactions, some rolled back, and the queue write at once: the trail is intact', async () => {
  const audits = [await start(), await start()];
  const transactions = Array.from({ length: 50 }, async (_, index) => {
    const audit = audits[index % 2] ?? (await start());
    audit.enqueue(forwarded({ facts: { index } }));
    try {
      await database.transaction(async (statements) => {
        await audit.record(statements, forwarded({ action: 'consent.authorised', facts: { index } }));
        if (index % 5 === 0) throw new Error('rolled back');
        await audit.record(statements, forwarded({ action: 'token.issued', facts: { index } }));
      });
    } catch (cause) {
      assert.equal(index % 5, 0, String(cause));
    }
    audit.enqueue(forwarded({ facts: { index } }));
  });
  await Promise.all(transactions);
  for (const audit of audits) await audit.flush();
  const verdict = await audits[0]?.verify();
  assert.deepEqual(verdict, { intact: true, chains: 10, records: 10 + 100 + 80 });
});

test('LAB-45 verification while records are written says intact', async () => {
  const audit = await start();
  let verdicts = 0;
  for (let round = 0; round < 10; round += 1) {
    for (let index = 0; index < 50; index += 1) audit.enqueue(forwarded({ facts: { round, index } }));
    const writing = database.transaction((statements) => audit.record(statements, forwarded()));
    const verdict = await audit.verify();
    assert.equal(verdict.intact, true, JSON.stringify(verdict));
    verdicts += 1;
    await writing;
  }
  assert.equal(verdicts, 10);
});

const tampering: readonly [name: string, sql: string, sequence: number, problem: string][] = [
  ['changed outcome', "UPDATE audit.events SET outcome = 'refused' WHERE chain = $1 AND sequence = 3", 3, 'changed'],
  ['changed family', "UPDATE audit.events SET family = 'nonsense' WHERE chain = $1 AND sequence = 3", 3, 'changed'],
  ['changed fact', `UPDATE audit.events SET facts = '{"index": 7}' WHERE chain = $1 AND sequence = 3`, 3, 'changed'],
  ['nested fact', `UPDATE audit.events SET facts = '[{"a": {}}]' WHERE chain = $1 AND sequence = 3`, 3, 'changed'],
  ['changed time', "UPDATE audit.events SET at = at + interval '1 ms' WHERE chain = $1 AND sequence = 4", 4, 'changed'],
  ['endless time', "UPDATE audit.events SET at = 'infinity' WHERE chain = $1 AND sequence = 4", 4, 'changed'],
  ['added client', "UPDATE audit.events SET client = '' WHERE chain = $1 AND sequence = 2", 2, 'changed'],
  [
    'moved to the same place of another chain',
    `UPDATE audit.events SET chain = gen_random_uuid() WHERE chain = $1 AND sequence = 3`,
    3,
    'removed',
  ],
  ['changed hash', "UPDATE audit.events SET hash = 'x' WHERE chain = $1 AND sequence = 5", 5, 'changed'],
  ['changed link', "UPDATE audit.events SET previous_hash = 'x' WHERE chain = $1 AND sequence = 5", 5, 'changed'],
  ['removed first', 'DELETE FROM audit.events WHERE chain = $1 AND sequence = 1', 1, 'removed'],
  ['removed in the middle', 'DELETE FROM audit.events WHERE chain = $1 AND sequence = 4', 4, 'removed'],
  ['removed several', 'DELETE FROM audit.events WHERE chain = $1 AND sequence IN (3, 4)', 3, 'removed'],
  ['cut off at the end', 'DELETE FROM audit.events WHERE chain = $1 AND sequence >= 6', 6, 'removed'],
  ['emptied', 'DELETE FROM audit.events WHERE chain = $1', 1, 'removed'],
  [
    'removed and the rest moved down',
    `DELETE FROM audit.events WHERE chain = $1 AND sequence = 4;
     UPDATE audit.events SET sequence = -sequence WHERE chain = $1 AND sequence > 4;
     UPDATE audit.events SET sequence = -sequence - 1 WHERE chain = $1 AND sequence < 0;
     UPDATE audit.chains SET head_sequence = 6 WHERE chain = $1`,
    4,
    'removed',
  ],
  [
    'two exchanged',
    `UPDATE audit.events e SET at = o.at, facts = o.facts, hash = o.hash, previous_hash = o.previous_hash
     FROM audit.events o WHERE e.chain = $1 AND o.chain = $1 AND e.sequence IN (3, 5) AND o.sequence = 8 - e.sequence`,
    3,
    'reordered',
  ],
  [
    'a record behind the head',
    `INSERT INTO audit.events (chain, sequence, at, family, action, outcome, facts, previous_hash, hash)
     SELECT chain, 8, at, family, action, outcome, facts, hash, 'x' FROM audit.events WHERE chain = $1 AND sequence = 7`,
    8,
    'changed',
  ],
  ['moved head', "UPDATE audit.chains SET head_hash = 'x' WHERE chain = $1", 7, 'changed'],
];

for (const [name, sql, sequence, problem] of tampering) {
  test(`LAB-45 verification names the first bad record: ${name}`, async () => {
    const audit = await start();
    const chain = await sixRecords(audit);
    assert.equal((await audit.verify()).intact, true);
    for (const statement of sql.split(';')) await database.query(statement, [chain]);
    assert.deepEqual(await audit.verify(), { intact: false, chain, sequence, problem });
  });
}

test('LAB-45 a chain that is gone with all its records is named', async () => {
  const first = await start();
  const chain = await sixRecords(first);
  await start();
  await database.query('DELETE FROM audit.events WHERE chain = $1', [chain]);
  await database.query('DELETE FROM audit.chains WHERE chain = $1', [chain]);
  assert.deepEqual(await first.verify(), { intact: false, chain, sequence: 1, problem: 'chain removed' });
});

test('LAB-45 a removed chain is named when the ordinals are closed up again', async () => {
  const first = await start();
  const chain = await sixRecords(first);
  const second = await start();
  await database.query('DELETE FROM audit.events WHERE chain = $1', [chain]);
  await database.query('DELETE FROM audit.chains WHERE chain = $1', [chain]);
  await database.query('UPDATE audit.chains SET ordinal = -ordinal');
  await database.query('UPDATE audit.chains SET ordinal = -ordinal - 1');
  assert.deepEqual(await second.verify(), { intact: false, chain, sequence: 1, problem: 'chain removed' });
});

test('LAB-45 the newest chain that is gone is named', async () => {
  const audit = await start();
  const [row] = await database.query('SELECT chain::text AS chain FROM audit.chains ORDER BY ordinal DESC LIMIT 1');
  const chain = text(row ?? {}, 'chain');
  await database.query('DELETE FROM audit.events WHERE chain = $1', [chain]);
  await database.query('DELETE FROM audit.chains WHERE chain = $1', [chain]);
  assert.deepEqual(await audit.verify(), { intact: false, chain, sequence: 1, problem: 'chain removed' });
});

test('LAB-45 a cut off end is named though the head was moved back, once a later chain vouches for it', async () => {
  const first = await start();
  const chain = await sixRecords(first);
  const second = await start();
  await database.query('DELETE FROM audit.events WHERE chain = $1 AND sequence = 7', [chain]);
  await database.query(
    `UPDATE audit.chains SET head_sequence = 6, head_hash =
       (SELECT hash FROM audit.events WHERE chain = $1 AND sequence = 6) WHERE chain = $1`,
    [chain],
  );
  assert.deepEqual(await second.verify(), { intact: false, chain, sequence: 7, problem: 'removed' });
});

test('LAB-45 retention removes the oldest records only, says so, and the rest still verifies', async () => {
  const audit = await start();
  await sixRecords(audit);
  const borderline = new Date('2026-03-02T00:00:00Z');
  now = borderline;
  await sixRecords(audit);
  now = new Date('2026-03-03T00:00:00Z');
  await assert.rejects(removeExpiredRecords({ database, audit, clock, before: now }), /only records of the past/);
  const removed = await removeExpiredRecords({ database, audit, clock, before: borderline });
  assert.equal(removed, 5 + 6);
  const left = await audit.search({ limit: 1000 });
  assert.ok(left.every(({ at }) => at >= borderline));
  assert.deepEqual(left.find(({ action }) => action === 'audit.records_removed')?.facts, {
    before: borderline.toISOString(),
    records: 11,
  });
  assert.deepEqual(await audit.verify(), { intact: true, chains: 5, records: 7 });
  assert.equal(await removeExpiredRecords({ database, audit, clock, before: borderline }), 0);
  await start();
  assert.equal((await audit.verify()).intact, true);
});

test('LAB-44 search by participant, time, outcome and reason: only those, newest first, page by page', async () => {
  const audit = await start();
  const expected: number[] = [];
  for (let index = 0; index < 40; index += 1) {
    if (index % 4 === 0) now = new Date(now.getTime() + 1);
    const mine = index % 3 !== 0;
    audit.enqueue(
      forwarded({
        participant: mine ? 'tpp-a' : 'tpp-b',
        outcome: 'refused',
        reason: index % 2 === 0 ? 'insufficient_scope' : 'rate_limited',
        facts: { index },
      }),
    );
    if (mine && index % 2 === 0) expected.unshift(index);
  }
  await audit.flush();
  const filter = { participant: 'tpp-a', outcome: 'refused', reason: 'insufficient_scope', limit: 4 } as const;
  const found: unknown[] = [];
  let page = await audit.search(filter);
  while (page.length > 0) {
    assert.ok(page.length <= 4);
    assert.ok(page.every(({ participant }) => participant === 'tpp-a'));
    found.push(...page.map(({ facts }) => facts?.index));
    const last = page.at(-1);
    page = last === undefined ? [] : await audit.search({ ...filter, after: last });
  }
  assert.deepEqual(found, expected);
  const from = new Date('2026-03-01T10:00:00.125Z');
  const to = new Date('2026-03-01T10:00:00.127Z');
  const within = await audit.search({ participant: 'tpp-a', from, to });
  assert.ok(within.length > 0);
  assert.ok(within.every(({ at }) => at >= from && at < to));
});

test('LAB-43 LAB-44 CLD-49 each filter narrows to its own records', async () => {
  const audit = await start();
  const marks = { bank: 'albion', participant: 'p', client: 'c', consent: 'k', interaction: 'i', reason: 'r' } as const;
  for (const [name, value] of Object.entries(marks)) audit.enqueue(forwarded({ [name]: value, detail: name }));
  for (const family of ['authentication', 'key', 'handler'] as const)
    audit.enqueue({ family, action: `${family}.done`, outcome: 'changed' });
  await audit.flush();
  for (const [name, value] of Object.entries(marks))
    assert.deepEqual(
      (await audit.search({ [name]: value })).map(({ detail }) => detail),
      [name],
    );
  for (const family of ['authentication', 'key', 'handler'] as const) {
    assert.deepEqual(
      (await audit.search({ family })).map(({ action }) => action),
      [`${family}.done`],
    );
    assert.deepEqual(
      (await audit.search({ action: `${family}.done` })).map((record) => record.family),
      [family],
    );
  }
  assert.equal((await audit.search({ family: 'gateway' })).length, 6);
  assert.deepEqual(await audit.search({ participant: "p' OR '1'='1" }), []);
});

test('LAB-44 a page has an upper limit', async () => {
  const audit = await start();
  for (let index = 0; index < 1_100; index += 1) audit.enqueue(forwarded({ facts: { index } }));
  await audit.flush();
  assert.equal((await audit.search({ limit: 1_000_000 })).length, 1_000);
  assert.equal((await audit.search({})).length, 100);
  assert.equal((await audit.search({ limit: -1 })).length, 1);
});

test('LAB-42 record refuses when the database refuses, and the change is not made', async () => {
  const audit = await start();
  const work = database.transaction(async (statements) => {
    await statements.query('CREATE TABLE public.change (id integer)');
    await statements.query('DELETE FROM audit.chains');
    await audit.record(statements, forwarded());
  });
  await assert.rejects(work, unavailable);
  const [row] = await database.query("SELECT count(*) AS count FROM pg_tables WHERE tablename = 'change'");
  assert.equal(integer(row ?? {}, 'count'), 0);
});

test('LAB-42 a closed trail refuses and has kept everything', async () => {
  const audit = await createAudit({ database, clock });
  audit.enqueue(forwarded());
  await audit.close();
  assert.throws(() => audit.enqueue(forwarded()), unavailable);
  assert.throws(
    () => audit.checkWritable(),
    (cause) => cause instanceof Refusal && cause.detail === 'closed',
  );
  assert.equal((await audit.search({ action: 'request.forwarded' })).length, 1);
});

test('LAB-45 heads kept elsewhere show a cut that the database alone cannot: end removed, head moved back, or a chain forged anew', async () => {
  const audit = await start();
  const chain = await sixRecords(audit);
  const kept = await audit.heads();
  assert.equal(kept.find((head) => head.chain === chain)?.sequence, 7);
  assert.equal((await audit.verify(kept)).intact, true);
  await database.query('DELETE FROM audit.events WHERE chain = $1 AND sequence = 7', [chain]);
  await database.query(
    `UPDATE audit.chains SET head_sequence = 6, head_hash =
       (SELECT hash FROM audit.events WHERE chain = $1 AND sequence = 6) WHERE chain = $1`,
    [chain],
  );
  assert.equal((await audit.verify()).intact, true);
  assert.deepEqual(await audit.verify(kept), { intact: false, chain, sequence: 7, problem: 'removed' });
  await database.query(`UPDATE audit.events SET hash = 'forged' WHERE chain = $1 AND sequence = 6`, [chain]);
  const forged = kept.map((head) => (head.chain === chain ? { ...head, sequence: 6 } : head));
  assert.deepEqual(await audit.verify(forged), { intact: false, chain, sequence: 6, problem: 'changed' });
  const gone = '00000000-0000-4000-8000-000000000000';
  const verdict = await audit.verify([{ chain: gone, sequence: 1, hash: 'A'.repeat(43) }]);
  assert.deepEqual(verdict, { intact: false, chain: gone, sequence: 1, problem: 'chain removed' });
});
