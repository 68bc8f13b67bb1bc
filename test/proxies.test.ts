import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Type } from 'typebox';
import { Forwarded, forwardedSource } from '../src/main/forwarded.ts';
import { systemClock } from '../src/platform/clock.ts';
import { loadConfiguration } from '../src/platform/config.ts';
import { openDoor } from '../src/platform/door.ts';
import { createTrust } from '../src/trust/index.ts';
import { createAuthority, type Issued } from './support/certificates.ts';
import { documentedSettings, PROXY_ADDRESS, PROXY_SECRET, type ProxyKind, startProxy } from './support/proxies.ts';
import { crl } from './support/revocation.ts';
import { temporaryDirectory } from './support/temporary.ts';

const DAY_MS = 86_400_000;
/** The one serial number on the list of the proxy's authority. */
const WITHDRAWN = 4_711n;
const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

const authority = createAuthority('Proxy Test Root');
const issuing = authority.createIntermediate('Proxy Test Issuing');
const participant = authority.issue({ commonName: 'participant' });
const other = authority.issue({ commonName: 'other' });
const expired = authority.issue({ notBefore: inDays(-2), notAfter: inDays(-1) });
const early = authority.issue({ notBefore: inDays(1), notAfter: inDays(2) });
const server = authority.issueServer({ keyType: 'rsa' });
/** Of another authority than participants': nobody who may call may also pass for the proxy. */
const proxies = createAuthority('Proxies');
const lists = createServer((_request, response) => {
  response.setHeader('content-type', 'application/pkix-crl');
  response.end(crl(proxies, [WITHDRAWN], { thisUpdate: inDays(-1), nextUpdate: inDays(1) }));
}).listen(0, '127.0.0.1');
await once(lists, 'listening');
after(() => lists.close().closeAllConnections());
const listsAddress = lists.address();
assert.ok(typeof listsAddress === 'object' && listsAddress !== null);
const crlUrls = [`http://127.0.0.1:${listsAddress.port}/proxies.crl`];
const identity = proxies.issue({ commonName: 'proxy', crlUrls });
const withdrawn = proxies.issue({ commonName: 'proxy', crlUrls, serial: WITHDRAWN });
const directory = await temporaryDirectory();

/** What the door's handler saw and said. */
interface Seen {
  readonly outcome: string;
  readonly headers: readonly string[];
}
type Lines = Readonly<Record<string, string | readonly string[]>>;
interface Caller {
  readonly client?: Issued | undefined;
  readonly lines?: Lines;
  readonly from?: string;
}

function settingsSchema() {
  const closed = { additionalProperties: false } as const;
  const mtls = { origin: Type.String(), clientCertificate: Type.Literal('request'), forwarded: Forwarded };
  return Type.Object({ doors: Type.Object({ mtls: Type.Object(mtls, closed) }, closed) }, closed);
}

/** A door with the documented settings, beside it one that is not behind the proxy, and the real proxy before the first. */
async function openBehind(kind: ProxyKind, change?: (text: string) => string) {
  const own = join(directory, change === undefined ? kind : `changed-${kind}`);
  const parts = { directory: own, authority, identity };
  const file = await documentedSettings(kind, { ...parts, authority: proxies });
  const { forwarded } = (await loadConfiguration(settingsSchema(), file)).doors.mtls;
  const source = await forwardedSource(forwarded);
  const open = async (behind: boolean) => {
    const trust = createTrust({
      clock: systemClock,
      schemes: new Map([
        ['bank', { anchors: [authority.certificatePem, issuing.certificatePem], extendedKeyUsages: ['clientAuth'] }],
      ]),
      forwarded: () => (behind ? source : undefined),
    });
    return openDoor({
      name: kind,
      host: '127.0.0.1',
      port: 0,
      authorities: ['localhost'],
      tls: { key: server.keyPem, certificate: server.chainPem, clientCertificate: 'request' },
      handler: async (request, response) => {
        const verdict = await trust.clientCertificate(request, 'bank');
        const outcome = verdict.ok ? `ok ${verdict.certificate.commonName}` : `${verdict.reason}/${verdict.detail}`;
        const headers = request.rawHeaders.filter((_, index) => index % 2 === 0);
        response.end(JSON.stringify({ outcome, headers } satisfies Seen));
      },
    });
  };
  const [door, unmarked] = await Promise.all([open(true), open(false)]);
  const proxy = await startProxy(kind, { ...parts, doorPort: door.port, ...(change === undefined ? {} : { change }) });
  return { forwarded, door, unmarked, proxy };
}

