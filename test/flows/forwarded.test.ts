import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { checkSettings, type Settings } from '../../src/main/settings.ts';
import { openTrust } from '../../src/main/trust.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createLog } from '../../src/platform/log.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { regimes } from '../../src/regimes/index.ts';
import { createAuthority, type Issued } from '../support/certificates.ts';
import {
  CASES,
  type Caller,
  ENDPOINTS,
  type Endpoint,
  escaped,
  type Forwarded,
  type Headers,
  type Member,
  openWorld,
  proxied,
  type World,
} from '../support/forwarded-world.ts';
import { PROXY_ADDRESS, PROXY_SECRET, type RunningProxy, startProxy } from '../support/proxies.ts';

const DAY_MS = 86_400_000;

let directory: string;
let source: Forwarded;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'forwarded-'));
  const file = join(directory, 'secret');
  await writeFile(file, `${PROXY_SECRET}\n`, { mode: 0o600 });
  source = {
    header: 'X-Client-Cert',
    format: 'nginx-escaped',
    proxies: [PROXY_ADDRESS],
    secret: { header: 'X-Proxy-Secret', value: { file } },
    directAllowed: true,
  };
});
after(() => rm(directory, { recursive: true, force: true }));

/** How a certificate comes to the door: by header of the proxy, or by the handshake. */
type Carry = (issued: Issued | undefined) => { readonly headers: Headers; readonly caller: Caller };
const byHeader =
  (world: World): Carry =>
  (issued) => ({
    headers: issued === undefined ? { 'x-proxy-secret': PROXY_SECRET } : proxied(escaped(issued)),
    caller: world.fromProxy,
  });
const byHandshake =
  (world: World): Carry =>
  (issued) => ({ headers: {}, caller: world.direct(world.party.agentOf(issued)) });

const PATHS = Object.keys(ENDPOINTS).filter((path): path is Endpoint => path in ENDPOINTS);

/**
 * Every case at every endpoint that authenticates clients, for both methods: status and error for the caller, reason and finer
 * code in the trail, and one text for every failed authentication.
 */
async function tryEverything(world: World, carry: Carry, paths: readonly Endpoint[] = PATHS): Promise<void> {
  const texts = new Set<string>();
  const expected: (readonly [what: string, interaction: string, reason: string])[] = [];
  for (const [member, other] of [world.members, world.members.toReversed()]) {
    if (member === undefined || other === undefined) throw new Error('two members');
    for (const { name, show, reason, good } of CASES) {
      const { headers, caller } = carry(show(member.party, other.party));
      for (const path of paths) {
        const answer = await world.post(member, path, headers, caller);
        const what = `${member.client.method} ${path} ${name}`;
        const told =
          good === true || member.client.method === 'tls_client_auth' ? '401 invalid_client' : '400 invalid_request';
        assert.equal(`${answer.status} ${answer.code}`, told, what);
        if (answer.status === 401) texts.add(answer.description);
        expected.push([what, answer.interaction, reason]);
      }
    }
    await answersWell(world, member, carry);
  }
  assert.equal(texts.size, 1);
  await checkReasons(world, expected);
}

/** Header and handshake of one request, and which of the two must decide. */
type Both = readonly [
  row: string,
  header: Issued | 'nonsense' | undefined,
  handshake: Issued | undefined,
  reason: string,
];

/** Each row for both methods and at every endpoint: `ok`, or the reason that the trail must have. */
async function tryBoth(world: World, from: string, rowsOf: (own: Member['party']) => readonly Both[]): Promise<void> {
  const expected: (readonly [what: string, interaction: string, reason: string])[] = [];
  for (const member of world.members) {
    const refusal = member.client.method === 'tls_client_auth' ? '401 invalid_client' : '400 invalid_request';
    for (const [row, header, handshake, reason] of rowsOf(member.party)) {
      const value = typeof header === 'object' ? escaped(header) : header;
      const headers = value === undefined ? {} : proxied(value);
      const caller = { agent: world.party.agentOf(handshake), localAddress: from };
      for (const path of PATHS) {
        const { status, code, interaction } = await world.post(member, path, headers, caller);
        const what = `${row} ${member.client.method} ${path}`;
        assert.equal(`${status} ${code}`, reason === 'ok' ? `${ENDPOINTS[path].good} none` : refusal, what);
        if (reason !== 'ok') expected.push([what, interaction, reason]);
      }
    }
  }
  await checkReasons(world, expected);
}

