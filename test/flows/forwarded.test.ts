import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Agent, request as httpsRequest } from 'node:https';
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
import { form } from '../support/http.ts';
import { connect } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const SECRET = 'a secret that is long enough for a proxy';
/** Where the proxy of these tests calls from; participants come from 127.0.0.1. */
const PROXY = '127.0.0.2';
const DAY_MS = 86_400_000;

type Forwarded = NonNullable<Settings['doors']['mtls']['forwarded']>;
/** Status and code of an answer, in the gateway's form or in OAuth's. */
interface Outcome {
  readonly status: number;
  readonly code: string;
}

let directory: string;
let source: Forwarded;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'forwarded-'));
  const file = join(directory, 'secret');
  await writeFile(file, `${SECRET}\n`, { mode: 0o600 });
  source = {
    header: 'X-Client-Cert',
    format: 'nginx-escaped',
    proxies: [PROXY],
    secret: { header: 'X-Proxy-Secret', value: { file } },
    directAllowed: true,
  };
});
after(() => rm(directory, { recursive: true, force: true }));

/** One certificate as nginx's `$ssl_client_escaped_cert` has it. */
const escaped = ({ certificatePem }: Issued): string => encodeURIComponent(certificatePem);
type Headers = Readonly<Record<string, string | string[]>>;
/** What the proxy sends: its secret and the certificate. */
const proxied = (value: string | string[]): Headers => ({ 'x-proxy-secret': SECRET, 'x-client-cert': value });

/** Over which connection, and from where. */
interface Caller {
  readonly agent: Agent;
  readonly localAddress: string;
}

function send(
  url: string,
  { agent, localAddress }: Caller,
  method: string,
  headers: Headers,
  body = '',
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const request = httpsRequest(
      url,
      { method, agent, localAddress, servername: 'localhost', headers: { ...length, ...headers } },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk;
        });
        response.on('end', () => {
          const { error } = JSON.parse(text);
          const code = typeof error === 'object' ? String(error.reason) : String(error ?? 'none');
          resolve({ status: response.statusCode ?? 0, code });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

/** A platform with or without a proxy before its door, one party, its token, and the two calls that are tried. */
async function world(forwarded: Forwarded | undefined) {
  const platform: TestPlatform = await startPlatform({
    banks: [{ id: 'gobank' }],
    ...(forwarded === undefined ? {} : { forwarded }),
  });
  const party: ThirdParty = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  const client: Registered = await party.register('gobank');
  const { access } = await connect(platform, party, client);
  const fromProxy: Caller = { agent: party.agentOf(), localAddress: PROXY };
  return {
    platform,
    party,
    /** A participant, or anybody, past the proxy. */
    direct: (agent: Agent = party.agentOf()): Caller => ({ agent, localAddress: '127.0.0.1' }),
    api: (headers: Headers, caller = fromProxy) =>
      send(`${party.mtls('gobank')}/accounts`, caller, 'GET', { authorization: `Bearer ${access}`, ...headers }),
    token: async (headers: Headers, caller = fromProxy) => {
      const grant = { grant_type: 'client_credentials', scope: 'payments.create' };
      const body = form({ ...(await party.credentials(client)), ...grant });
      const type = { 'content-type': 'application/x-www-form-urlencoded' };
      return send(`${party.mtls('gobank')}/token`, caller, 'POST', { ...type, ...headers }, body);
    },
  };
}

/** The token endpoint names no reason of its own: OAuth has one word for it. */
const NO_TOKEN = { status: 400, code: 'invalid_request' };
const GRANTED = { status: 200, code: 'none' };

describe('a door behind the configured proxy', () => {
  let here: Awaited<ReturnType<typeof world>>;
  before(async () => {
    here = await world(source);
  });
  after(() => here.platform.close());

  /** The refusal at the API with its reason, and the one at the token endpoint. */
  async function refusedBoth(headers: Headers, reason: string, caller?: Caller) {
    assert.deepEqual(await here.api(headers, caller), { status: 401, code: reason });
    assert.deepEqual(await here.token(headers, caller), NO_TOKEN);
  }

  test('N-46 N-49 no certificate anywhere, or in a header of another name', async () => {
    await refusedBoth({}, 'certificate_missing');
    await refusedBoth({ 'x-proxy-secret': SECRET }, 'certificate_missing');
    const other = { 'x-proxy-secret': SECRET, 'client-cert': escaped(here.party.transport) };
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
    await refusedBoth({ ...proxied(good), 'x-proxy-secret': `${SECRET}!` }, 'certificate_missing');
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
});

describe('a door without a proxy', () => {
  let here: Awaited<ReturnType<typeof world>>;
  before(async () => {
    here = await world(undefined);
  });
  after(() => here.platform.close());

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
