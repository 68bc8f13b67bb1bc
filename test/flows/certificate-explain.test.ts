import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readCommandFile, runCommand } from '../../src/main/commands.ts';
import { createAuthority } from '../support/certificates.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'explain-'));
  platform = await startPlatform({ banks: [{ id: 'gobank' }, { id: 'other' }] });
});
after(async () => {
  await platform.close();
  await rm(directory, { recursive: true, force: true });
});

async function explain(content: string | Uint8Array, options: Readonly<Record<string, string>> = {}) {
  const file = join(directory, 'chain.pem');
  await writeFile(file, content);
  const request = { words: [file], options, file: await readCommandFile('certificate explain', [file]) };
  const { lines, status } = await runCommand('certificate explain', request, platform.rooms, platform.settings);
  return { text: lines.join('\n'), status };
}

test('a certificate of a foreign authority, an expired one, and no certificate end with status 1', async () => {
  const foreign = createAuthority('Somebody').issue({ commonName: 'tpp' });
  const refused = await explain(foreign.chainPem);
  assert.equal(refused.status, 1);
  assert.match(refused.text, /REFUSED path/);
  assert.match(refused.text, /verdict: certificate_untrusted/);
  const day = 86_400_000;
  const [notBefore, notAfter] = [new Date(Date.now() - 2 * day), new Date(Date.now() - day)];
  const late = await explain(platform.authority.issue({ commonName: 'tpp', notBefore, notAfter }).chainPem);
  assert.equal(late.status, 1);
  assert.match(late.text, /verdict: certificate_expired/);
  for (const nothing of ['', 'hello', Buffer.from([0x30, 0x00, 0x01])])
    assert.equal((await explain(nothing)).status, 1);
});

test('a bank that does not exist is named', async () => {
  const { text, status } = await explain(platform.authority.issue().chainPem, { bank: 'nobank' });
  assert.equal(status, 1);
  assert.match(text, /there is no bank nobank/);
});

test('a good chain: fields, roles, path and every check, for one bank or each', async () => {
  const good = platform.authority.issue({ commonName: 'tpp', roles: ['AISP'], organizationIdentifier: 'PSDXX-TEST-1' });
  const one = await explain(good.chainPem, { bank: 'gobank' });
  assert.equal(one.status, 0, one.text);
  for (const expected of [/CN=tpp/, /roles +AISP/, /PSDXX-TEST-1/, /path: .*Test Root/, /verdict: accepted/])
    assert.match(one.text, expected);
  assert.doesNotMatch(one.text, /For bank other/);
  const each = await explain(good.der);
  assert.equal(each.status, 0, each.text);
  assert.match(each.text, /For bank gobank:[\s\S]*For bank other:/);
});
