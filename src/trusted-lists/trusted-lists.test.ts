import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { actionsOf, createRecordingAudit } from '../../test/support/recording-audit.ts';
import { type ListOptions, listXml, signList } from '../../test/support/trusted-list.ts';
import type { Actor } from '../audit/index.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AnchorChange } from '../trust/index.ts';
import { createTrustedLists, type ListReader } from './index.ts';
import { readTrustedList } from './read.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const operator = createAuthority('Operator');
const successor = createAuthority('Successor');
const issuing = createAuthority('Issuing');
const staff: Actor = { kind: 'staff', reference: 'test' };
let reads = 0;
/** Without the thread, which has its own test. */
const reader: ListReader = {
  read: (...given) => {
    reads += 1;
    return readTrustedList(...given);
  },
  close: async () => undefined,
};

let database: TestDatabase;
before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());

const after60 = (seconds: number) => new Date(NOW.getTime() + seconds * 1_000);
const service = {
  certificates: [issuing],
  status: 'granted',
  from: new Date('2020-01-01T00:00:00Z'),
  uses: ['ForWebSiteAuthentication'],
};
const document = (options: ListOptions = {}, signer = operator) =>
  Buffer.from(signList(listXml({ services: [service], ...options }), { signer }));

interface Wishes {
  readonly bank: string;
  readonly signers?: readonly Uint8Array[];
  readonly published?: () => Uint8Array;
  readonly refreshSeconds?: number;
}

/** The room of one process for one bank, and what it did. */
async function room({ bank, signers = [operator.der], published = nothing, refreshSeconds = 3_600 }: Wishes) {
  let now = NOW;
  let asked = 0;
  const applied: AnchorChange[] = [];
  const lines: string[] = [];
  const outcomes: string[] = [];
  const audit = createRecordingAudit();
  const obtain = async () => {
    asked += 1;
    return published();
  };
  const lists = await createTrustedLists({
    database,
    audit,
    clock: { now: () => now },
    log: { info: (_, message) => lines.push(message), warn: (_, message) => lines.push(message) },
    banks: [{ bank, use: 'transport', lists: [{ territory: 'XX', signers, obtain, refreshSeconds }] }],
    apply: (of, change) => {
      assert.equal(of, bank);
      applied.push(change);
    },
    observe: ({ outcome }) => outcomes.push(outcome),
    reader,
  });
  return {
    lists,
    applied,
    lines,
    outcomes,
    audit,
    asked: () => asked,
    setNow: (moment: Date) => {
      now = moment;
    },
    sequence: () => lists.statesOf(bank)[0]?.list?.sequence,
    problem: () => lists.statesOf(bank)[0]?.problem,
  };
}

const nothing = (): Uint8Array => {
  throw new Refusal('upstream_unavailable', 502, 'nobody answers');
};

async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  const cause = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(cause instanceof Refusal, `no refusal: ${String(cause)}`);
  return cause.detail ?? cause.code;
}

