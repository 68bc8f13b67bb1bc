import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readCommandFile, runCommand } from '../../src/main/commands.ts';
import { onboardingHandler } from '../../src/main/onboarding.ts';
import { type Door, openDoor } from '../../src/platform/door.ts';
import { createAuthority, type Issued } from '../support/certificates.ts';
import { call } from '../support/http.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
let directory: string;
let onboarding: Door;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'explain-'));
  platform = await startPlatform({ banks: [{ id: 'gobank' }, { id: 'other' }] });
  const server = platform.authority.issueServer({ keyType: 'rsa' });
  onboarding = await openDoor({
    name: 'onboarding',
    host: 'localhost',
    port: 0,
    authorities: ['localhost:0'],
    tls: { certificate: server.chainPem, key: server.keyPem, clientCertificate: 'request' },
    handler: onboardingHandler(platform.settings, platform.rooms),
  });
});
after(async () => {
  await onboarding.close();
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
  assert.match(
    refused.text,
    /failed: path of CN=tpp, serial [0-9a-f]+, [\w-]{43}\n +expected: a chain that ends at an anchor/,
  );
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
  for (const expected of [
    /CN=tpp/,
    /roles +AISP/,
    /PSDXX-TEST-1/,
    /path: .*Test Root/,
    /verdict: accepted/,
    /revocation +off: /,
    / key +[\w-]{43}/,
  ])
    assert.match(one.text, expected);
  assert.doesNotMatch(one.text, /For bank other/);
  const each = await explain(good.der);
  assert.equal(each.status, 0, each.text);
  assert.match(each.text, /For bank gobank:[\s\S]*For bank other:/);
});

const thumbprintOf = ({ der }: Issued) => hash('sha256', der, 'base64url');

/** At the door that takes any certificate in its handshake. */
async function show(identity: Issued | undefined, path = '/gobank', method = 'GET') {
  const own = identity === undefined ? {} : { cert: identity.chainPem, key: identity.keyPem };
  const agent = new Agent({ ca: platform.authority.certificatePem, ...own });
  try {
    return await call(`${onboarding.origin}${path}`, { agent, method });
  } finally {
    agent.destroy();
  }
}

test('WSO-17 the onboarding door says what is wrong with a certificate instead of ending the handshake', async () => {
  const day = 86_400_000;
  const [notBefore, notAfter] = [new Date(Date.now() - 2 * day), new Date(Date.now() - day)];
  const wrong: readonly (readonly [Issued | undefined, string])[] = [
    [undefined, 'certificate_missing'],
    [createAuthority('Somebody').issue({ commonName: 'tpp' }), 'certificate_untrusted'],
    [platform.authority.issue({ notBefore, notAfter }), 'certificate_expired'],
    [platform.authority.issueServer(), 'certificate_wrong_purpose'],
  ];
  for (const [identity, reason] of wrong) {
    const answer = await show(identity);
    assert.equal(answer.status, 401, reason);
    const { error, certificate } = answer.json();
    assert.equal(Object(error).reason, reason);
    assert.match(String(Object(error).message), /\w+ \w+/);
    if (identity !== undefined) assert.equal(Object(certificate).thumbprint, thumbprintOf(identity));
  }
  await platform.rooms.audit.flush();
  const records = await platform.rooms.audit.search({ bank: 'gobank', action: 'certificate.shown' });
  assert.equal(records.length, wrong.length);
});

test('the onboarding door serves nothing else', async () => {
  const good = platform.authority.issue({ commonName: 'tpp' });
  for (const path of ['/', '/nobank', '/gobank/token', '/gobank/accounts', '/gobank//', '/.well-known/x']) {
    assert.equal((await show(good, path)).status, 404, path);
  }
  assert.equal((await show(good, '/gobank', 'POST')).status, 405);
});

test('the onboarding door tells the holder of a good certificate where to go on', async () => {
  const good = platform.authority.issue({ commonName: 'tpp', roles: ['AISP'], organizationIdentifier: 'PSDXX-TEST-1' });
  const answer = await show(good);
  assert.equal(answer.status, 200, answer.text);
  assert.match(String(answer.json().message), /accepts this certificate at https:/);
  assert.equal(Object(answer.json().certificate).thumbprint, thumbprintOf(good));
  assert.deepEqual(Object(answer.json().certificate).roles, ['AISP']);
});