/** The trail has the reason of each refusal. */
async function checkReasons(
  world: World,
  expected: readonly (readonly [what: string, interaction: string, reason: string])[],
): Promise<void> {
  await world.platform.rooms.audit.flush();
  for (const [what, interaction, reason] of expected) {
    const reasons = await world.reasons(interaction);
    assert.ok(reasons.includes(reason), `${what}: ${reasons}`);
  }
}

const past = () => ({ notBefore: new Date(Date.now() - 2 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) });
const strange = () => createAuthority('Somebody').issue({ commonName: 'tpp-a' });
const [ABSENT, EXPIRED] = ['certificate_missing/certificate_absent', 'certificate_expired/expired'];
const [MALFORMED, UNKNOWN] = ['certificate_malformed/header_malformed', 'certificate_untrusted/issuer_unknown'];
const SPOOFED = 'certificate_missing/header_untrusted_source';

/** The enrolled certificate is let in the same way. */
async function answersWell(world: World, member: Member, carry: Carry): Promise<void> {
  const { headers, caller } = carry(member.party.transport);
  for (const path of PATHS) {
    const { status, description } = await world.post(member, path, headers, caller);
    assert.equal(status, ENDPOINTS[path].good, `${member.client.method} ${path} ${description}`);
  }
}

/** The token endpoint names no reason of its own: OAuth has one word for it. */
const NO_TOKEN = { status: 400, code: 'invalid_request' };
const GRANTED = { status: 200, code: 'none' };