/** Waits for what a notification brings about. */
async function eventually(holds: () => boolean): Promise<void> {
  const until = performance.now() + 10_000;
  while (!holds() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(holds());
}

test('attack 66 the number of a list does not go back, and one number means one list', async () => {
  const { lists, audit, sequence } = await room({ bank: 'replay' });
  await lists.importList('replay', document({ sequence: 8 }), staff);
  assert.equal(await refusal(lists.importList('replay', document({ sequence: 7 }), staff)), 'sequence_back');
  assert.equal(
    await refusal(lists.importList('replay', document({ sequence: 8, services: [] }), staff)),
    'sequence_back',
  );
  assert.equal(sequence(), 8);
  assert.deepEqual(actionsOf(audit), ['trusted_list.imported', 'trusted_list.refused', 'trusted_list.refused']);
  const [imported, refused] = audit.events;
  assert.deepEqual(
    [imported?.facts?.sequence, imported?.facts?.territory, imported?.facts?.services, refused?.detail],
    [8, 'XX', 1, 'sequence_back'],
  );
  await lists.close();
});

test('the list at hand may be offered again; nothing changes and nothing is recorded', async () => {
  const { lists, audit, outcomes } = await room({ bank: 'again' });
  const same = document();
  await lists.importList('again', same, staff);
  await lists.importList('again', same, staff);
  assert.deepEqual([actionsOf(audit), outcomes], [['trusted_list.imported'], ['imported', 'unchanged']]);
  await lists.close();
});

test('a list is verified once by the process that imports it, whatever the notification says', async () => {
  const { lists, sequence } = await room({ bank: 'once' });
  reads = 0;
  await lists.importList('once', document(), staff);
  await lists.refresh();
  assert.deepEqual([sequence(), reads], [7, 1]);
  await lists.close();
});

test('attack 66 a refused list leaves the last good one in force', async () => {
  const { lists, applied, sequence } = await room({ bank: 'kept' });
  await lists.importList('kept', document(), staff);
  assert.equal(await refusal(lists.importList('kept', document({ sequence: 9 }, successor), staff)), 'signer_unknown');
  const tampered = Buffer.from(document({ sequence: 9 }).toString().replace('granted', 'Granted'));
  assert.equal(await refusal(lists.importList('kept', tampered, staff)), 'signature_invalid');
  assert.equal(await refusal(lists.importList('nobody', document(), staff)), 'not_found');
  assert.deepEqual([sequence(), applied.length], [7, 1]);
  await lists.close();
});

test('nothing is kept when the record of it cannot be written', async () => {
  const { lists, audit, applied } = await room({ bank: 'unrecorded' });
  audit.failure = new Error('no room left');
  await assert.rejects(lists.importList('unrecorded', document(), staff), /no room left/);
  audit.failure = undefined;
  assert.deepEqual(applied, []);
  await lists.importList('unrecorded', document(), staff);
  assert.deepEqual(actionsOf(audit), ['trusted_list.imported']);
  await lists.close();
});

test('a list that was never imported is missing, and the start says so; once imported its anchors are handed over', async () => {
  const { lists, applied, lines } = await room({ bank: 'fresh' });
  assert.deepEqual(lines, ['no trusted list at hand: its authorities are refused']);
  assert.deepEqual([lists.endsAt(), applied], [undefined, []]);
  await lists.importList('fresh', document(), staff);
  const [change] = applied;
  assert.deepEqual(change?.missingLists, []);
  assert.deepEqual(
    change?.grantedAnchors?.map(({ pem, origin }) => [pem, origin]),
    [[issuing.certificatePem, 'trusted list XX']],
  );
  assert.deepEqual(lists.endsAt(), new Date('2027-03-01T00:00:00Z'));
  await lists.close();
});

test('a stored list is verified again when it is loaded: by the clock and by the certificates that are pinned now', async () => {
  const first = await room({ bank: 'stored' });
  await first.lists.importList('stored', document(), staff);
  await first.lists.close();
  const second = await room({ bank: 'stored' });
  assert.deepEqual([second.sequence(), second.lines], [7, []]);
  await second.lists.close();
  const rotated = await room({ bank: 'stored', signers: [successor.der] });
  assert.equal(rotated.sequence(), undefined);
  assert.match(rotated.problem() ?? '', /not signed by one of the certificates that are pinned/);
  assert.ok(rotated.lines.includes('the trusted list at hand does not count'));
  // The new operator signs on; while both are pinned nothing is interrupted.
  await rotated.lists.importList('stored', document({ sequence: 8 }, successor), staff);
  assert.equal(rotated.sequence(), 8);
  await rotated.lists.close();
  const both = await room({ bank: 'stored', signers: [operator.der, successor.der] });
  assert.equal(both.sequence(), 8);
  await both.lists.close();
  await database.query('UPDATE trusted_lists.lists SET document = $2 WHERE bank = $1', [
    'stored',
    document({ sequence: 8 }, successor).toString().replace('Svcstatus/granted', 'Svcstatus/withdrawn'),
  ]);
  const tampered = await room({ bank: 'stored', signers: [successor.der] });
  assert.deepEqual([tampered.sequence(), tampered.applied], [undefined, []]);
  await tampered.lists.close();
});

test('one process fetches what is due; every process takes it over within one notification, or one round without', async () => {
  let published = document();
  const [one, two] = [
    await room({ bank: 'shared', published: () => published }),
    await room({ bank: 'shared', published: () => published }),
  ];
  await Promise.all([one.lists.refresh(), two.lists.refresh()]);
  assert.equal(one.asked() + two.asked(), 1);
  await eventually(() => one.sequence() === 7 && two.sequence() === 7);
  // Not due yet.
  await one.lists.refresh();
  assert.equal(one.asked() + two.asked(), 1);
  published = document({ sequence: 8, services: [] });
  one.setNow(after60(3_600 * 1.2));
  await one.lists.refresh();
  await eventually(() => two.sequence() === 8);
  assert.deepEqual(two.applied.at(-1)?.grantedAnchors, []);
  // A notification that was lost is made up for by the next round.
  await database.query(
    "UPDATE trusted_lists.lists SET sequence = 9, sha256 = 'x', document = $1 WHERE bank = 'shared'",
    [document({ sequence: 9 }).toString()],
  );
  await two.lists.refresh();
  assert.equal(two.sequence(), 9);
  await Promise.all([one.lists.close(), two.lists.close()]);
});

test('a source that fails is asked again later and later, and the list at hand stays', async () => {
  let published: () => Uint8Array = () => document();
  const { lists, asked, outcomes, setNow, sequence, problem, lines } = await room({
    bank: 'failing',
    published: () => published(),
  });
  await lists.refresh();
  published = nothing;
  const attempts: number[] = [];
  for (let minute = 0; minute < 240; minute += 1) {
    setNow(after60(3_600 * 1.2 + minute * 60));
    const before = asked();
    await lists.refresh();
    if (asked() > before) attempts.push(minute);
  }
  const gaps = attempts.slice(1).map((minute, index) => minute - (attempts[index] ?? 0));
  assert.ok(attempts.length >= 6 && attempts.length <= 10, String(attempts));
  assert.ok(
    gaps.every((gap, index) => index === 0 || gap >= (gaps[index - 1] ?? 0) - 12),
    String(gaps),
  );
  assert.deepEqual([sequence(), problem()], [7, 'nobody answers']);
  assert.ok(outcomes.includes('unavailable'));
  assert.ok(lines.includes('the trusted list could not be refreshed'));
  published = () => document({ sequence: 8 });
  setNow(after60(86_400));
  await lists.refresh();
  assert.deepEqual([sequence(), problem()], [8, undefined]);
  await lists.close();
});

test('a source that publishes the list of another territory, or nonsense, changes nothing', async () => {
  const { lists, outcomes, sequence, problem } = await room({
    bank: 'confused',
    published: () => Buffer.from('<html/>'),
  });
  await lists.refresh();
  assert.deepEqual([sequence(), outcomes], [undefined, ['refused']]);
  assert.match(problem() ?? '', /not signed/);
  await lists.close();
});

test('a list that ends is announced a week before, every hour, and when it has ended', async () => {
  const only = document();
  const { lists, lines, setNow } = await room({ bank: 'ending', published: () => only, refreshSeconds: 86_400 });
  await lists.refresh();
  const told = (moment: string) => {
    lines.length = 0;
    setNow(new Date(moment));
    return lists.refresh().then(() => lines.filter((line) => line.startsWith('the trusted list')));
  };
  assert.deepEqual(await told('2027-02-21T00:00:00Z'), []);
  assert.deepEqual(await told('2027-02-23T00:00:00Z'), ['the trusted list ends soon']);
  assert.deepEqual(await told('2027-02-23T00:30:00Z'), []);
  assert.deepEqual(await told('2027-02-23T01:00:00Z'), ['the trusted list ends soon']);
  assert.deepEqual(await told('2027-03-01T00:00:00Z'), ['the trusted list has ended: its authorities are refused']);
  await lists.close();
});

test('a room that works by itself gets its lists at once, and stops when it is closed', async () => {
  const { lists, sequence, asked, setNow } = await room({ bank: 'started', published: () => document() });
  lists.start();
  await eventually(() => sequence() === 7);
  await lists.close();
  setNow(after60(86_400));
  await lists.refresh();
  assert.equal(asked(), 1);
});
