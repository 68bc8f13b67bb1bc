import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readCommandFile, runCommand } from '../../src/main/commands.ts';
import { createAuthority, type Issued } from '../support/certificates.ts';
import { connect } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

let platform: TestPlatform;
let directory: string;
let party: ThirdParty;
let other: ThirdParty;
let client: Registered;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'renewal-'));
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  other = await platform.thirdParty('tpp-b', ['AISP']);
  client = await party.register('gobank');
});
after(async () => {
  await platform.close();
  await rm(directory, { recursive: true, force: true });
});

async function command(name: string, words: readonly string[], options: Readonly<Record<string, string>> = {}) {
  const request = { words, options, file: await readCommandFile(name, words) };
  const { lines, status } = await runCommand(name, request, platform.rooms, platform.settings);
  return { text: lines.join('\n'), status };
}

async function renew(
  id: string,
  certificate: Issued,
  options: Readonly<Record<string, string>> = {},
  bank: string = 'gobank',
) {
  const file = join(directory, 'renewed.pem');
  await writeFile(file, certificate.chainPem);
  return command('client renew', [bank, id, file], options);
}

const tokenWith = async (certificate: Issued) =>
  (await party.clientToken(client, 'payments.create', party.agentOf(certificate))).status;

test('CA-18 client renew: an unknown client, a foreign, expired or other organisation’s certificate, a wrong overlap are refused', async () => {
  const day = 86_400_000;
  const expired = party.issue({ notBefore: new Date(Date.now() - 2 * day), notAfter: new Date(Date.now() - day) });
  const foreign = createAuthority('Elsewhere').issue({ commonName: 'tpp-a' });
  const wrong: readonly (readonly [string, Issued, Readonly<Record<string, string>>, RegExp])[] = [
    ['nobody', party.issue(), {}, /^client_unknown: bank gobank has no client nobody/],
    [client.id, foreign, {}, /^certificate_untrusted: /],
    [client.id, expired, {}, /^certificate_expired: /],
    [client.id, other.issue(), {}, /^authorisation_number_mismatch: /],
    [client.id, party.issue(), { overlap: '1d' }, /^field_invalid: /],
    [client.id, party.issue(), { overlap: '99999999' }, /^field_invalid: /],
  ];
  for (const [id, certificate, options, sentence] of wrong) {
    const { text, status } = await renew(id, certificate, options);
    assert.equal(status, 1, text);
    assert.match(text, sentence);
  }
  const standing = await platform.rooms.directory.standing('gobank', client.id);
  assert.equal(standing?.certificates.length, 1);
});

test('CA-18 client renew: both certificates work for the overlap; finish-renewal ends the old one; a refresh goes on with the new', async () => {
  const { access, refresh } = await connect(platform, party, client);
  const next = party.issue();
  assert.match((await renew(client.id, next)).text, /the one before goes on for 86400 seconds/);
  assert.equal((await party.clientToken(client)).status, 200);
  assert.equal(await tokenWith(next), 200);
  assert.match((await renew(client.id, party.issue())).text, /^rotation_in_progress: /);
  assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
  assert.match((await command('client finish-renewal', ['gobank', client.id])).text, /has one certificate/);
  assert.match((await command('client finish-renewal', ['gobank', client.id])).text, /has no overlap/);
  assert.equal((await party.clientToken(client)).status, 401);
  const refusal = await party.api('gobank', '/accounts', access);
  assert.equal(refusal.status, 401);
  assert.match(refusal.text, /certificate_not_enrolled/);
  assert.equal((await party.refresh(client, refresh, party.agentOf(next))).status, 200);
});

test('CA-18 client renew without overlap: the certificate before and its tokens end at once', async () => {
  const own = await platform.thirdParty('tpp-c', ['AISP']);
  const mine = await own.register('gobank');
  const { access } = await connect(platform, own, mine);
  const next = own.issue();
  assert.match((await renew(mine.id, next, { overlap: '0' })).text, /^client \S+ comes with certificate \S{43}$/);
  assert.equal((await own.clientToken(mine)).status, 401);
  const refusal = await own.api('gobank', '/accounts', access, { agent: own.agentOf(next) });
  assert.match(refusal.text, /token_revoked/);
});

for (const bank of ['gobank', 'jwtbank']) {
  test(`CA-18 ${bank}: a token that is being made while its certificate ends means nothing to whoever asks about it`, async (context) => {
    const own = await platform.thirdParty(`tpp-${bank}`, ['PISP']);
    const mine = await own.register(bank);
    const { tokens } = platform.rooms;
    const { save } = tokens;
    const next = own.issue();
    // The engine has seen the certificate by now.
    const making = context.mock.method(tokens, 'save', async (...given: Parameters<typeof save>) => {
      making.mock.restore();
      assert.equal((await renew(mine.id, next, { overlap: '0' }, bank)).status, 0);
      await save(...given);
    });
    const made = String((await own.clientToken(mine)).json().access_token);
    const agent = own.agentOf(next);
    assert.deepEqual((await own.introspect(mine, made, agent)).json(), { active: false });
    const later = String((await own.clientToken(mine, 'payments.create', agent)).json().access_token);
    assert.equal((await own.introspect(mine, later, agent)).json().active, true);
    const unbound = context.mock.method(tokens, 'save', async (...[id, facts, payload]: Parameters<typeof save>) => {
      unbound.mock.restore();
      await save(id, { ...facts, thumbprint: undefined }, payload && { ...payload, 'x5t#S256': undefined });
    });
    const loose = String((await own.clientToken(mine, 'payments.create', agent)).json().access_token);
    assert.deepEqual((await own.introspect(mine, loose, agent)).json(), { active: false });
  });
}
