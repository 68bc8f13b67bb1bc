import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { after, before, test } from 'node:test';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { runCommand } from '../../src/main/commands.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Received } from '../support/http.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { reasonOf } from '../support/refusals.ts';
import { openSecondNode, type SecondNode } from '../support/second-node.ts';
import type { ThirdParty } from '../support/third-party.ts';

/** Before anything remembered grows old by itself: 10 s at the least. */
const TOLD_WITHIN_MS = 8_000;

let platform: TestPlatform;
let second: SecondNode;
let party: ThirdParty;

before(async () => {
  platform = await startPlatform();
  second = await openSecondNode(platform);
  party = await platform.thirdParty('tpp-a', ['AISP']);
});
after(async () => {
  await second.close();
  await platform.close();
});

const command = (name: string, words: readonly string[] = [], options: Readonly<Record<string, string>> = {}) =>
  runCommand(name, { words, options, file: undefined }, platform.rooms, platform.settings);
/** Without a token: whoever passes the certificate's check is asked for one. */
const here = (agent: Agent) => party.api('gobank', '/accounts', undefined, { agent });
const there = (agent: Agent) => second.api(party, 'gobank', '/accounts', 'none', agent);
const ALLOWED = /^token_/;

async function becomes(ask: () => Promise<Received>, expected: RegExp): Promise<void> {
  const until = Date.now() + TOLD_WITHIN_MS;
  let said = '';
  while (!expected.test(said) && Date.now() < until) {
    said = reasonOf(await ask());
    if (!expected.test(said)) await wait(20);
  }
  assert.match(said, expected);
}

/** The one connection an agent keeps open to the first process. */
async function connectionOf(agent: Agent): Promise<unknown> {
  await nextTurn();
  const name = `localhost:${platform.settings.doors.mtls.port}:`;
  const sockets = Object.entries(agent.freeSockets).flatMap(([key, list]) =>
    key.startsWith(name) ? (list ?? []) : [],
  );
  assert.equal(sockets.length, 1);
  return sockets[0];
}

const [anchorFile, doorFiles] = [
  () => platform.settings.banks[0]?.trust.anchors?.[0] ?? '',
  () => platform.settings.doors.mtls,
];

/** A connection that offers the session of an earlier one, and the answer to a request on it. */
function onceMore(version: 'TLSv1.2' | 'TLSv1.3', session?: Buffer) {
  const { promise, resolve, reject } = Promise.withResolvers<{ reused: boolean; text: string; session?: Buffer }>();
  const { transport } = party;
  const port = platform.settings.doors.mtls.port;
  const socket = tlsConnect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: platform.authority.certificatePem,
    cert: transport.chainPem,
    key: transport.keyPem,
    minVersion: version,
    maxVersion: version,
    ...(session === undefined ? {} : { session }),
  });
  let kept: Buffer | undefined;
  let text = '';
  let reused = true;
  socket.on('secureConnect', () => {
    reused = socket.isSessionReused();
  });
  socket.on('session', (fresh: Buffer) => {
    kept = fresh;
  });
  socket.on('error', reject);
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('close', () => {
    resolve({ reused, text, ...(kept === undefined ? {} : { session: kept }) });
  });
  socket.write(`GET /gobank/accounts HTTP/1.1\r\nhost: localhost:${port}\r\nconnection: close\r\n\r\n`);
  return promise;
}

test('F2 attack 46 an anchor that is removed ends what is open, and no resumed session inherits its verdict', async () => {
  const agent = party.agentOf(party.issue());
  assert.match(reasonOf(await here(agent)), ALLOWED);
  const open = await connectionOf(agent);
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;
  const sessions = await Promise.all(versions.map((version) => onceMore(version)));
  for (const { text } of sessions) assert.match(text, /token_missing/);
  const former = await readFile(anchorFile(), 'utf8');
  await writeFile(anchorFile(), createAuthority('Another Root').certificatePem);
  assert.match(reasonOf(await here(agent)), ALLOWED);
  assert.equal((await command('certificate reload')).status, 0);
  assert.equal(reasonOf(await here(agent)), 'certificate_untrusted');
  assert.equal(await connectionOf(agent), open, 'another connection proves nothing');
  for (const [index, version] of versions.entries()) {
    const again = await onceMore(version, sessions[index]?.session);
    assert.equal(again.reused, false);
    assert.match(again.text, /certificate_untrusted/);
  }
  await becomes(() => there(agent), /^certificate_untrusted$/);
  await writeFile(anchorFile(), former);
  await platform.rooms.reloads.check();
  assert.match(reasonOf(await here(agent)), ALLOWED);
});

