import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { createAuthority } from '../../test/support/certificates.ts';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { NOW } from '../../test/support/judging.ts';
import { at, crl, type OcspOptions, ocspResponse } from '../../test/support/revocation.ts';
import { bankOf } from '../../test/support/revoking-bank.ts';
import type { Database } from '../platform/database.ts';
import { openSharing, type RevocationSettings, type Sharing } from './index.ts';

const OCSP = 'http://ocsp.example/';
const CRL = 'http://crl.example/a.crl';
/** What did not happen by then does not happen; nobody waits so long for what does. */
const LIMIT_MS = 10_000;
const root = createAuthority('Test Root');
const leaf = root.issue({ ocspUrls: [OCSP] });
const listed = root.issue({ crlUrls: [CRL] });
const ocsp = (options: OcspOptions = {}, issued = leaf) => ocspResponse(root, issued, options);

let database: TestDatabase;
const opened: Sharing[] = [];

before(async () => {
  database = await openTestDatabase();
});
afterEach(() => emptied());
after(() => database.close());

/** Ends every process first: what one of them still writes would be found by the next. */
async function emptied(): Promise<void> {
  await Promise.all(opened.splice(0).map((sharing) => sharing.close()));
  await database.query('DELETE FROM trust.revocation_answers');
}

/** One process of the platform: memory of its own, the database of all. */
async function processOf(settings: RevocationSettings = {}, state: Database = database) {
  let now = NOW;
  const sharing = await openSharing({ database: state, clock: { now: () => now } });
  opened.push(sharing);
  const bank = bankOf(root, settings, sharing);
  const move = (date: Date) => {
    now = date;
    bank.at(date);
  };
  return { ...bank, sharing, at: move };
}

/** What is left is written while nobody waits. */
async function rows(count: number): Promise<readonly Readonly<Record<string, unknown>>[]> {
  for (const until = performance.now() + LIMIT_MS; ; ) {
    const found = await database.query('SELECT key, protocol, answer, useful_until FROM trust.revocation_answers');
    if (found.length === count || performance.now() > until) {
      assert.equal(found.length, count);
      return found;
    }
    await wait(5);
  }
}

const plant = (answer: Uint8Array) => database.query('UPDATE trust.revocation_answers SET answer = $1', [answer]);

test('an answer and a list that one process fetched are verified and used by another, which asks nobody', async () => {
  const [one, two] = [await processOf(), await processOf()];
  one.set(OCSP, ocsp());
  one.set(CRL, crl(root, []));
  assert.deepEqual([await one.judge(leaf), await one.judge(listed)], ['ok by ocsp', 'ok by crl']);
  await rows(2);
  assert.deepEqual([await two.judge(leaf), await two.judge(listed)], ['ok by ocsp', 'ok by crl']);
  assert.deepEqual([one.asked, two.asked], [[OCSP, CRL], []]);
  const shared = two.observations.filter((seen) => seen.kind === 'fetch').map((seen) => seen.outcome);
  assert.deepEqual(shared, ['shared', 'shared']);
});

test('a row that was forged never says "good": the authority is asked, and an alarm is written', async () => {
  const rogue = createAuthority('Test Root');
  const other = root.issue({ ocspUrls: [OCSP] });
  const forged: readonly Uint8Array[] = [
    ocspResponse(rogue, leaf, { about: { issuer: root, serial: leaf.serial } }),
    ocspResponse(root, leaf, { signer: leaf }),
    ocsp({}, other),
    Buffer.from('good'),
    Buffer.alloc(0),
    ocsp().subarray(1),
  ];
  for (const answer of forged) {
    const one = await processOf();
    one.set(OCSP, ocsp());
    assert.equal(await one.judge(leaf), 'ok by ocsp');
    await rows(1);
    await plant(answer);
    const two = await processOf();
    assert.equal(await two.judge(leaf), 'revocation_unavailable/revocation_unavailable');
    assert.match(JSON.stringify(two.warnings), /trust.revocation_answer_unusable.*the database, for http:/);
    const three = await processOf();
    three.set(OCSP, ocsp({ status: 'revoked' }));
    assert.equal(await three.judge(leaf), 'certificate_revoked/revoked');
    await emptied();
  }
});

