import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, type AgentOptions, createServer, request, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { ocspResponse } from '../../test/support/revocation.ts';
import { createTrust, type Trust } from './index.ts';

const serverRoot = createAuthority('Server Root');
const server = serverRoot.issueServer();
const clientRoot = createAuthority('Client Root');
const scheme = { anchors: [clientRoot.certificatePem], extendedKeyUsages: ['clientAuth'] };
let now = new Date('2026-11-20T12:00:00Z');
const trust: Trust = createTrust({ clock: { now: () => now }, schemes: new Map([['bank', scheme]]) });

async function listen(options: ServerOptions = { secureOptions: constants.SSL_OP_NO_TICKET }, room: Trust = trust) {
  const https = createServer(
    { cert: server.chainPem, key: server.keyPem, requestCert: true, rejectUnauthorized: false, ...options },
    async (message: IncomingMessage, response) => {
      const verdict = await room.clientCertificate(message, 'bank');
      response.end(
        JSON.stringify(verdict.ok ? ['ok', verdict.certificate.commonName] : [verdict.reason, verdict.detail]),
      );
    },
  );
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  after(() => https.close());
  const address = https.address();
  assert.ok(isAddress(address));
  return address.port;
}

const isAddress = (address: string | AddressInfo | null): address is AddressInfo =>
  typeof address === 'object' && address !== null;

async function call(port: number, agent: Agent): Promise<readonly string[]> {
  const outgoing = request({ host: '127.0.0.1', port, agent, path: '/' }).end();
  const [response]: IncomingMessage[] = await once(outgoing, 'response');
  let body = '';
  for await (const part of response ?? []) body += String(part);
  const answer: unknown = JSON.parse(body);
  return Array.isArray(answer) ? answer.map(String) : [];
}

function agentOf(client: Issued | undefined, options: AgentOptions = {}): Agent {
  const identity = client === undefined ? {} : { cert: client.chainPem, key: client.keyPem };
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: serverRoot.certificatePem, ...identity, ...options });
  after(() => agent.destroy());
  return agent;
}

test('WSN-04 no certificate is told apart from a bad one, whatever the TLS layer says', async () => {
  const port = await listen();
  assert.deepEqual(await call(port, agentOf(undefined)), ['certificate_missing', 'certificate_absent']);
  const stranger = createAuthority('Stranger').issue();
  assert.deepEqual(await call(port, agentOf(stranger)), ['certificate_untrusted', 'issuer_unknown']);
  const selfSigned = createAuthority('Self');
  assert.deepEqual(await call(port, agentOf(selfSigned)), ['certificate_untrusted', 'issuer_unknown']);
});

test('WSN-06 issuers in the trust store are accepted, directly and through an intermediate that the client sends', async () => {
  const port = await listen();
  assert.deepEqual(await call(port, agentOf(clientRoot.issue({ commonName: 'direct' }))), ['ok', 'direct']);
  const through = clientRoot.createIntermediate('Issuing').issue({ commonName: 'through' });
  assert.deepEqual(await call(port, agentOf(through)), ['ok', 'through']);
  const withRoot = { ...through, chainPem: through.chainPem + clientRoot.certificatePem };
  assert.deepEqual(await call(port, agentOf(withRoot)), ['ok', 'through']);
  const lonely = { ...through, chainPem: through.certificatePem };
  assert.deepEqual(await call(port, agentOf(lonely)), ['certificate_untrusted', 'issuer_unknown']);
});

test('WSN-03 a certificate without its key proves nothing', async () => {
  const port = await listen();
  const stolen = clientRoot.issue();
  const thief = { ...stolen, keyPem: clientRoot.issue().keyPem };
  await assert.rejects(async () => call(port, agentOf(thief)), /key values mismatch|KEY_VALUES_MISMATCH/i);
});

test('WSN-04 200 interleaved requests of two participants are each judged by their own certificate', async () => {
  const port = await listen();
  const agents = ['one', 'two'].map((commonName) => agentOf(clientRoot.issue({ commonName }), { maxSockets: 2 }));
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const agent = agents[index % 2];
      assert.ok(agent !== undefined);
      return call(port, agent);
    }),
  );
  for (const [index, answer] of answers.entries()) assert.deepEqual(answer, ['ok', index % 2 === 0 ? 'one' : 'two']);
});

