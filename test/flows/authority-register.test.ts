import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCommand } from '../../src/main/commands.ts';
import { connect } from '../support/journey.ts';
import { bankService } from '../support/management.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { refused } from '../support/refusals.ts';
import { type RegisterService, startRegisterService } from '../support/register-service.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

/** Believed for this long in this test: access tokens live for 300 seconds of the engine's own clock, and all tests together stay below. */
const POSITIVE_SECONDS = 10;
const both = { status: 'authorised', roles: { XX: ['AISP', 'PISP'], DE: ['PISP'] } };

/** Gives one number the account role wherever it is asked from, and fails for every other. */
const OWN_REGISTER = `export async function askRegister({ country, authority, number, certificate }) {
  if (number !== 'TPP-M' || !certificate.roles.includes('PISP')) throw new Error('out of order');
  return { country, authority, number, status: 'authorised', roles: { XX: ['AISP'] } };
}
`;

let platform: TestPlatform;
let register: RegisterService;
let snapshot: string;
let ahead = 0;
const clock = { now: () => new Date(Date.now() + ahead * 1000) };
const later = (seconds: number) => {
  ahead += seconds;
};

async function publish(numbers: readonly string[]): Promise<void> {
  const authorisations = numbers.map((number) => ({
    country: 'XX',
    authority: 'TEST',
    number,
    roles: { XX: ['AISP', 'PISP'] },
  }));
  await writeFile(`${snapshot}.new`, JSON.stringify({ publishedAt: clock.now().toISOString(), authorisations }));
  await rename(`${snapshot}.new`, snapshot);
}

before(async () => {
  platform = await startPlatform({
    clock,
    prepare: async (authority, directory) => {
      const at = (name: string) => join(directory, name);
      snapshot = at('register.json');
      register = await startRegisterService(authority);
      const identity = { certificate: at('gateway.pem'), key: at('gateway.key'), authorities: [at('root.pem')] };
      const service = { url: register.url, positiveSeconds: POSITIVE_SECONDS, ...identity };
      const file = { file: snapshot, format: 'plain', maximumAgeSeconds: 3_600 } as const;
      const exceptions = [
        {
          identifier: 'PSDXX-TEST-CREDIT',
          roles: ['AISP' as const],
          until: '2099-01-01',
          reason: 'credit institution',
        },
      ];
      await writeFile(at('own-register.ts'), OWN_REGISTER);
      return [
        { id: 'modulebank', name: 'Module Bank', register: { country: 'XX', module: { file: at('own-register.ts') } } },
        { id: 'gobank', name: 'Go Bank', register: { country: 'XX', atCalls: true, service, exceptions } },
        { id: 'filebank', name: 'File Bank', register: { country: 'XX', atCalls: true, snapshot: file } },
        { id: 'oncebank', name: 'Once Bank', register: { country: 'XX', service } },
        { id: 'labbank', name: 'Lab Bank', profile: 'baseline', accessTokens: 'jwt', routesByScopeAlone: true },
        {
          id: 'plainbank',
          name: 'Plain Bank',
          trust: { anchors: [at('root.pem')], revocation: 'off', rolesFrom: 'directory' },
        },
      ];
    },
  });
});
after(async () => {
  await platform.close();
  await register.close();
});

describe('a snapshot', () => {
  test('N-31 a snapshot: who stands no longer in the file is refused within the time', async () => {
    const own = await platform.thirdParty('tpp-f', ['AISP', 'PISP']);
    refused(
      await own.sendRegistration('filebank', await own.registration('private_key_jwt')),
      503,
      'temporarily_unavailable',
    );
    await publish(['TPP-F']);
    later(76);
    const registered = await own.register('filebank');
    const { access } = await connect(platform, own, registered);
    await publish([]);
    later(76);
    refused(await own.api('filebank', '/accounts', access), 403, 'participant_refused_by_register');
    await publish(['TPP-F']);
    later(76);
    assert.equal((await own.api('filebank', '/accounts', access)).status, 200);
  });
});