test('attack 57 a forged list in a row does not count: of a rogue twin, of another scope, cut off', async () => {
  const rogue = createAuthority('Test Root');
  const forged = [crl(rogue, []), crl(root, []).subarray(0, 80), crl(root, [], { nextUpdate: at(-1) })];
  for (const list of forged) {
    const one = await processOf();
    one.set(CRL, crl(root, []));
    assert.equal(await one.judge(listed), 'ok by crl');
    await rows(1);
    await plant(list);
    const two = await processOf();
    two.set(CRL, crl(root, [listed.serial], { number: 2n }));
    assert.equal(await two.judge(listed), 'certificate_revoked/revoked');
    await emptied();
  }
});

test('attack 49 a genuine answer that is played again from the database counts no longer than its signer’s hour', async () => {
  const one = await processOf();
  const old = { producedAt: at(-60), thisUpdate: at(-60), nextUpdate: at(86_400) };
  one.set(OCSP, ocsp(old));
  assert.equal(await one.judge(leaf), 'ok by ocsp');
  await rows(1);
  await database.query("UPDATE trust.revocation_answers SET fetched_at = '2027-01-01', useful_until = '2028-01-01'");
  const soon = await processOf();
  soon.at(at(2_000));
  assert.equal(await soon.judge(leaf), 'ok by ocsp');
  assert.deepEqual(soon.asked, []);
  const late = await processOf();
  late.at(at(3_600 - 60));
  assert.equal(await late.judge(leaf), 'revocation_unavailable/revocation_unavailable');
  assert.deepEqual(late.asked, [OCSP]);
});

test('attack 49 whoever requires a nonce believes no other process, and leaves nothing', async () => {
  const one = await processOf({ nonce: 'require', order: 'ocsp-only' });
  one.set(OCSP, ocsp());
  assert.equal(await one.judge(leaf), 'revocation_unavailable/revocation_unavailable');
  const prefers = await processOf();
  // The nonce of the process that asked: it proves nothing to the one that did not.
  prefers.set(OCSP, ocsp());
  assert.equal(await prefers.judge(leaf), 'ok by ocsp');
  await rows(1);
  await plant(ocsp({ nonce: Buffer.alloc(32, 7) }));
  const verdict = await (await processOf()).trust.judge(leaf.chain, 'bank');
  assert.equal(verdict.ok && verdict.revocation?.nonce, 'absent');
});

test('a withdrawal that one process learns ends what the other believed', async () => {
  const [one, two] = [await processOf(), await processOf()];
  one.set(OCSP, ocsp({ nextUpdate: at(100) }));
  two.set(OCSP, ocsp({ nextUpdate: at(100) }));
  one.set(CRL, crl(root, [], { nextUpdate: at(100) }));
  assert.equal(await one.judge(leaf), 'ok by ocsp');
  assert.equal(await one.judge(listed), 'ok by crl');
  await rows(2);
  assert.equal(await two.judge(leaf), 'ok by ocsp');
  assert.equal(await two.judge(listed), 'ok by crl');
  const newer = { producedAt: at(80), thisUpdate: at(80), nextUpdate: at(900) };
  one.set(OCSP, ocsp({ ...newer, status: 'revoked' }));
  one.set(CRL, crl(root, [listed.serial], { ...newer, number: 2n }));
  one.at(at(80));
  await one.judge(leaf);
  await one.judge(listed);
  two.set(OCSP, 'down');
  await two.becomes(leaf, 'certificate_revoked/revoked');
  await two.becomes(listed, 'certificate_revoked/revoked');
});

test('what is forgotten is forgotten in all processes and in the database, also by a question that began before', async () => {
  const [one, two] = [await processOf(), await processOf()];
  one.set(OCSP, ocsp());
  assert.equal(await one.judge(leaf), 'ok by ocsp');
  await rows(1);
  assert.equal(await two.judge(leaf), 'ok by ocsp');
  const { promise: held, resolve: release } = Promise.withResolvers<Uint8Array>();
  const { promise: asking, resolve: asked } = Promise.withResolvers<void>();
  two.set(CRL, () => {
    asked();
    return held;
  });
  const late = two.judge(listed);
  await asking;
  await one.trust.forget();
  await rows(0);
  release(crl(root, []));
  assert.equal(await late, 'ok by crl');
  for (const node of [one, two]) {
    node.set(OCSP, ocsp({ status: 'revoked' }));
    node.set(CRL, crl(root, [listed.serial], { number: 2n }));
  }
  await two.becomes(leaf, 'certificate_revoked/revoked');
  assert.equal(await two.judge(listed), 'certificate_revoked/revoked');
  assert.equal(await one.judge(listed), 'certificate_revoked/revoked');
});

