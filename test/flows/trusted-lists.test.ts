import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { readCommandFile, runCommand } from '../../src/main/commands.ts';
import { createAuthority } from '../support/certificates.ts';
import type { Received } from '../support/http.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { reasonOf, refused } from '../support/refusals.ts';
import { openSecondNode, type SecondNode } from '../support/second-node.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';
import { type ListedServiceOptions, type ListOptions, listXml, signList } from '../support/trusted-list.ts';

/** The second process is told by a notification, and then verifies the list itself. */
const TOLD_WITHIN_MS = 10_000;
const DAY_MS = 86_400_000;
const ALLOWED = /^token_/;
const day = (offset: number) => new Date(Math.floor(Date.now() / 1_000) * 1_000 + offset * DAY_MS);
const operator = createAuthority('Operator');

let platform: TestPlatform;
let second: SecondNode;
let party: ThirdParty;
let client: Registered;
let published = '';

before(async () => {
  platform = await startPlatform({
    clientCertificate: 'request',
    prepare: async (_authority, directory) => {
      published = join(directory, 'list.xml');
      const signers = [join(directory, 'operator.pem')];
      await writeFile(join(directory, 'operator.pem'), operator.certificatePem);
      const trustedLists = [{ territory: 'XX', file: published, signers }];
      return [{ id: 'gobank', trust: { trustedLists, qualified: true, qcTypeRequired: true, revocation: 'off' } }];
    },
  });
  second = await openSecondNode(platform);
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP'], {
    certificate: { qualified: true, notBefore: day(-5) },
  });
});
after(async () => {
  await second.close();
  await platform.close();
});

/** A list that grants the authority of the test what it needs, unless bent. */
function list(sequence: number, service: Partial<ListedServiceOptions> = {}, options: ListOptions = {}): string {
  const { authority } = platform;
  const granted = { certificates: [authority], status: 'granted', from: day(-100), uses: ['ForWebSiteAuthentication'] };
  const dates = { issuedAt: day(-1), nextUpdate: day(100) };
  return signList(listXml({ sequence, ...dates, services: [{ ...granted, ...service }], ...options }), {
    signer: operator,
  });
}

const command = async (name: string, words: readonly string[] = [], options = {}) => {
  const file = await readCommandFile(name, words);
  return runCommand(name, { words, options, file }, platform.rooms, platform.settings);
};

/** Imports as an operator does: from a file. */
async function imported(document: string) {
  await writeFile(published, document);
  const { status, lines } = await command('trusted-list import', [published], { bank: 'gobank', by: 'olga' });
  return { status, text: lines.join('\n') };
}

/** Without a token: whoever passes the certificate's check is asked for one. */
const here = async (agent: Agent = party.agent) =>
  reasonOf(await party.api('gobank', '/accounts', undefined, { agent }));
const there = () => second.api(party, 'gobank', '/accounts', 'none');

async function becomes(ask: () => Promise<Received>, expected: RegExp): Promise<void> {
  const until = Date.now() + TOLD_WITHIN_MS;
  let said = '';
  while (!expected.test(said) && Date.now() < until) {
    said = reasonOf(await ask());
    if (!expected.test(said)) await wait(20);
  }
  assert.match(said, expected);
}

/** The finer code in the audit record of the last refusal. */
async function lastDetail(reason: string) {
  await platform.rooms.audit.flush();
  const [record] = await platform.rooms.audit.search({ bank: 'gobank', reason, limit: 1 });
  return record?.detail;
}

test('WSN-24 N-29 before a list was ever imported nobody is let in, and it is said why', async () => {
  refused(await party.api('gobank', '/accounts', undefined), 401, 'certificate_not_qualified');
  assert.equal(await lastDetail('certificate_not_qualified'), 'trusted_list_missing');
  const shown = await command('trusted-list show');
  assert.equal(shown.status, 1);
  assert.match(shown.lines.join('\n'), /Bank gobank, XX:\n {2}MISSING: its authorities are refused/);
  assert.match(await platform.rooms.metrics.text(), /^portcullis_trusted_list_seconds_left 0$/m);
});

