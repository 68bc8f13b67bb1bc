import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { participantOf } from '../../../test/support/gateway.ts';
import { secondsAfter } from '../../platform/clock.ts';
import { type AuthorityRegister, partsOf, type RegisterAnswer, RegisterUnavailable } from './register.ts';
import { createSnapshotFile } from './snapshot-file.ts';

const start = new Date('2026-11-21T10:00:00Z');
let directory: string;
let path: string;
let now: Date;
let reports: string[];
let files = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-register-'));
});
after(() => rm(directory, { recursive: true, force: true }));
beforeEach(() => {
  files += 1;
  path = join(directory, `register-${files}.json`);
  now = start;
  reports = [];
});

const authorised = { country: 'XX', authority: 'SANDBOX', number: '1', roles: { XX: ['AISP'] } };

const plain = (changes: Readonly<Record<string, unknown>> = {}, top: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({ publishedAt: start.toISOString(), authorisations: [{ ...authorised, ...changes }], ...top });

function open(format: 'plain' | 'eba' = 'plain', maximumAgeSeconds = 86_400): AuthorityRegister {
  const report = (message: string) => void reports.push(message);
  return createSnapshotFile({ path, format, maximumAgeSeconds, clock: { now: () => now }, report });
}

async function ask(register: AuthorityRegister, identifier = 'PSDXX-SANDBOX-1'): Promise<RegisterAnswer> {
  const parts = partsOf(identifier);
  assert.ok(parts);
  return register.ask({ ...parts, identifier, roles: [], certificate: undefined, participant: participantOf() });
}

function silent(register: AuthorityRegister, code: string): Promise<void> {
  return assert.rejects(
    async () => ask(register),
    (cause: unknown) => cause instanceof RegisterUnavailable && cause.code === code,
  );
}

const later = (seconds: number) => {
  now = secondsAfter(now, seconds);
};

test('N-30 no file, and then a file: nothing is answered before', async () => {
  const register = open();
  await silent(register, 'register_unreadable');
  later(10);
  await writeFile(path, plain());
  assert.equal((await ask(register)).status, 'authorised');
});

const BROKEN: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['no JSON', plain().slice(0, -1)],
  ['a list', '[]'],
  ['no date of publication', plain({}, { publishedAt: undefined })],
  ['a day that does not exist', plain({}, { publishedAt: '2026-02-30' })],
  ['a moment without zone', plain({}, { publishedAt: '2026-11-21T09:00:00' })],
  ['the future', plain({}, { publishedAt: '2026-11-21T11:00:00Z' })],
  ['no list', plain({}, { authorisations: {} })],
  ['an entry that is no object', plain({}, { authorisations: ['1'] })],
  ['a misspelt end', plain({ untill: '2026-01-01' })],
  ['an end that is no date', plain({ until: 'yesterday' })],
  ['an unknown role', plain({ roles: { XX: ['AIS'] } })],
  ['roles without country', plain({ roles: ['AISP'] })],
  ['a country that is none', plain({ country: 'xx' })],
  ['an authority that is none', plain({ authority: 'S-1' })],
  ['no number', plain({ number: undefined })],
];

for (const [what, text] of BROKEN)
  test(`N-30 a snapshot with ${what} has no answers`, async () => {
    await writeFile(path, text);
    const register = open();
    await silent(register, 'register_unreadable');
    assert.equal(reports.length, 1);
  });

test('certificates.md §14 a snapshot that is too old has no answers, to the second', async () => {
  await writeFile(path, plain());
  const register = open('plain', 3_600);
  later(3_599);
  assert.equal((await ask(register)).status, 'authorised');
  later(1);
  await silent(register, 'register_stale');
});

test('a broken new file leaves the one before in force until that one is too old; the fault is told once', async () => {
  await writeFile(path, plain());
  const register = open('plain', 3_600);
  assert.equal((await ask(register)).status, 'authorised');
  await writeFile(path, 'half a fil');
  later(120);
  assert.equal((await ask(register)).status, 'authorised');
  later(120);
  assert.equal((await ask(register)).status, 'authorised');
  assert.equal(reports.length, 1);
  later(3_600);
  await silent(register, 'register_stale');
  await writeFile(path, plain({}, { publishedAt: now.toISOString() }));
  later(120);
  assert.equal((await ask(register)).status, 'authorised');
});

test('N-31 a withdrawal in the file counts within five minutes, however seldom somebody asks', async () => {
  await writeFile(path, plain());
  const register = open();
  assert.equal((await ask(register)).status, 'authorised');
  await writeFile(`${path}.new`, plain({ until: '2026-11-01' }));
  await rename(`${path}.new`, path);
  later(76);
  assert.deepEqual(await ask(register), { status: 'withdrawn' });
});

test('nobody is refused by what the file said before', async () => {
  await writeFile(path, plain());
  const register = open();
  assert.deepEqual(await ask(register, 'PSDXX-SANDBOX-2'), { status: 'unknown' });
  await writeFile(path, plain({ number: '2' }));
  assert.equal((await ask(register, 'PSDXX-SANDBOX-2')).status, 'authorised');
});

test('a busy platform hears of a change without anybody waiting for the file', async () => {
  await writeFile(path, plain());
  const register = open();
  assert.equal((await ask(register)).status, 'authorised');
  await writeFile(path, plain({ number: '2' }));
  later(16);
  assert.equal((await ask(register)).status, 'authorised');
  await register.close();
  assert.deepEqual(await ask(register), { status: 'unknown' });
});

test('a clock that is put back does not make an old look last longer', async () => {
  await writeFile(path, plain());
  const register = open();
  assert.equal((await ask(register)).status, 'authorised');
  await writeFile(path, plain({ number: '2' }));
  later(-60);
  assert.deepEqual(await ask(register), { status: 'unknown' });
});

test('CDR-15 an end that comes while the file stays counts from its moment on', async () => {
  await writeFile(path, plain({ from: '2026-11-21T10:00:05Z', until: '2026-11-21T10:00:10Z' }));
  const register = open();
  assert.deepEqual(await ask(register), { status: 'withdrawn' });
  later(5);
  const until = new Date('2026-11-21T10:00:10Z');
  assert.deepEqual(await ask(register), { status: 'authorised', roles: { XX: ['AISP'] }, until });
  later(5);
  assert.deepEqual(await ask(register), { status: 'withdrawn' });
});

test('the published form is as old as its file', async () => {
  const properties = [{ ENT_NAT_REF_COD: '1' }, { ENT_AUT: ['2019-01-01'] }];
  const entity = {
    CA_OwnerID: 'XX_SANDBOX',
    EntityType: 'PSD_PI',
    Properties: properties,
    Services: [{ XX: 'PS_080' }],
  };
  await writeFile(path, JSON.stringify([[{}], [entity]]));
  await utimes(path, start, secondsAfter(start, -3_000));
  const register = open('eba', 3_600);
  const answer = await ask(register);
  assert.deepEqual(answer, { status: 'authorised', roles: { XX: ['AISP'] }, until: undefined });
  later(601);
  await silent(register, 'register_stale');
});