/** One request over a connection of its own. */
async function send(port: number, { client, lines = {}, from = '127.0.0.1' }: Caller): Promise<Seen> {
  const own = client === undefined ? {} : { cert: client.chainPem, key: client.keyPem };
  const agent = new Agent({ ca: authority.certificatePem, ...own });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const headers = Object.fromEntries(Object.entries(lines).map(([name, value]) => [name, [value].flat()]));
  const request = httpsRequest(
    {
      host: '127.0.0.1',
      port,
      agent,
      localAddress: from,
      servername: 'localhost',
      headers: { host: 'localhost', ...headers },
    },
    (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += String(chunk)));
      response.on('end', () =>
        resolve(
          response.statusCode === 200 ? text : JSON.stringify({ outcome: `HTTP ${response.statusCode}`, headers: [] }),
        ),
      );
    },
  );
  request.on('error', reject);
  request.end();
  try {
    return JSON.parse(await promise);
  } finally {
    agent.destroy();
  }
}

/** The certificate in the form of each header. */
const ENCODED: Readonly<Record<ProxyKind, (issued: Issued) => string>> = {
  'nginx.conf': ({ certificatePem }) => encodeURIComponent(certificatePem),
  'haproxy.cfg': ({ der }) => `:${der.toString('base64')}:`,
  'haproxy-base64.cfg': ({ der }) => der.toString('base64'),
};
const ABSENT = 'certificate_missing/certificate_absent';
const UNTRUSTED = 'certificate_missing/header_untrusted_source';