test('attack 3 a certificate that expires while a connection is open is refused on the next request', async () => {
  const port = await listen();
  const agent = agentOf(clientRoot.issue({ commonName: 'short', notAfter: new Date('2026-11-20T12:30:00Z') }));
  assert.deepEqual(await call(port, agent), ['ok', 'short']);
  now = new Date('2026-11-20T12:31:00Z');
  assert.deepEqual(await call(port, agent), ['certificate_expired', 'expired']);
  now = new Date('2026-11-20T12:00:00Z');
});

test('attack 3 an anchor that is removed while a connection is open counts no more', async () => {
  const port = await listen();
  const agent = agentOf(clientRoot.issue({ commonName: 'open' }));
  assert.deepEqual(await call(port, agent), ['ok', 'open']);
  trust.replaceScheme('bank', { ...scheme, anchors: [serverRoot.certificatePem] });
  assert.deepEqual(await call(port, agent), ['certificate_untrusted', 'issuer_unknown']);
  trust.replaceScheme('bank', scheme);
});

test('attack 3 a certificate that is revoked while a connection is open is refused once its verdict is forgotten', async () => {
  const key = clientRoot.issue({ commonName: 'open' });
  let revoked = false;
  const answer = async () => ocspResponse(clientRoot, key, { status: revoked ? 'revoked' : 'good' });
  const room = createTrust({
    clock: { now: () => now },
    schemes: new Map([['bank', { ...scheme, revocation: {} }]]),
    fetch: { ocsp: answer, crl: answer, close: async () => undefined },
  });
  const client = clientRoot.issue({
    commonName: 'open',
    key: key.key,
    serial: key.serial,
    ocspUrls: ['http://ocsp.example/'],
  });
  const port = await listen(undefined, room);
  const agent = agentOf(client);
  assert.deepEqual(await call(port, agent), ['ok', 'open']);
  revoked = true;
  room.forget();
  assert.deepEqual(await call(port, agent), ['certificate_revoked', 'revoked']);
});

/** Connects, keeps the session, and asks over a connection that offers it again. */
async function resumed(port: number, first: Issued | undefined, version: 'TLSv1.2' | 'TLSv1.3'): Promise<string> {
  const identity = first === undefined ? {} : { cert: first.chainPem, key: first.keyPem };
  const options = {
    host: '127.0.0.1',
    port,
    ca: serverRoot.certificatePem,
    maxVersion: version,
    minVersion: version,
  } as const;
  const opened = connect({ ...options, ...identity });
  const session = once(opened, 'session');
  opened.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  const [ticket]: Buffer[] = await session;
  opened.destroy();
  assert.ok(ticket !== undefined);
  const again = connect({ ...options, session: ticket });
  again.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const part of again) text += String(part);
  return text.slice(text.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0\r\n\r\n$/g, '');
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`F1 attack 1 and 2 a resumed session proves nothing, even where the listener allows resumption (${version})`, async () => {
    const lax = await listen({});
    const missing = JSON.stringify(['certificate_missing', 'session_resumed']);
    assert.equal(await resumed(lax, undefined, version), missing);
    assert.equal(await resumed(lax, clientRoot.issue(), version), missing);
    const strict = await listen();
    assert.equal(
      await resumed(strict, undefined, version),
      JSON.stringify(['certificate_missing', 'certificate_absent']),
    );
  });
}

test('attack 44 of 91 certificates nine are read, and the chain is refused', async () => {
  const port = await listen();
  const leaf = clientRoot.issue();
  const surplus = Array.from({ length: 90 }, (_, index) =>
    clientRoot.createIntermediate(`Surplus ${index}`, { key: leaf.key }),
  );
  let chain = clientRoot;
  const line = Array.from({ length: 12 }, (_, index) => {
    chain = chain.createIntermediate(`Line ${index}`, { key: leaf.key });
    return chain.certificatePem;
  });
  const deep = chain.issue();
  const chainPem = [
    deep.certificatePem,
    ...line.toReversed(),
    ...surplus.slice(0, 78).map((item) => item.certificatePem),
  ].join('');
  assert.deepEqual(await call(port, agentOf({ ...deep, chainPem })), ['certificate_untrusted', 'chain_too_long']);
});

test('attack 44 of 201 certificates none is read: the handshake fails', async () => {
  const port = await listen();
  const leaf = clientRoot.issue({ keyType: 'rsa' });
  const surplus = Array.from(
    { length: 200 },
    (_, index) => clientRoot.issue({ key: leaf.key, commonName: `Surplus ${index}` }).certificatePem,
  );
  await assert.rejects(call(port, agentOf({ ...leaf, chainPem: leaf.certificatePem + surplus.join('') })));
});