describe('a door behind the configured proxy', () => {
  let here: World;
  before(async () => {
    here = await openWorld(source);
  });
  after(() => here.close());

  /** The refusal at the API with its reason, and the one at the token endpoint. */
  async function refusedBoth(headers: Headers, reason: string, caller?: Caller) {
    assert.deepEqual(await here.api(headers, caller), { status: 401, code: reason });
    assert.deepEqual(await here.token(headers, caller), NO_TOKEN);
  }

  test('N-43 N-46 N-47 N-48 N-59 the whole matrix by the header of the proxy', () =>
    tryEverything(here, byHeader(here)));

  test('N-44 N-45 N-50 N-51 header against handshake of a peer that is no proxy, for both methods', () =>
    tryBoth(here, '127.0.0.1', (own) => [
      ['N-44', undefined, own.transport, 'ok'],
      ['N-45', own.issue(), own.transport, 'ok'],
      ['N-50', 'nonsense', own.transport, 'ok'],
      ['N-50', strange(), own.transport, 'ok'],
      ['N-51', own.transport, own.issue(past()), EXPIRED],
      ['N-51', own.transport, strange(), UNKNOWN],
      ['N-45', own.transport, undefined, SPOOFED],
    ]));

  test('N-43 N-45 N-47 header against handshake of the proxy: the header names the participant', () =>
    tryBoth(here, PROXY_ADDRESS, (own) => [
      ['N-43', own.transport, undefined, 'ok'],
      ['N-45', own.transport, strange(), 'ok'],
      ['N-47', 'nonsense', own.transport, MALFORMED],
      ['N-48', own.issue(past()), own.transport, EXPIRED],
      ['N-47', strange(), own.transport, UNKNOWN],
    ]));

  test('N-43 N-44 N-45 the token is bound to the certificate that decided', async () => {
    for (const member of here.members) {
      const { transport } = member.party;
      const thumbprint = createHash('sha256').update(transport.der).digest('base64url');
      const own = here.direct(here.party.agentOf(transport));
      const ways: readonly (readonly [Headers, Caller])[] = [
        [proxied(escaped(transport)), here.fromProxy],
        [{}, own],
        [proxied(escaped(member.party.issue())), own],
      ];
      for (const [headers, caller] of ways) {
        const { body } = await here.post(member, '/token', headers, caller);
        const token = String(body.access_token);
        const known = await here.post(member, '/introspect', headers, caller, { token });
        assert.deepEqual(known.body.cnf, { 'x5t#S256': thumbprint });
      }
    }
  });

  test('N-46 N-49 no certificate anywhere, or in a header of another name', async () => {
    await refusedBoth({}, 'certificate_missing');
    await refusedBoth({ 'x-proxy-secret': PROXY_SECRET }, 'certificate_missing');
    const other = { 'x-proxy-secret': PROXY_SECRET, 'client-cert': escaped(here.party.transport) };
    await refusedBoth(other, 'certificate_missing');
  });

  test('N-47 malformed, repeated, comma-joined, empty and null values', async () => {
    const good = escaped(here.party.transport);
    for (const wrong of ['nonsense', `${good},${good}`, `${good}%`, good.slice(0, -20), [good, good]])
      await refusedBoth(proxied(wrong), 'certificate_malformed');
    for (const nothing of ['', 'null', '(null)', '-']) await refusedBoth(proxied(nothing), 'certificate_missing');
  });

  test('N-47 N-48 a foreign authority, an expired certificate, and another one of the participant', async () => {
    const foreign = createAuthority('Somebody').issue({ commonName: 'tpp-a' });
    await refusedBoth(proxied(escaped(foreign)), 'certificate_untrusted');
    const [notBefore, notAfter] = [new Date(Date.now() - 2 * DAY_MS), new Date(Date.now() - DAY_MS)];
    await refusedBoth(proxied(escaped(here.party.issue({ notBefore, notAfter }))), 'certificate_expired');
    const unbound = await here.api(proxied(escaped(here.party.issue())));
    assert.deepEqual(unbound, { status: 401, code: 'certificate_not_bound' });
  });

  test('a caller at the address of the proxy without its secret is not the proxy', async () => {
    const good = escaped(here.party.transport);
    await refusedBoth({ 'x-client-cert': good }, 'certificate_missing');
    await refusedBoth({ ...proxied(good), 'x-proxy-secret': `${PROXY_SECRET}!` }, 'certificate_missing');
  });

  test('N-45 the right header and secret from another address count for nothing', async () => {
    await refusedBoth(proxied(escaped(here.party.transport)), 'certificate_missing', here.direct());
  });

  test('N-43 the header of the proxy names the participant', async () => {
    const headers = proxied(escaped(here.party.transport));
    assert.deepEqual(await here.api(headers), GRANTED);
    assert.deepEqual(await here.token(headers), GRANTED);
  });

  test('N-44 N-45 N-50 N-51 the handshake of a peer that is no proxy decides, whatever the header says', async () => {
    const own = here.direct(here.party.agent);
    assert.deepEqual(await here.api({}, own), GRANTED);
    assert.deepEqual(await here.api(proxied('nonsense'), own), GRANTED);
    assert.deepEqual(await here.token(proxied(escaped(here.party.issue())), own), GRANTED);
    const [notBefore, notAfter] = [new Date(Date.now() - 2 * DAY_MS), new Date(Date.now() - DAY_MS)];
    const late = here.direct(here.party.agentOf(here.party.issue({ notBefore, notAfter })));
    await refusedBoth(proxied(escaped(here.party.transport)), 'certificate_expired', late);
  });

  describe('through a real nginx', () => {
    let nginx: RunningProxy;
    before(async () => {
      const { authority, settings } = here.platform;
      nginx = await startProxy('nginx.conf', {
        directory: join(directory, 'nginx'),
        authority,
        identity: authority.issue({ commonName: 'proxy' }),
        doorPort: settings.doors.mtls.port,
        // This door's proxy proves itself by a secret.
        change: (text) =>
          text.replace('proxy_bind', `proxy_set_header X-Proxy-Secret "${PROXY_SECRET}";\n    proxy_bind`),
      });
    });
    after(() => nginx.close());
    const through = (world: World) => (issued: Issued | undefined) => ({
      headers: {},
      caller: { ...world.direct(world.party.agentOf(issued)), port: nginx.port },
    });

    test('N-43 N-46 N-47 N-48 N-59 every certificate through nginx at the token endpoint', () =>
      tryEverything(here, through(here), ['/token']));

    test('N-43 N-05 N-06 API calls through nginx', async () => {
      const { party } = here;
      const api = (issued: Issued | undefined, headers: Headers = {}) =>
        here.api(headers, through(here)(issued).caller);
      const refusal = (code: string) => ({ status: 401, code });
      assert.deepEqual(await api(party.transport), GRANTED);
      assert.deepEqual(await api(party.transport, proxied('nonsense')), GRANTED);
      assert.deepEqual(await api(undefined, proxied(escaped(party.transport))), refusal('certificate_missing'));
      assert.deepEqual(await api(party.issue(past())), refusal('certificate_expired'));
      assert.deepEqual(await api(strange()), refusal('certificate_untrusted'));
      assert.deepEqual(await api(party.issue()), refusal('certificate_not_bound'));
    });
  });
});