describe('registration', () => {
  test('WSN-14 unknown, withdrawn, not passported, without a role: 403 and no client; silent: 503', async () => {
    const party = await platform.thirdParty('tpp-r', ['AISP', 'PISP']);
    const body = await party.registration('private_key_jwt');
    const entries = [
      undefined,
      { status: 'withdrawn' },
      { ...both, roles: { DE: ['AISP'] } },
      { ...both, roles: { XX: [] } },
    ];
    for (const bank of ['gobank', 'oncebank']) {
      for (const entry of entries) {
        if (entry === undefined) register.entries.delete('TPP-R');
        else register.entries.set('TPP-R', entry);
        refused(await party.sendRegistration(bank, body), 403, 'participant_refused_by_register');
      }
      register.entries.set('TPP-R', { ...both, number: 'TPP-S' });
      refused(await party.sendRegistration(bank, body), 503, 'temporarily_unavailable');
      assert.deepEqual(await platform.rooms.directory.listClients(bank), []);
    }
    const { records } = await lastRecord('tpp-r');
    assert.ok(
      records.some(({ reason, detail }) => reason === 'register_unavailable' && detail === 'register_other_number'),
    );
  });

  test('WSN-16 certificates.md §14 scopes are those of statement, certificate, directory and register together', async () => {
    const party = await platform.thirdParty('tpp-n', ['AISP', 'PISP']);
    register.entries.set('TPP-N', { ...both, roles: { XX: ['AISP', 'CBPII'], DE: ['PISP'] } });
    const asked = await party.registration('private_key_jwt', { scope: 'openid payments.create' });
    refused(await party.sendRegistration('oncebank', asked), 400, 'invalid_client_metadata');
    const client = await party.register('oncebank');
    assert.equal(client.metadata.scope, 'openid offline_access accounts');
    register.entries.set('TPP-N', { ...both, roles: { XX: ['CBPII'] } });
    refused(
      await party.sendRegistration('gobank', await party.registration('private_key_jwt')),
      400,
      'invalid_client_metadata',
    );
  });

  test('the bank’s own service needs no authorisation, and gets nothing but management', async () => {
    const own = await bankService(platform, 'gobank');
    assert.notEqual(await own.token('management.audit'), '');
    const answer = await own.party.sendRegistration(
      'oncebank',
      await own.party.registration('private_key_jwt', { grant_types: ['client_credentials'] }),
    );
    refused(answer, 403, 'participant_refused_by_register');
  });

  test('WSN-14 a register of the operator’s own plugs in as a module', async () => {
    const party = await platform.thirdParty('tpp-m', ['AISP', 'PISP']);
    assert.equal((await party.register('modulebank')).metadata.scope, 'openid offline_access accounts');
    const other = await platform.thirdParty('tpp-mm', ['AISP', 'PISP']);
    const body = await other.registration('private_key_jwt');
    refused(await other.sendRegistration('modulebank', body), 503, 'temporarily_unavailable');
  });

  test('CA-07 staff see what the register says', async () => {
    const ask = (bank: string, id: string) =>
      runCommand(
        'participant check',
        { words: [bank, id], options: {}, file: undefined },
        platform.rooms,
        platform.settings,
      );
    await platform.thirdParty('tpp-q', ['AISP', 'PISP']);
    assert.match(
      (await ask('oncebank', 'tpp-q')).lines.join(),
      /participant_refused_by_register \(register_not_found\)/,
    );
    register.entries.set('TPP-Q', { ...both, roles: { XX: ['AISP'] } });
    const confirmed = await ask('oncebank', 'tpp-q');
    assert.deepEqual(confirmed, { lines: ['tpp-q is authorised: AISP; the directory also has PISP'], status: 0 });
    assert.match((await ask('plainbank', 'tpp-q')).lines.join(), /has no register/);
    assert.equal((await ask('oncebank', 'nobody')).status, 1);
  });

  test('an exception of the operator stands for a provider that the register does not cover', async () => {
    const party = await platform.thirdParty('credit', ['AISP', 'PISP']);
    refused(
      await party.sendRegistration('oncebank', await party.registration('private_key_jwt')),
      403,
      'participant_refused_by_register',
    );
    assert.equal((await party.register('gobank')).metadata.scope, 'openid offline_access accounts');
  });
});