/** The database as a process sees whose transactions wait before they begin, or before they are committed. */
function holding(moment: 'begin' | 'commit') {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const hold = (): Promise<void> => {
    reached.resolve();
    return gate.promise;
  };
  const transaction: Database['transaction'] = async (work) => {
    if (moment === 'begin') await hold();
    return database.transaction(async (statements) => {
      const result = await work(statements);
      if (moment === 'commit') await hold();
      return result;
    });
  };
  return { state: { ...database, transaction }, reached: reached.promise, release: gate.resolve };
}

test('what is just being left when everything is forgotten is forgotten as well', async () => {
  const slow = holding('commit');
  const [one, two] = [await processOf({}, slow.state), await processOf()];
  one.set(OCSP, ocsp());
  assert.equal(await one.judge(leaf), 'ok by ocsp');
  await slow.reached;
  const forgotten = two.trust.forget();
  // On PostgreSQL it would be over by then, unless it waited; the embedded database does one after the other.
  await Promise.race([forgotten, wait(200)]);
  slow.release();
  await forgotten;
  await one.sharing.close();
  await rows(0);
  two.set(OCSP, ocsp({ status: 'revoked' }));
  assert.equal(await two.judge(leaf), 'certificate_revoked/revoked');
});

test('whoever asks while everything is being forgotten keeps nothing of it', async () => {
  const slow = holding('begin');
  const [one, two] = [await processOf(), await processOf({}, slow.state)];
  one.set(OCSP, ocsp());
  assert.equal(await one.judge(leaf), 'ok by ocsp');
  await rows(1);
  const forgotten = two.trust.forget();
  await slow.reached;
  assert.equal(await two.judge(leaf), 'ok by ocsp');
  slow.release();
  await forgotten;
  two.set(OCSP, ocsp({ status: 'revoked' }));
  assert.equal(await two.judge(leaf), 'certificate_revoked/revoked');
});

/** Answers with `octets` as soon as `release` is called; `asked` says that the question is under way. */
function slowly(octets: Uint8Array) {
  const [asking, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<Uint8Array>()];
  const answer = (): Promise<Uint8Array> => {
    asking.resolve();
    return gate.promise;
  };
  return { answer, asked: asking.promise, release: () => gate.resolve(octets) };
}

/** Heard after every process that is there by now has heard it. */
async function newer(): Promise<void> {
  const heard = Promise.withResolvers<void>();
  const unlisten = await database.listen('trust_changed', (notice) => notice.startsWith('renewed') && heard.resolve());
  return heard.promise.then(unlisten);
}

test('a withdrawal that one process learns while another is asking: what that one is told then is not remembered', async () => {
  const [one, two] = [await processOf(), await processOf()];
  const good = slowly(ocsp({ nextUpdate: at(100) }));
  two.set(OCSP, good.answer);
  const late = two.judge(leaf);
  await good.asked;
  const told = newer();
  one.set(OCSP, ocsp({ status: 'revoked', producedAt: at(10), thisUpdate: at(10) }));
  one.at(at(10));
  assert.equal(await one.judge(leaf), 'certificate_revoked/revoked');
  await told;
  good.release();
  await late;
  two.set(OCSP, 'down');
  assert.equal(await two.judge(leaf), 'certificate_revoked/revoked');
});

test('a withdrawal that one process learns while another asks again: the older answer does not come back', async () => {
  const [one, two] = [await processOf(), await processOf()];
  two.set(OCSP, ocsp({ nextUpdate: at(100) }));
  assert.equal(await two.judge(leaf), 'ok by ocsp');
  await rows(1);
  two.at(at(80));
  const again = slowly(ocsp({ producedAt: at(70), thisUpdate: at(70), nextUpdate: at(900) }));
  two.set(OCSP, again.answer);
  // The verdict is at hand: another one over the same certificate asks the responder.
  await two.trust.explain(leaf.chain, 'bank');
  await again.asked;
  const told = newer();
  one.set(OCSP, ocsp({ status: 'revoked', producedAt: at(80), thisUpdate: at(80), nextUpdate: at(900) }));
  one.at(at(80));
  assert.equal(await one.judge(leaf), 'certificate_revoked/revoked');
  await told;
  two.set(OCSP, 'down');
  again.release();
  // Nobody waits for what is asked in the background.
  await wait(20);
  assert.equal(await two.judge(leaf), 'certificate_revoked/revoked');
});

