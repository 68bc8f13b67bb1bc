import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { inspect } from 'node:util';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { createMemoryKeyStore, type MemoryKeyStore } from '../../test/support/memory-key-store.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { type Actor, type Audit, type AuditFamily, createAudit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import { text } from '../platform/row.ts';
import { type AccountToken, createVault, openFileKeyStore, rotateMasterKey, type Vault } from './index.ts';

const NUMBER = 'DE89370400440532013000';
const customerActor: Actor = { kind: 'customer', reference: 'hashed-customer', interaction: 'i-1' };
const financroo = { kind: 'participant', reference: 'client-1', participant: 'financroo', client: 'client-1' } as const;
const payment = { ...financroo, interaction: 'i-2' };

let database: TestDatabase;
let audit: Audit;
let keyStore: MemoryKeyStore;
let vault: Vault;
let now: Date;
const clock: Clock = { now: () => now };

before(async () => {
  database = await openTestDatabase();
});
after(() => database.close());
beforeEach(async () => {
  now = new Date('2026-03-01T10:00:00.000Z');
  await database.query('TRUNCATE vault.account_tokens, vault.secrets, audit.events, audit.chains');
  await database.query('UPDATE audit.trail SET chains = 0, last_chain = NULL');
  audit = await createAudit({ database, clock });
  keyStore = createMemoryKeyStore();
  vault = await createVault({ database, audit, clock, keyStore });
});
afterEach(async () => {
  await vault.close();
  await audit.close();
});

function tokenize(change: Partial<Parameters<Vault['tokenize']>[1]> = {}, by = vault): Promise<AccountToken> {
  const entry = {
    bank: 'gobank',
    customer: 'user',
    account: 'acc-1',
    number: NUMBER,
    consent: 'c-1',
    participant: 'financroo',
  };
  return database.transaction((statements) => by.tokenize(statements, { ...entry, ...change }, customerActor));
}

async function events(family: AuditFamily): Promise<readonly string[]> {
  await audit.flush();
  const records = await audit.search({ family, interaction: 'i-2' });
  return records.map(({ action, outcome, reason }) => [action, outcome, reason].filter(Boolean).join(' ')).reverse();
}

test('LAB-29 an unknown, malformed, foreign or forgotten token is not found', async () => {
  const { token } = await tokenize();
  const wrong = [
    '',
    'vt_',
    NUMBER,
    `${token}A`,
    token.slice(0, -1),
    token.toUpperCase(),
    `vt_${'A'.repeat(43)}`,
    `vt_${'A'.repeat(100_000)}`,
  ];
  for (const value of wrong)
    await assert.rejects(vault.detokenize('gobank', value, payment), { code: 'not_found', status: 404 });
  await assert.rejects(vault.detokenize('albion', token, payment), { code: 'not_found', status: 404 });
  assert.equal(await vault.forgetToken('gobank', token, customerActor), true);
  await assert.rejects(vault.detokenize('gobank', token, payment), { code: 'not_found', status: 404 });
  assert.equal(await vault.forgetToken('gobank', token, customerActor), false);
  assert.deepEqual(await events('key'), []);
  assert.deepEqual(new Set(await events('handler')), new Set(['vault.lookup refused not_found']));
});

test('LAB-29 a token made for one participant is refused to another', async () => {
  const { token } = await tokenize();
  const paymate = { ...payment, participant: 'paymate', client: 'client-2' };
  await assert.rejects(vault.detokenize('gobank', token, paymate), { code: 'participant_not_allowed', status: 403 });
  keyStore.unwraps = 0;
  await assert.rejects(vault.detokenize('gobank', token, paymate), { code: 'participant_not_allowed' });
  assert.equal(keyStore.unwraps, 0, 'the number stays sealed');
  const refused = 'vault.lookup refused participant_not_allowed';
  assert.deepEqual(await events('handler'), [refused, refused]);
  const { token: free } = await tokenize({ participant: undefined });
  assert.equal((await vault.detokenize('gobank', free, paymate)).number, NUMBER);
});

test('LAB-29 the reference that a list shows is no token', async () => {
  const { token } = await tokenize();
  const [entry] = await vault.listTokens('gobank', 'user');
  assert.match(entry?.token ?? '', /^vr_/);
  assert.notEqual(entry?.token, token);
  await assert.rejects(vault.detokenize('gobank', entry?.token ?? '', payment), { code: 'not_found' });
  assert.equal(await vault.forgetToken('albion', entry?.token ?? '', customerActor), false);
  assert.equal(await vault.forgetToken('gobank', entry?.token ?? '', customerActor), true);
  await assert.rejects(vault.detokenize('gobank', token, payment), { code: 'not_found' });
  const [event] = await audit.search({ action: 'vault.forgotten' });
  assert.equal(event?.facts?.entry, entry?.token);
});

