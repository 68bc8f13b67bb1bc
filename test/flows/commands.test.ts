import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readCommandFile, runCommand } from '../../src/main/commands.ts';
import { secondsAfter } from '../../src/platform/clock.ts';
import { call } from '../support/http.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const STAFF = { kind: 'staff', reference: 'test' } as const;

let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-commands-'));
  platform = await startPlatform({ banks: [{ id: 'gobank', name: 'Go Bank' }] });
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  client = await party.register('gobank');
  for (const id of ['consent-a', 'consent-b']) await kept(id);
});

after(async () => {
  await platform.close();
  await rm(directory, { recursive: true });
});

async function kept(id: string): Promise<void> {
  const decideBefore = secondsAfter(new Date(), 600);
  const asked = { id, bank: 'gobank', participant: 'tpp-a', client: client.id, scopes: ['accounts'] };
  const { consents } = platform.rooms;
  await consents.create({ ...asked, customer: 'user', authorizationDetails: [], decideBefore }, STAFF);
  const expiresAt = secondsAfter(new Date(), 86_400);
  const agreed = { customer: 'user', scopes: ['accounts'], accounts: ['joint'], expiresAt };
  await consents.authorise('gobank', id, agreed, STAFF);
}

/** Runs a command as the command line does, files included. */
async function run(name: string, words: readonly string[] = [], options: Readonly<Record<string, string>> = {}) {
  const file = await readCommandFile(name, words, options);
  const { lines, status } = await runCommand(name, { words, options, file }, platform.rooms, platform.settings);
  return { status, text: lines.join('\n'), lines };
}

test('a wrong word, an unknown bank, consent, participant, state or moment: status 1 and a sentence', async () => {
  const wrong: readonly [string, readonly string[], Readonly<Record<string, string>>, RegExp][] = [
    ['consent list', ['nobank'], {}, /not_found/],
    ['consent list', ['gobank'], { status: 'Active' }, /field_invalid: status/],
    ['consent show', ['gobank', 'consent-unknown'], {}, /consent_missing/],
    ['consent revoke', ['gobank', 'consent-unknown'], {}, /consent_missing/],
    ['participant show', ['nobody'], {}, /participant_unknown/],
    ['participant suspend', ['nobody'], {}, /participant_unknown/],
    ['client list', ['nobank'], {}, /not_found/],
    ['token revoke', ['gobank'], { consent: 'consent-a', client: client.id }, /field_missing/],
    ...(['consent', 'client', 'participant', 'customer'] as const).map(
      (owner): [string, readonly string[], Readonly<Record<string, string>>, RegExp] => [
        'token revoke',
        ['gobank'],
        { [owner]: 'unknown' },
        new RegExp(`${owner}_(?:missing|unknown)`),
      ],
    ),
    ['audit search', [], { since: 'yesterday' }, /field_invalid: since/],
    ['audit search', [], { until: '2026-05-01' }, /field_invalid: until/],
    ['audit search', [], { limit: '0' }, /field_invalid: limit/],
  ];
  for (const [name, words, options, sentence] of wrong) {
    const { status, text } = await run(name, words, options);
    assert.equal(status, 1, name);
    assert.match(text, sentence);
  }
  assert.equal((await run('consent show', ['gobank'])).status, 2);
  assert.equal((await run('participant show', ['tpp-a'], { bank: 'gobank' })).status, 2);
});

test('CLD-52 consents are listed by whom they concern, read with their life, and revoked', async () => {
  for (const options of [
    { customer: 'user' },
    { client: client.id },
    { participant: 'tpp-a' },
    { status: 'Authorised' },
  ])
    assert.equal((await run('consent list', ['gobank'], options)).lines.length, 2);
  assert.equal((await run('consent list', ['gobank'], { customer: 'user2' })).lines.length, 0);
  assert.match((await run('consent revoke', ['gobank', 'consent-b'])).text, /consent-b is Revoked/);
  const shown = JSON.parse((await run('consent show', ['gobank', 'consent-b'])).text);
  assert.equal(shown.consent.state, 'Revoked');
  assert.deepEqual(
    shown.history.map(({ action }: { action: string }) => action),
    ['create', 'authorise', 'revoke'],
  );
  assert.match((await run('consent list', ['gobank'], { status: 'Revoked' })).text, /^consent-b Revoked tpp-a/);
});