for (const kind of ['nginx.conf', 'haproxy.cfg', 'haproxy-base64.cfg'] satisfies ProxyKind[]) {
  describe(`behind a real ${kind.replace(/[-.].*/, '')}, configured as ${kind} documents`, () => {
    let here: Awaited<ReturnType<typeof openBehind>>;
    before(async () => {
      here = await openBehind(kind);
    });
    after(async () => {
      await here.proxy.close();
      await Promise.all([here.door.close(), here.unmarked.close()]);
    });
    const through = async (caller: Caller) => (await send(here.proxy.port, caller)).outcome;
    /** What a caller would send who knows everything: the header, and the secret as well. */
    const forged = (issued: Issued): Lines => ({
      [here.forwarded.header]: ENCODED[kind](issued),
      'x-proxy-secret': PROXY_SECRET,
    });

    test('good: the certificate of the handshake arrives, and its header goes no further', async () => {
      const { outcome, headers } = await send(here.proxy.port, { client: participant });
      assert.equal(outcome, 'ok participant');
      const names = headers.map((name) => name.toLowerCase());
      for (const name of [here.forwarded.header.toLowerCase(), 'x-proxy-secret']) assert.ok(!names.includes(name));
    });

    test('no certificate, and one of the proxy’s own authority, which is not participants’', async () => {
      assert.equal(await through({}), ABSENT);
      assert.equal(await through({ client: identity }), 'certificate_untrusted/issuer_unknown');
    });

    test('N-05 N-07 WSO-07 expired, not yet valid, of a stranger: the proxy lets it through, and the refusal says which', async () => {
      assert.equal(await through({ client: expired }), 'certificate_expired/expired');
      assert.equal(await through({ client: early }), 'certificate_not_yet_valid/not_yet_valid');
      const stranger = createAuthority('Proxy Test Root').issue({ commonName: 'participant' });
      assert.match(await through({ client: stranger }), /^certificate_untrusted\//);
      const server = authority.issue({ extendedKeyUsages: ['serverAuth'] });
      assert.equal(await through({ client: server }), 'certificate_wrong_purpose/eku');
    });

    test('attack 4 spoofed: a header of the caller counts for nothing, with a certificate and without', async () => {
      assert.equal(await through({ lines: forged(participant) }), ABSENT);
      assert.equal(await through({ client: participant, lines: forged(other) }), 'ok participant');
      assert.equal(await through({ client: expired, lines: forged(participant) }), 'certificate_expired/expired');
      const verified = {
        'x-ssl-client-verify': 'SUCCESS',
        'ssl-client-verify': 'SUCCESS',
        'client-cert-chain': ':AAAA:',
      };
      assert.equal(await through({ lines: verified }), ABSENT);
    });

    test('attack 6 N-34 repeated, comma-joined, and with underscores: overwritten by the proxy or deleted behind it', async () => {
      const { header } = here.forwarded;
      const good = ENCODED[kind](other);
      const wrongs: readonly Lines[] = [
        { [header]: [good, good] },
        { [header]: `${good}, ${good}` },
        { [header.toUpperCase()]: good },
        { [header.replaceAll('-', '_')]: good },
        { [header]: 'rubbish' },
      ];
      for (const lines of wrongs) {
        assert.equal(await through({ client: participant, lines }), 'ok participant');
        assert.equal(await through({ lines }), ABSENT);
      }
    });

    test('N-39 connections to the door are shared by participants: each request has the certificate of its own caller', async () => {
      const callers = Array.from({ length: 24 }, (_, index) => [participant, other, undefined][index % 3]);
      const outcomes = await Promise.all(callers.map((client) => through({ client })));
      const expected = callers.map(
        (client) => [ABSENT, 'ok participant', 'ok other'][[undefined, participant, other].indexOf(client)],
      );
      assert.deepEqual(outcomes, expected);
    });

    test('only the certificate itself is handed on: its issuer must be an anchor', async () => {
      const under = (issuer: typeof authority) => through({ client: issuer.issue({ commonName: 'under' }) });
      assert.equal(await under(issuing), 'ok under');
      assert.equal(
        await under(authority.createIntermediate('Unknown Issuing')),
        'certificate_untrusted/issuer_unknown',
      );
    });

    test('attack 5 N-33 from another address straight to the door: header, secret, even the proxy’s certificate', async () => {
      const straight = async (caller: Caller) => (await send(here.door.port, caller)).outcome;
      assert.equal(await straight({ lines: forged(participant) }), UNTRUSTED);
      assert.equal(await straight({ lines: forged(participant), client: identity }), UNTRUSTED);
      assert.equal(await straight({ lines: forged(participant), client: participant }), UNTRUSTED);
      assert.equal(await straight({ client: participant }), UNTRUSTED);
      assert.equal(await straight({}), ABSENT);
    });

    test('attack 5 from the proxy’s address by somebody who does not prove to be the proxy', async () => {
      const near = async (caller: Caller) => (await send(here.door.port, { from: PROXY_ADDRESS, ...caller })).outcome;
      const { 'x-proxy-secret': _, ...header } = forged(participant);
      const bySecret = here.forwarded.secret !== undefined;
      for (const caller of [{ lines: header }, { lines: header, client: participant }])
        assert.equal(await near(caller), UNTRUSTED);
      const guess = { ...header, 'x-proxy-secret': `${PROXY_SECRET}!` };
      assert.equal(await near({ lines: guess, client: authority.issue({ commonName: 'proxy' }) }), UNTRUSTED);
      const proof: Caller = bySecret ? { lines: forged(participant) } : { lines: header, client: identity };
      assert.equal(await near(proof), 'ok participant');
      // Where its certificate proves the proxy, a withdrawn one proves nothing (WSO-07).
      const late = { ...proof, client: withdrawn };
      assert.equal(await near(late), bySecret ? 'ok participant' : UNTRUSTED);
    });

    test('attack 6 10 11 malformed, repeated and empty in the name of the proxy', async () => {
      const { header } = here.forwarded;
      const proof = here.forwarded.secret === undefined ? {} : { 'x-proxy-secret': PROXY_SECRET };
      const say = async (value: string | readonly string[]) => {
        const lines = { ...proof, [header]: value };
        return (await send(here.door.port, { from: PROXY_ADDRESS, client: identity, lines })).outcome;
      };
      const good = ENCODED[kind](participant);
      assert.equal(await say(good), 'ok participant');
      for (const twice of [[good, good], `${good}, ${good}`])
        assert.equal(await say(twice), 'certificate_malformed/header_duplicate');
      for (const wrong of ['rubbish', good.slice(0, -9), `${good}%00`, `x${good}`])
        assert.equal(await say(wrong), 'certificate_malformed/header_malformed');
      for (const foreign of Object.values(ENCODED).filter((encode) => encode !== ENCODED[kind]))
        assert.equal(await say(foreign(participant)), 'certificate_malformed/header_malformed');
      for (const nothing of ['', 'null', '(null)', '-']) assert.equal(await say(nothing), ABSENT);
    });

    test('N-32 N-36 on a door that is not behind the proxy the header is not read', async () => {
      for (const from of [PROXY_ADDRESS, '127.0.0.1']) {
        const lines = forged(other);
        assert.equal((await send(here.unmarked.port, { from, lines })).outcome, ABSENT);
        const { outcome, headers } = await send(here.unmarked.port, { from, lines, client: participant });
        assert.equal(outcome, 'ok participant');
        assert.ok(!headers.some((name) => name.toLowerCase() === here.forwarded.header.toLowerCase()));
      }
    });
  });
}

test('attack 6 a HAProxy that adds its header instead of replacing it: the two lines are refused', async (context) => {
  const kind = 'haproxy.cfg';
  const change = (text: string) =>
    text.replace('set-header Client-Cert', 'add-header Client-Cert').replace(/.*del-header.*/g, '');
  const { proxy, door, unmarked } = await openBehind(kind, change);
  context.after(async () => {
    await proxy.close();
    await Promise.all([door.close(), unmarked.close()]);
  });
  const lines = { 'client-cert': ENCODED[kind](other) };
  assert.equal(
    (await send(proxy.port, { client: participant, lines })).outcome,
    'certificate_malformed/header_duplicate',
  );
  assert.equal((await send(proxy.port, { client: participant })).outcome, 'ok participant');
});
