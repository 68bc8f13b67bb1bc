import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfiguration } from '../platform/config.ts';
import { BankRegister, checkRegister } from './registers.ts';

let directory: string;
let serial = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-registers-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function read(value: unknown): Promise<BankRegister> {
  serial += 1;
  const file = join(directory, `${serial}.json`);
  await writeFile(file, JSON.stringify(value));
  const settings = await loadConfiguration(BankRegister, file);
  checkRegister(settings, 'banks[0].register');
  return settings;
}

const service = { url: 'https://register.example/ask' };
const snapshot = { file: 'register.json', format: 'eba' };
const exception = { identifier: 'PSDXX-A-1', roles: ['AISP'], until: '2027-01-01', reason: 'a bank' };

const WRONG: readonly (readonly [string, unknown, RegExp])[] = [
  ['no country', { service }, /country/],
  ['a country in small letters', { country: 'xx', service }, /country/],
  ['no source', { country: 'XX' }, /name a service, a module or a snapshot/],
  ['two live sources', { country: 'XX', service, module: { file: 'a.ts' } }, /exclude each other/],
  ['a service without TLS', { country: 'XX', service: { url: 'http://register.example/' } }, /url/],
  ['a service with a query', { country: 'XX', service: { url: 'https://register.example/?a=1' } }, /url/],
  ['a certificate without key', { country: 'XX', service: { ...service, certificate: 'a.pem' } }, /belong together/],
  ['a memory of more than five minutes', { country: 'XX', service: { ...service, positiveSeconds: 301 } }, /positive/],
  ['a snapshot without format', { country: 'XX', snapshot: { file: 'a.json' } }, /format/],
  ['a snapshot for ever', { country: 'XX', snapshot: { ...snapshot, maximumAgeSeconds: 604_801 } }, /maximumAge/],
  ['an authority that is none', { country: 'XX', snapshot: { ...snapshot, authorities: { DE_X: 'DEX' } } }, /DE_X/],
  ['an exception without end', { country: 'XX', service, exceptions: [{ ...exception, until: undefined }] }, /until/],
  [
    'an exception until no day',
    { country: 'XX', service, exceptions: [{ ...exception, until: '2027-13-01' }] },
    /until/,
  ],
  ['an exception without reason', { country: 'XX', service, exceptions: [{ ...exception, reason: '' }] }, /reason/],
  [
    'an exception for an unknown role',
    { country: 'XX', service, exceptions: [{ ...exception, roles: ['X'] }] },
    /roles/,
  ],
  ['a misspelt key', { country: 'XX', service, atCall: true }, /atCall/],
];

for (const [what, value, complaint] of WRONG)
  test(`a register with ${what} is refused at start`, () => assert.rejects(read(value), complaint));

test('a register is asked at registration alone unless it says otherwise, and believed for five minutes', async () => {
  const settings = await read({ country: 'XX', service, snapshot, exceptions: [exception] });
  assert.equal(settings.atCalls, false);
  assert.equal(settings.service?.positiveSeconds, 300);
  assert.equal(settings.snapshot?.maximumAgeSeconds, 172_800);
  assert.equal(settings.snapshot?.file, join(directory, 'register.json'));
});
