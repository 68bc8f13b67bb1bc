import assert from 'node:assert/strict';
import type { EventEmitter } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { openDoor } from '../../src/platform/door.ts';
import { createAuthority } from '../support/certificates.ts';
import { bankOf } from '../support/revoking-bank.ts';

const root = createAuthority('Test Root');
const server = root.issueServer();
const participant = root.issue();
const identity = { cert: participant.chainPem, key: participant.keyPem, ca: root.certificatePem };

async function open(context: TestContext) {
  const seen: string[] = [];
  const door = await openDoor({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    authorities: ['localhost'],
    tls: { key: server.keyPem, certificate: server.chainPem, clientCertificate: 'request' },
    handler: ({ method, url }, response) => {
      seen.push(`${method} ${url}`);
      response.end('served');
    },
  });
  context.after(() => door.close());
  return { port: door.port, seen };
}

/** `once` would take an error for the end. */
const closed = (emitter: EventEmitter) => new Promise((resolve) => emitter.on('close', resolve));

test('attack 7 no door speaks HTTP/2: there are no pseudo-headers to double', async (context) => {
  const { port, seen } = await open(context);
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ALPNProtocols: ['h2'], ...identity });
  socket.on('error', () => undefined);
  const agreed = await new Promise((resolve) => {
    socket.on('secureConnect', () => resolve(socket.alpnProtocol)).on('close', () => resolve('no handshake'));
  });
  assert.equal(agreed, 'no handshake');
  socket.destroy();
  const session = connectHttp2(`https://localhost:${port}`, { ...identity, servername: 'localhost' });
  session.on('error', () => undefined);
  const stream = session.request({ ':path': '/', 'client-cert': 'one' });
  const answered: unknown[] = [];
  stream.on('response', (headers) => answered.push(headers)).on('error', () => undefined);
  await closed(stream);
  session.destroy();
  assert.deepEqual([answered, seen], [[], []]);
});

test('attack 7 the opening words of HTTP/2 on a connection of HTTP/1.1 reach no handler', async (context) => {
  const { port, seen } = await open(context);
  const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ...identity });
  socket.on('error', () => undefined);
  let text = '';
  socket.on('data', (part) => {
    text += String(part);
  });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await closed(socket);
  assert.doesNotMatch(text, /200|served/);
  assert.deepEqual(seen, []);
});

test('attack 43 no issuer is fetched from an address in a certificate, unless a setting says so', async () => {
  const issuers = ['http://127.0.0.1/ca.crt', 'http://169.254.169.254/latest', 'http://ca.example/ca.crt'];
  const issuing = root.createIntermediate('Issuing', { caIssuersUrls: issuers });
  const leaf = issuing.issue({ caIssuersUrls: issuers, ocspUrls: ['http://10.0.0.1/'] });
  const bank = bankOf(root);
  const alone = { ...leaf, chain: leaf.chain.slice(0, 1) };
  assert.equal(await bank.judge(alone), 'certificate_untrusted/issuer_unknown');
  assert.deepEqual(bank.asked, []);
  const off = bankOf(root, 'off');
  assert.equal(await off.judge(leaf), 'ok by undefined');
  assert.deepEqual(off.asked, []);
});