test('a list that one process replaces while another is loading the older one: that one is read again', async () => {
  const [one, two] = [await processOf(), await processOf()];
  one.set(CRL, crl(root, [], { nextUpdate: at(100) }));
  assert.equal(await one.judge(listed), 'ok by crl');
  await rows(1);
  const old = slowly(crl(root, [], { nextUpdate: at(100) }));
  two.set(CRL, old.answer);
  two.at(at(80));
  const late = two.judge(listed);
  await old.asked;
  const told = newer();
  one.set(CRL, crl(root, [listed.serial], { thisUpdate: at(80), nextUpdate: at(900), number: 2n }));
  one.at(at(80));
  await one.judge(listed);
  await told;
  old.release();
  assert.equal(await late, 'ok by crl');
  two.set(CRL, 'down');
  await two.becomes(listed, 'certificate_revoked/revoked');
});

test('attack 57 a process that starts knows the last number of a list: an older one does not count', async () => {
  const one = await processOf();
  one.set(CRL, crl(root, [listed.serial], { number: 9n, nextUpdate: at(100) }));
  assert.equal(await one.judge(listed), 'certificate_revoked/revoked');
  await rows(1);
  const two = await processOf();
  two.set(CRL, crl(root, [], { number: 8n, nextUpdate: at(86_400) }));
  two.at(at(200));
  assert.equal(await two.judge(listed), 'revocation_unavailable/revocation_unavailable');
});

test('without the database each process asks for itself, and nothing is good by absence', async () => {
  const failing: Database = {
    ...database,
    query: async () => {
      throw new Error('gone');
    },
    transaction: async () => {
      throw new Error('gone');
    },
  };
  const alone = await processOf({}, failing);
  assert.equal(await alone.judge(leaf), 'revocation_unavailable/revocation_unavailable');
  const asks = await processOf({}, failing);
  asks.set(OCSP, ocsp());
  assert.equal(await asks.judge(leaf), 'ok by ocsp');
  await assert.rejects(asks.trust.forget(), /gone/);
  asks.set(OCSP, ocsp({ status: 'revoked' }));
  assert.equal(await asks.judge(leaf), 'certificate_revoked/revoked');
  const silent = await processOf({}, { ...database, query: () => new Promise(() => undefined) });
  silent.set(OCSP, ocsp());
  assert.equal(await silent.judge(leaf), 'ok by ocsp');
});

test('rows are bounded: what is of no use any more goes, and no more are taken than there is room for', async () => {
  const one = await processOf();
  one.set(OCSP, ocsp());
  assert.equal(await one.judge(leaf), 'ok by ocsp');
  await rows(1);
  one.at(at(500));
  assert.equal(await one.trust.sweep(), 0);
  one.at(at(601));
  let sweeping: Promise<number> | undefined;
  await database.transaction(async (statements) => {
    await statements.query('UPDATE trust.revocation_answers SET useful_until = $1', [at(700)]);
    sweeping = one.trust.sweep();
    await Promise.race([sweeping, wait(100)]);
  });
  assert.equal(await sweeping, 0, 'renewed meanwhile');
  one.at(at(701));
  assert.equal(await one.trust.sweep(), 1);
  await database.query(
    `INSERT INTO trust.revocation_answers (key, protocol, source, answer, signed_at, fetched_at, useful_until)
     SELECT 'filler ' || n, 'crl', '', '', $1, $1, $2 FROM generate_series(1, 100) n`,
    [NOW, at(900)],
  );
  const full = await processOf();
  full.set(CRL, crl(root, []));
  full.set(OCSP, ocsp());
  assert.equal(await full.judge(listed), 'ok by crl');
  assert.equal(await full.judge(leaf), 'ok by ocsp');
  await rows(101);
});