async function lastRecord(participant: string) {
  await platform.rooms.audit.flush();
  const records = await platform.rooms.audit.search({ participant, limit: 100 });
  return { records };
}

describe('calls', () => {
  let party: ThirdParty;
  let client: Registered;
  before(async () => {
    party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
    register.entries.set('TPP-A', both);
    client = await party.register('gobank');
  });

  test('N-31 an authorisation withdrawn ends calls with tokens and connections that exist, within the time; given back, at once', async () => {
    const { access, refresh } = await connect(platform, party, client);
    assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
    const asked = register.asked.length;
    assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
    assert.equal(register.asked.length, asked, 'a positive answer is remembered');
    const before = platform.core.calls.length;
    register.entries.set('TPP-A', { status: 'withdrawn' });
    later(POSITIVE_SECONDS);
    refused(await party.api('gobank', '/accounts', access), 403, 'participant_refused_by_register');
    refused(await party.clientToken(client), 400, 'unauthorized_client');
    refused(await party.refresh(client, refresh), 400, 'unauthorized_client');
    refused((await party.push(client)).answer, 400, 'unauthorized_client');
    assert.equal((await party.introspect(client, access)).json().active, false);
    assert.equal(platform.core.calls.length, before);
    register.entries.set('TPP-A', both);
    assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
    assert.equal((await party.introspect(client, access)).json().active, true);
    const { records } = await lastRecord('tpp-a');
    const ending = records.find(({ reason }) => reason === 'participant_refused_by_register');
    assert.equal(ending?.detail, 'register_withdrawn');
    assert.ok(records.some(({ action, outcome }) => action === 'register.answered' && outcome === 'refused'));
    assert.match(
      await platform.rooms.metrics.text(),
      /portcullis_register_checks_total\{bank="gobank",finding="register_withdrawn"\} [1-9]/,
    );
  });

  test('N-285 N-30 a silent register refuses with 503, consumes nothing, and everything works again when it speaks', async () => {
    const { refresh, access } = await connect(platform, party, client);
    later(POSITIVE_SECONDS);
    register.broken = true;
    refused(await party.api('gobank', '/accounts', access), 503, 'register_unavailable');
    refused(await party.refresh(client, refresh), 503, 'temporarily_unavailable');
    refused(await party.introspect(client, access), 503, 'temporarily_unavailable');
    register.broken = false;
    later(31);
    assert.equal((await party.refresh(client, refresh)).status, 200);
    assert.equal((await party.api('gobank', '/accounts', access)).status, 200);
  });

  test('certificates.md §19 E 67 a role that the register takes away ends its API and its scope, and leaves the other', async () => {
    const { access } = await connect(platform, party, client);
    register.entries.set('TPP-A', { ...both, roles: { XX: ['PISP'] } });
    later(POSITIVE_SECONDS);
    refused(await party.api('gobank', '/accounts', access), 403, 'participant_refused_by_register');
    assert.equal((await party.clientToken(client)).status, 200);
    register.entries.set('TPP-A', { ...both, roles: { XX: ['AISP'] } });
    later(POSITIVE_SECONDS);
    refused(await party.clientToken(client), 400, 'invalid_scope');
    register.entries.set('TPP-A', both);
    later(POSITIVE_SECONDS);
  });

  test('nobody but the client itself makes this platform ask the register', async () => {
    const other = await platform.thirdParty('tpp-o', ['AISP']);
    later(POSITIVE_SECONDS);
    const asked = register.asked.length;
    refused(await party.clientToken(client, 'payments.create', other.agent), 401, 'invalid_client');
    refused(await party.clientToken(client, 'payments.create', party.agentOf()), 400, 'invalid_request');
    assert.equal(register.asked.length, asked);
  });

  test('a bank that asks at registration alone goes on when the authorisation is withdrawn', async () => {
    const own = await platform.thirdParty('tpp-once', ['AISP', 'PISP']);
    register.entries.set('TPP-ONCE', both);
    const registered = await own.register('oncebank');
    register.entries.set('TPP-ONCE', { status: 'withdrawn' });
    later(POSITIVE_SECONDS);
    assert.equal((await own.clientToken(registered)).status, 200);
  });
});