test('WSN-24 a certificate of an authority that the list grants is accepted, in every process; others are not', async () => {
  const { status, text } = await imported(list(7));
  assert.equal(status, 0, text);
  assert.match(text, /number +7 \(version 5\)\n.*\n.*\n.*\n {2}service +CN=Test Root \([\w-]{43}\): websites/);
  assert.match(await here(), ALLOWED);
  await becomes(there, ALLOWED);
  client = await party.register('gobank');
  assert.equal((await party.clientToken(client)).status, 200);
  const agentOf = (change: Parameters<ThirdParty['issue']>[0]) => party.agentOf(party.issue(change));
  assert.equal(await here(agentOf({ qualified: false })), 'certificate_not_qualified');
  assert.equal(await here(agentOf({ qcType: 'eseal' })), 'certificate_wrong_purpose');
  assert.equal(await here(agentOf({ qcType: 'none' })), 'certificate_wrong_purpose');
  assert.equal(await here(agentOf({ notBefore: day(-101) })), 'certificate_not_qualified');
  assert.equal(await lastDetail('certificate_not_qualified'), 'anchor_not_granted');
  const stranger = createAuthority('Stranger').issue({
    qualified: true,
    roles: ['PISP'],
    organizationIdentifier: 'PSDXX-TEST-1',
  });
  assert.equal(await here(party.agentOf(stranger)), 'certificate_not_qualified');
  assert.equal(await lastDetail('certificate_not_qualified'), 'issuer_unknown');
  const below = platform.authority
    .createIntermediate('Below')
    .issue({ qualified: true, roles: ['AISP'], organizationIdentifier: 'PSDXX-TEST-1' });
  assert.equal(await here(party.agentOf(below)), 'certificate_not_qualified');
});

test('attack 66 a list that is forged or older changes nothing, and the attempt is recorded', async () => {
  for (const [document, detail] of [
    [signList(listXml({ sequence: 9 }), { signer: platform.authority }), 'signer_unknown'],
    [list(9).replace('<SchemeTerritory>XX', '<SchemeTerritory>YY'), 'signature_invalid'],
    [list(6), 'sequence_back'],
    [list(9, {}, { nextUpdate: day(-0.5) }), 'list_expired'],
  ] as const) {
    const { status, text } = await imported(document);
    assert.equal(status, 1);
    assert.match(text, /^trusted_list_refused: /);
    assert.equal(await lastDetail('trusted_list_refused'), detail);
  }
  assert.match(await here(), ALLOWED);
  const [record] = await platform.rooms.audit.search({ bank: 'gobank', action: 'trusted_list.imported' });
  assert.deepEqual([record?.facts?.sequence, record?.facts?.actor], [7, 'olga']);
});

test('a list survives a restart, and is verified again', async () => {
  await platform.restart();
  assert.match(await here(), ALLOWED);
  const { status, lines } = await command('trusted-list show', [], { bank: 'gobank' });
  assert.equal(status, 0, lines.join('\n'));
});

test('WSN-24 attack 46 a newer list that withdraws the service ends it at once, in every process', async () => {
  const history = [{ status: 'granted', from: day(-100), uses: ['ForWebSiteAuthentication'] }];
  const { status, text } = await imported(list(8, { status: 'withdrawn', from: day(-1), history }));
  assert.equal(status, 0, text);
  assert.match(text, /CN=Test Root \(.*\): withdrawn/);
  assert.equal(await here(), 'certificate_not_qualified');
  assert.equal(await lastDetail('certificate_not_qualified'), 'anchor_not_granted');
  const token = await party.clientToken(client);
  assert.deepEqual([token.status, reasonOf(token)], [400, 'invalid_request']);
  await becomes(there, /^certificate_not_qualified$/);
  assert.equal((await imported(list(7))).status, 1);
  assert.equal(await here(), 'certificate_not_qualified');
});

test('the refresh takes over a newer file by itself', async () => {
  await writeFile(published, list(9));
  await platform.rooms.database.query('UPDATE trusted_lists.refreshes SET next_attempt_at = $1', [day(-1)]);
  await platform.rooms.trustedLists.refresh();
  assert.match(await here(), ALLOWED);
  const text = await platform.rooms.metrics.text();
  assert.match(text, /trusted_list_refreshes_total\{bank="gobank",territory="XX",outcome="imported"\} [1-9]/);
  assert.match(text, /^portcullis_trusted_list_seconds_left 8[0-9]{6}/m);
});

test('a command that names no bank, no file or a bank without lists says so', async () => {
  assert.match((await command('trusted-list import', [published])).lines[0] ?? '', /--bank/);
  const elsewhere = await command('trusted-list import', [published], { bank: 'nobank' });
  assert.match(elsewhere.lines[0] ?? '', /there is no bank nobank/);
  const unreachable = await command('trusted-list import', ['http://127.0.0.1:1/list.xml'], { bank: 'gobank' });
  assert.match(unreachable.lines[0] ?? '', /^upstream_unavailable: /);
  await assert.rejects(command('trusted-list import', [join(published, 'nowhere')], { bank: 'gobank' }));
});