test('LAB-30 a key service that refuses is a 503 with an audited failure, and no number', async () => {
  const { token } = await tokenize();
  keyStore.state = 'refuses';
  await assert.rejects(tokenize(), { code: 'kms_unavailable', status: 503 });
  keyStore.state = 'answers';
  await vault.hasher('gobank', 'account-token');
  keyStore.state = 'refuses';
  await assert.rejects(vault.detokenize('gobank', token, payment), { code: 'kms_unavailable', status: 503 });
  assert.deepEqual(await events('key'), ['key.used failed kms_unavailable']);
  keyStore.state = 'answers';
  assert.equal((await vault.detokenize('gobank', token, payment)).number, NUMBER);
  assert.equal((await vault.listTokens('gobank', 'user')).length, 1);
});

test('LAB-30 a number whose use cannot be recorded stays in the vault', async () => {
  const { token } = await tokenize();
  const refusal = new Refusal('audit_unavailable', 503, 'no');
  let writable = false;
  const failing: Audit = {
    ...audit,
    checkWritable: () => {
      if (!writable) throw refusal;
    },
    enqueue: (event) => {
      if (event.action === 'key.used') throw refusal;
    },
  };
  const guarded = await createVault({ database, audit: failing, clock, keyStore });
  await assert.rejects(guarded.detokenize('gobank', token, payment), refusal);
  writable = true;
  await assert.rejects(guarded.detokenize('gobank', token, payment), refusal);
  await guarded.close();
});

test('LAB-29 an account number of no usable form is refused without quoting it', async () => {
  for (const number of [
    '',
    ' ',
    '1',
    `${NUMBER} `,
    ' 12',
    'x'.repeat(65),
    '12\n34',
    '<b>1</b>',
    "1' OR '1",
    '12\u0000',
  ]) {
    const quiet = (cause: unknown) =>
      cause instanceof Refusal &&
      cause.code === 'field_invalid' &&
      cause.status === 400 &&
      (number.length < 3 || !cause.message.includes(number));
    await assert.rejects(tokenize({ number }), quiet);
  }
  assert.deepEqual(await vault.listTokens('gobank', 'user'), []);
});

test('LAB-29 a customer has at most 500 entries', async () => {
  await tokenize();
  await database.query(`INSERT INTO vault.account_tokens
    (bank, token_hash, reference, customer, account, sealed_number, masked_number, created_at)
    SELECT bank, 'hash' || i, 'vr_' || i, customer, account, sealed_number, masked_number, created_at
    FROM vault.account_tokens, generate_series(1, 499) i`);
  await assert.rejects(tokenize(), { code: 'token_limit_reached', status: 409 });
  assert.match((await tokenize({ customer: 'user2' })).token, /^vt_/);
  assert.equal((await vault.listTokens('gobank', 'user')).length, 500);
});

test('LAB-29 a transaction that is rolled back leaves no entry, no event and no unusable secret', async () => {
  const work = database.transaction(async (statements) => {
    const entry = {
      bank: 'gobank',
      customer: 'user',
      account: 'a',
      number: NUMBER,
      consent: undefined,
      participant: undefined,
    };
    await vault.tokenize(statements, entry, customerActor);
    throw new Error('rolled back');
  });
  await assert.rejects(work, /rolled back/);
  assert.deepEqual(await vault.listTokens('gobank', 'user'), []);
  assert.deepEqual(await audit.search({ action: 'vault.tokenized' }), []);
  const { token } = await tokenize();
  assert.equal((await vault.detokenize('gobank', token, payment)).number, NUMBER);
});

const moved: readonly [what: string, change: string][] = [
  ['another participant', "participant = 'paymate'"],
  ['every participant', 'participant = NULL'],
  ['another customer', "customer = 'user2'"],
  ['another account', "account = 'acc-2'"],
  ['another consent', "consent = 'c-2'"],
];
for (const [what, change] of moved) {
  test(`LAB-29 an entry that was turned to ${what} in the database does not open`, async () => {
    const { token } = await tokenize();
    await database.query(`UPDATE vault.account_tokens SET ${change}`);
    const paymate = { ...payment, participant: what === 'another participant' ? 'paymate' : 'financroo' };
    await assert.rejects(vault.detokenize('gobank', token, paymate), /cannot be opened/);
  });
}