test('a broken file of anchors changes nothing, and says so', async () => {
  const agent = party.agentOf(party.issue());
  const former = await readFile(anchorFile(), 'utf8');
  for (const broken of ['', 'nonsense', former.slice(0, 200)]) {
    await writeFile(anchorFile(), broken);
    const told = await command('certificate reload');
    assert.equal(told.status, 1);
    assert.match(told.lines.join('\n'), /anchors of gobank: kept, bank gobank: trust scheme: anchor 1 cannot be read/);
    assert.match(reasonOf(await here(agent)), ALLOWED);
  }
  await writeFile(anchorFile(), former);
  assert.equal((await command('certificate reload')).status, 0);
  assert.match(
    await platform.rooms.metrics.text(),
    /portcullis_reloads_total\{kind="anchors",outcome="failed"\} [1-9]/,
  );
});

test('attack 30 a certificate or key that staff denies is refused at once, on open connections, in every process', async () => {
  const issued = party.issue();
  const agent = party.agentOf(issued);
  const verdict = await platform.rooms.trust.judge(issued.chain, 'gobank');
  const { serial = '', issuer = '', spkiSha256: key = '' } = verdict.certificate ?? {};
  const entries = [{ issuer, serial: serial.toUpperCase() }, { key }];
  for (const [index, entry] of entries.entries()) {
    const where = index === 0 ? 'gobank' : 'all';
    assert.match(reasonOf(await here(agent)), ALLOWED);
    await becomes(() => there(agent), ALLOWED);
    const open = await connectionOf(agent);
    assert.equal((await command('certificate deny', [where], { ...entry, by: 'alice', reason: 'stolen' })).status, 0);
    assert.equal(reasonOf(await here(agent)), 'certificate_revoked');
    assert.equal(await connectionOf(agent), open);
    await becomes(() => there(agent), /^certificate_revoked$/);
    assert.match((await command('certificate denied')).lines.join('\n'), /(gobank|all banks) .*by alice: stolen/);
    const elsewhere = await platform.rooms.trust.judge(issued.chain, 'jwtbank');
    assert.equal(elsewhere.ok, where === 'gobank');
    assert.equal((await command('certificate allow', [where], entry)).status, 0);
    assert.match(reasonOf(await here(agent)), ALLOWED);
    await becomes(() => there(agent), ALLOWED);
    assert.equal((await command('certificate allow', [where], entry)).status, 1);
  }
  await platform.rooms.audit.flush();
  const records = await platform.rooms.audit.search({ family: 'administration' });
  const actions = records.map(({ action }) => action).filter((action) => action.startsWith('certificate.'));
  const one = ['certificate.allowed', 'certificate.denied'];
  assert.deepEqual(actions, [...one, ...one]);
});

test('a denial that says nothing is refused', async () => {
  for (const options of [
    {},
    { issuer: 'CN=a' },
    { key: 'short' },
    { issuer: 'nonsense', serial: '01' },
    { key: 'a'.repeat(43), serial: '1' },
  ]) {
    assert.equal((await command('certificate deny', ['gobank'], options)).status, 1);
  }
  assert.equal((await command('certificate deny', ['nobody'], { key: 'a'.repeat(43) })).status, 1);
  assert.match((await command('certificate denied')).lines.join('\n'), /^nothing is denied/);
});

function shownBy(port: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = tlsConnect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: platform.authority.certificatePem,
  });
  socket.on('error', reject);
  socket.on('secureConnect', () => {
    resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
    socket.destroy();
  });
  return promise;
}

test('LAB-32 the doors show a new certificate without restart; a broken one is not taken over', async () => {
  const { certificate, key, port } = doorFiles();
  const agent = party.agentOf(party.issue());
  await here(agent);
  const open = await connectionOf(agent);
  const print = (pem: string) => new X509Certificate(pem).fingerprint256;
  const fresh = platform.authority.issueServer({ keyType: 'rsa' });
  assert.notEqual(await shownBy(port), print(fresh.certificatePem));
  await writeFile(certificate, fresh.chainPem);
  const half = await command('certificate reload');
  assert.equal(half.status, 1);
  assert.match(half.lines.join('\n'), /certificate of door mtls: kept, the key is not that of the certificate/);
  assert.notEqual(await shownBy(port), print(fresh.certificatePem));
  await writeFile(key, fresh.keyPem);
  await platform.rooms.reloads.check();
  for (const name of ['issuer', 'mtls', 'portal', 'management'] as const)
    assert.equal(await shownBy(platform.settings.doors[name]?.port ?? 0), print(fresh.certificatePem), name);
  const over = platform.authority.issueServer({ notAfter: new Date(Date.now() - 60_000) });
  const broken = [
    [over.chainPem, over.keyPem, /expired on/],
    ['nonsense', fresh.keyPem, /kept/],
  ] as const;
  for (const [pem, itsKey, told] of broken) {
    await writeFile(certificate, pem);
    await writeFile(key, itsKey);
    assert.match((await command('certificate reload')).lines.join('\n'), told);
    assert.equal(await shownBy(port), print(fresh.certificatePem));
  }
  assert.match(reasonOf(await here(agent)), ALLOWED);
  assert.equal(await connectionOf(agent), open);
  await writeFile(certificate, fresh.chainPem);
  await writeFile(key, fresh.keyPem);
  assert.equal((await command('certificate reload')).status, 0);
});