describe('roles', () => {
  before(() => {
    ahead = 0;
  });

  test('WSN-21 a certificate renewed with fewer roles ends the scopes of the others, whatever the registration says', async () => {
    const party = await platform.thirdParty('tpp-w', ['AISP', 'PISP']);
    const client = await party.register('plainbank');
    assert.equal((await party.clientToken(client)).status, 200);
    const renewed = party.issue({ roles: ['AISP'] });
    const verdict = await platform.rooms.trust.judge([renewed.der], 'plainbank');
    assert.ok(verdict.ok);
    const staff = { kind: 'staff', reference: 'test', reason: 'renewal' } as const;
    await platform.rooms.directory.rebindCertificate('plainbank', client.id, verdict.certificate, 0, staff);
    const agent = party.agentOf(renewed);
    refused(await party.clientToken(client, 'payments.create', agent), 400, 'invalid_scope');
    refused(
      await party.api('plainbank', '/payments', 'any', { method: 'POST', body: '{}', agent }),
      403,
      'role_missing',
    );
  });

  test('N-28 a certificate without a PSD2 statement: nothing to register, nothing to call, unless the scheme says so', async () => {
    const party = await platform.thirdParty('tpp-p', ['AISP', 'PISP']);
    register.entries.set('TPP-P', both);
    const bare = party.agentOf(party.issue({ roles: undefined }));
    const body = await party.registration('private_key_jwt');
    refused(await party.sendRegistration('oncebank', body, bare), 400, 'invalid_client_metadata');
    refused(await party.api('oncebank', '/accounts', 'any', { agent: bare }), 403, 'role_missing');
    const answer = await party.sendRegistration('plainbank', body, bare);
    assert.equal(answer.status, 201, answer.text);
    const metadata = answer.json();
    assert.equal(metadata.scope, 'openid offline_access accounts payments.create');
    const client = { ...(await unregistered(party)), id: String(metadata.client_id), bank: 'plainbank', metadata };
    const token = await party.clientToken(client, 'payments.create', bare);
    assert.equal(token.status, 200, token.text);
    const access = String(token.json().access_token);
    refused(await party.api('plainbank', '/accounts', access, { agent: bare }), 403, 'insufficient_scope');
  });

  test('certificates.md §19 E 61 an account servicing provider is no third party', async () => {
    const party = await platform.thirdParty('aspsp', ['ASPSP']);
    const body = await party.registration('private_key_jwt');
    refused(await party.sendRegistration('plainbank', body), 400, 'invalid_client_metadata');
    refused(await party.api('plainbank', '/accounts', 'any'), 403, 'role_missing');
  });
});

async function unregistered(party: ThirdParty): Promise<Omit<Registered, 'id' | 'bank' | 'metadata'>> {
  return { method: 'private_key_jwt', managementToken: '', managementUri: party.issuer('plainbank') };
}

test('certificates.md §14 a snapshot that nobody renews lets nobody in', async () => {
  const party = await platform.thirdParty('tpp-g', ['AISP', 'PISP']);
  await publish(['TPP-G']);
  later(76);
  const client = await party.register('filebank');
  later(3_600);
  refused(await party.clientToken(client), 503, 'temporarily_unavailable');
});