test('LAB-29 a token says nothing and never repeats; the list shows masked numbers only, newest first', async () => {
  const first = await tokenize();
  now = new Date('2026-03-01T11:00:00.000Z');
  const second = await tokenize({ account: 'acc-2', number: '12-34-56 12345678' });
  await tokenize({ customer: 'user2' });
  await tokenize({ bank: 'albion' });
  assert.match(first.token, /^vt_[\w-]{43}$/);
  assert.notEqual(first.token, (await tokenize({ customer: 'user3' })).token);
  assert.deepEqual([first.maskedNumber, second.maskedNumber], ['****3000', '****5678']);
  const list = await vault.listTokens('gobank', 'user');
  assert.deepEqual(
    list.map(({ account, maskedNumber, createdAt }) => [account, maskedNumber, createdAt]),
    [
      ['acc-2', '****5678', second.createdAt],
      ['acc-1', '****3000', first.createdAt],
    ],
  );
  assert.equal((await tokenize({ number: '12345' })).maskedNumber, '****45');
});

test('LAB-06 LAB-30 LAB-43 one use of a number is one lookup and one key use, with participant, client and interaction', async () => {
  const { token } = await tokenize();
  const opened = await vault.detokenize('gobank', token, payment);
  assert.deepEqual(opened, { number: NUMBER, customer: 'user', account: 'acc-1', consent: 'c-1' });
  assert.deepEqual(await events('handler'), ['vault.lookup allowed']);
  assert.deepEqual(await events('key'), ['key.used allowed']);
  const [used] = await audit.search({ action: 'key.used' });
  const { participant, client, interaction, consent, bank } = used ?? {};
  assert.deepEqual(
    [participant, client, interaction, consent, bank],
    ['financroo', 'client-1', 'i-2', 'c-1', 'gobank'],
  );
  assert.equal(used?.facts?.keyId, await keyStore.currentKeyId());
  const order = (await audit.search({ interaction: 'i-2' })).map(({ action }) => action).reverse();
  assert.deepEqual(order, ['vault.lookup', 'key.used']);
});

test('LAB-30 each use of a number asks the key service', async () => {
  const { token } = await tokenize();
  await vault.detokenize('gobank', token, payment);
  const before = keyStore.unwraps;
  await vault.detokenize('gobank', token, payment);
  await vault.detokenize('gobank', token, payment);
  assert.equal(keyStore.unwraps, before + 2);
});

test('LAB-30 with the file key store: master key rotated, old entries readable, new ones under the new key id', async (context) => {
  const files = await openFileKeyStore(await temporaryDirectory(context));
  const filed = await createVault({ database, audit, clock, keyStore: files });
  const old = await tokenize({}, filed);
  const staff: Actor = { kind: 'staff', reference: 'operator-1' };
  assert.equal(await rotateMasterKey({ keyStore: files, database, audit, actor: staff }), 'master-0002');
  const fresh = await tokenize({}, filed);
  for (const { token } of [old, fresh]) assert.equal((await filed.detokenize('gobank', token, payment)).number, NUMBER);
  const rows = await database.query(
    "SELECT split_part(sealed_number, '.', 2) AS key FROM vault.account_tokens ORDER BY 1",
  );
  assert.deepEqual(
    rows.map((row) => text(row, 'key')),
    ['master-0001', 'master-0002'],
  );
  const [rotated] = await audit.search({ action: 'key.master_rotated' });
  assert.equal(rotated?.facts?.keyId, 'master-0002');
  await filed.close();
});

test('LAB-29 N-278 no table has the account number or the token, and no error shows them', async () => {
  const { token } = await tokenize();
  await vault.detokenize('gobank', token, payment);
  const errors: unknown[] = [];
  const keep = (cause: unknown): boolean => errors.push(cause) > 0;
  await assert.rejects(vault.detokenize('albion', token, payment), keep);
  keyStore.state = 'refuses';
  await assert.rejects(vault.detokenize('gobank', token, payment), keep);
  keyStore.state = 'answers';
  await database.query("UPDATE vault.account_tokens SET account = 'x'");
  await assert.rejects(vault.detokenize('gobank', token, payment), keep);
  await audit.flush();
  assert.equal(errors.length, 3);
  const tables = await database.query(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
  );
  assert.ok(tables.length > 5);
  const shown = errors.map((error) => inspect(error, { depth: 10 }) + JSON.stringify(error));
  for (const table of tables) {
    const rows = await database.query(`SELECT t::text AS row FROM ${text(table, 'name')} t`);
    shown.push(...rows.map((row) => text(row, 'row')));
  }
  assert.ok(shown.some((value) => value.includes('****3000')));
  const hidden = [
    NUMBER,
    NUMBER.slice(4, 18),
    Buffer.from(NUMBER).toString('base64'),
    Buffer.from(NUMBER).toString('hex'),
    token.slice(3),
  ];
  for (const value of shown)
    for (const secret of hidden) assert.equal(value.includes(secret), false, value.slice(0, 80));
});
