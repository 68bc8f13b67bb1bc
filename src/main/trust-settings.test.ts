import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfiguration } from '../platform/config.ts';
import { BankTrust, checkTrust } from './trust-settings.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trust-settings-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function load(settings: unknown): Promise<BankTrust> {
  const file = join(directory, 'trust.json');
  await writeFile(file, JSON.stringify(settings));
  return loadConfiguration(BankTrust, file);
}

const anchors = ['root.pem'];

test('WSO-07 nothing switches expiry or signature off: no such key exists', async () => {
  for (const key of ['expiry', 'signature', 'validity', 'ignoreExpiry'])
    await assert.rejects(load({ anchors, [key]: 'off' }), new RegExp(key));
  await assert.rejects(load({ anchors: [] }), /anchors/);
  await assert.rejects(load({ anchors, algorithms: { rsaMinimumBits: 1024 } }), /rsaMinimumBits/);
});

test('WSO-07 revocation is switched off in the sandbox only: no words do it elsewhere', async () => {
  const off = await load({ anchors, revocation: 'off' });
  assert.throws(
    () => checkTrust(off, 'banks[0].trust', false),
    /banks\[0\]\.trust\.revocation: off is accepted in the sandbox only/,
  );
  checkTrust(off, 'banks[0].trust', true);
  const acceptNoRevocation = 'withdrawn certificates are accepted here';
  await assert.rejects(load({ anchors, revocation: 'off', acceptNoRevocation }), /acceptNoRevocation/);
  for (const wrong of ['none', false, { order: 'crl' }, { ocspMaximumAgeSeconds: 0 }, { hosts: [] }, { soft: true }])
    await assert.rejects(load({ anchors, revocation: wrong }), /revocation/);
});

test('every setting of a scheme is read', async () => {
  const settings = {
    anchors: [join(directory, 'root.pem')],
    qualified: true,
    rolesRequired: true,
    statements: { authority: 'strict' },
    algorithms: { rsaMinimumBits: 3072 },
    denied: [{ issuer: 'CN=Somebody', serial: '0A' }],
    revocation: { order: 'crl-first', allowPrivateAddresses: true, hosts: ['ocsp.example'] },
  };
  assert.deepEqual(await load(settings), settings);
});