describe('a door without a proxy', () => {
  let here: World;
  before(async () => {
    here = await openWorld(undefined);
  });
  after(() => here.close());

  test('N-53 N-57 N-58 the whole matrix by the handshake', () => tryEverything(here, byHandshake(here)));

  test('N-52 N-53 N-54 N-55 N-56 header against handshake, for both methods', () =>
    tryBoth(here, PROXY_ADDRESS, (own) => [
      ['N-52', own.transport, undefined, ABSENT],
      ['N-53', undefined, own.transport, 'ok'],
      ['N-54', own.issue(), own.transport, 'ok'],
      ['N-55', 'nonsense', own.transport, 'ok'],
      ['N-56', own.transport, own.issue(past()), EXPIRED],
      ['N-56', own.transport, strange(), UNKNOWN],
    ]));

  test('N-52 N-56 a certificate header is not read', async () => {
    const headers = proxied(escaped(here.party.transport));
    assert.deepEqual(await here.api(headers), { status: 401, code: 'certificate_missing' });
    assert.deepEqual(await here.token(headers), NO_TOKEN);
    const foreign = here.direct(here.party.agentOf(createAuthority('Somebody').issue({ commonName: 'tpp-a' })));
    assert.deepEqual(await here.api(headers, foreign), { status: 401, code: 'certificate_untrusted' });
  });

  test('N-53 N-54 N-55 the handshake alone decides', async () => {
    for (const headers of [{}, proxied(escaped(here.party.transport)), proxied('nonsense')])
      assert.deepEqual(await here.api(headers, here.direct(here.party.agent)), GRANTED);
  });

  test('a proxy that is not soundly configured keeps the platform from starting', async () => {
    const { settings } = here.platform;
    const withProxy = (forwarded: Forwarded, clientCertificate: 'handshake' | 'request' = 'request'): Settings => ({
      ...settings,
      doors: { ...settings.doors, mtls: { ...settings.doors.mtls, clientCertificate, forwarded } },
    });
    const parts = { clock: systemClock, metrics: createMetrics(), log: createLog({ level: 'silent' }) };
    const start = (change: Partial<Forwarded>) => openTrust(withProxy({ ...source, ...change }), parts);
    const { secret: _, ...unproven } = source;
    await assert.rejects(openTrust(withProxy(unproven), parts), /the proxy must prove itself/);
    await assert.rejects(start({ proxies: ['everybody'] }), /no address or network/);
    await assert.rejects(start({ proxies: ['0.0.0.0/0'] }), /no address or network/);
    await assert.rejects(start({ header: 'two words' }), /no header name/);
    await assert.rejects(start({ chainHeader: 'Chain' }), /rfc9440 alone/);
    await writeFile(join(directory, 'short'), 'short');
    const short = { header: 'X-Proxy-Secret', value: { file: join(directory, 'short') } };
    await assert.rejects(start({ secret: short }), /at least 32 characters/);
    assert.throws(() => checkSettings(withProxy(source, 'handshake'), regimes), /must be request/);
  });
});