test('LAB-12 LAB-16 CLD-55 participants and clients are read, suspended, approved; tokens end by each owner', async () => {
  assert.equal(JSON.parse((await run('participant show', ['tpp-a'])).text).status, 'approved');
  assert.match(
    (await run('client list', ['gobank'], { participant: 'tpp-a' })).text,
    new RegExp(`^${client.id} tpp-a`),
  );
  assert.equal((await run('client list', ['gobank'], { participant: 'nobody' })).lines.length, 0);
  const owners = { consent: 'consent-a', client: client.id, participant: 'tpp-a', customer: 'user' };
  for (const [owner, id] of Object.entries(owners)) {
    assert.equal((await party.clientToken(client, 'payments.create')).status, 200);
    const { status, text } = await run('token revoke', ['gobank'], { [owner]: id });
    assert.deepEqual([status, /^\d+ access token/.test(text)], [0, true]);
  }
  assert.match((await run('participant suspend', ['tpp-a'])).text, /is suspended/);
  assert.match((await run('participant approve', ['tpp-a'])).text, /is approved/);
});

test('CLD-49 the trail by participant, client and time', async () => {
  const found = await run('audit search', [], { client: client.id, since: '2020-01-01T00:00:00Z', limit: '5' });
  assert.equal(found.lines.length, 5);
  for (const line of found.lines) assert.equal(JSON.parse(line).client, client.id);
  assert.equal((await run('audit search', [], { participant: 'tpp-a', until: '2020-01-01T00:00:00Z' })).text, '');
});

test('LAB-45 heads are printed, kept, and stand later; a file that proves nothing is refused, a changed one is told', async () => {
  const path = join(directory, 'heads.txt');
  const verify = async (content: string) => {
    await writeFile(path, content);
    return run('audit verify', [], { from: path });
  };
  const { text, lines } = await run('audit head');
  assert.match(lines[0] ?? '', /^# audit heads \d{4}-/);
  await party.clientToken(client, 'payments.create');
  assert.match((await verify(text)).text, new RegExp(`intact: .*; ${lines.length - 1} kept heads stand`));
  for (const nothing of ['', lines[0] ?? '', `${text}\nnonsense`, `${text}\n${lines.at(-1)}`])
    assert.match((await verify(nothing)).text, /^field_invalid/);
  const changed = await verify(text.replace(/[\w-]{43}$/, 'A'.repeat(43)));
  assert.deepEqual([changed.status, /^changed: record \d+ of chain/.test(changed.text)], [1, true]);
  assert.match((await run('audit verify')).text, /^intact: \d+ records in \d+ chains$/);
});

/** The servers are rebuilt behind the command's back; what has not happened by then never does. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000;
  while (!(await holds()) && performance.now() < end) await new Promise((later) => setImmediate(later));
}

test('LAB-22 two quick rotations: the servers are rebuilt one after the other, and the last keys stay', async () => {
  const { vault } = platform.rooms;
  const { hasher } = vault;
  const { promise, resolve } = Promise.withResolvers<void>();
  let builds = 0;
  const slow: typeof hasher = async (bank, purpose) => {
    const hash = await hasher(bank, purpose);
    if (purpose === 'artifacts') builds += 1;
    if (purpose === 'artifacts' && builds === 1) await promise;
    return hash;
  };
  Object.assign(vault, { hasher: slow });
  try {
    for (let round = 0; round < 2; round += 1) assert.equal((await run('keys rotate', ['gobank'])).status, 0);
    await until(() => builds > 0);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((later) => setImmediate(later));
    assert.equal(builds, 1, 'the second waits for the first');
    resolve();
    const { publicKeys } = await vault.keyring('gobank');
    const wanted = publicKeys.keys.map(({ kid }) => kid).sort();
    let published: unknown[] = [];
    await until(async () => {
      const { keys } = (await call(`${party.issuer('gobank')}/jwks`, { agent: platform.browserAgent })).json();
      published = Array.isArray(keys) ? keys.map(({ kid }: { kid: string }) => kid).sort() : [];
      return published.length === wanted.length;
    });
    assert.deepEqual(published, wanted);
  } finally {
    resolve();
    Object.assign(vault, { hasher });
  }
});
