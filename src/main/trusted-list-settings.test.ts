import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfiguration } from '../platform/config.ts';
import { BankTrust } from './trust-settings.ts';
import { checkTrustedLists } from './trusted-list-settings.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trusted-list-settings-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function load(settings: unknown): Promise<BankTrust> {
  const file = join(directory, 'trust.json');
  await writeFile(file, JSON.stringify(settings));
  return loadConfiguration(BankTrust, file);
}

const list = { territory: 'XX', url: 'http://lists.example/xx.xml', signers: ['operator.pem'] };
const qualified = { qualified: true, qcTypeRequired: true };

test('a list without signer, with an unknown key or with limits out of range stops the start', async () => {
  for (const wrong of [
    { signers: [] },
    { signers: undefined },
    { territory: 'Belgium' },
    { url: 'ftp://lists.example/xx.xml' },
    { url: 'https://user@lists.example/' },
    { refreshSeconds: 10 },
    { refreshSeconds: 100_000 },
    { signatures: 'off' },
  ]) {
    await assert.rejects(
      load({ ...qualified, trustedLists: [{ ...list, ...wrong }] }),
      /trustedLists/,
      JSON.stringify(wrong),
    );
  }
  await assert.rejects(load({ ...qualified, trustedLists: [] }), /trustedLists/);
});

test('WSN-24 lists without the rules that go with them stop the start', async () => {
  const check = async (settings: object) => checkTrustedLists(await load(settings), 'banks[0].trust');
  await assert.rejects(check({}), /banks\[0\]\.trust\.anchors: is missing/);
  await assert.rejects(check({ trustedLists: [list] }), /trust\.qualified: must be true/);
  await assert.rejects(check({ qualified: true, trustedLists: [list] }), /trust\.qcTypeRequired: must be true/);
  await assert.rejects(
    check({ ...qualified, trustedLists: [list, list] }),
    /trustedLists\[1\]\.territory: XX is named twice/,
  );
  const both = { ...list, file: 'xx.xml' };
  await assert.rejects(check({ ...qualified, trustedLists: [both] }), /trustedLists\[0\]: name a url or a file/);
  const { url: _, ...neither } = list;
  await assert.rejects(check({ ...qualified, trustedLists: [neither] }), /trustedLists\[0\]: name a url or a file/);
  await check({ ...qualified, trustedLists: [list, { ...neither, territory: 'YY', file: 'yy.xml' }] });
  await check({ anchors: ['root.pem'] });
});

test('paths of a list are those beside the configuration file', async () => {
  const { url: _, ...other } = list;
  const { trustedLists } = await load({ ...qualified, trustedLists: [{ ...other, file: 'xx.xml' }] });
  assert.deepEqual(trustedLists, [
    {
      territory: 'XX',
      file: join(directory, 'xx.xml'),
      signers: [join(directory, 'operator.pem')],
      refreshSeconds: 21_600,
    },
  ]);
});
