import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { connect as plainConnect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { type Authority, createAuthority } from '../../test/support/certificates.ts';
import { type DoorOptions, type DoorTls, openDoor, type RefusedHandshake } from './door.ts';

const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

const authority = createAuthority('Door Root');
const server = authority.issueServer({ keyType: 'rsa' });
const participant = authority.issue({ commonName: 'participant', keyType: 'ec' });
const identity = { cert: participant.chainPem, key: participant.keyPem };

interface Outcome {
  readonly received: string;
  readonly error: string | undefined;
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
}

/** One connection with one request: every application byte that came back, until the end. */
function talk(port: number, options: ConnectionOptions = {}): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const chunks: Buffer[] = [];
  let error: string | undefined;
  let session: Buffer | undefined;
  let resumed = false;
  const socket = connect({
    port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.certificatePem,
    ...options,
  });
  socket.on('secureConnect', () => {
    resumed = socket.isSessionReused();
    socket.write(REQUEST);
  });
  socket.on('session', (given) => (session = given));
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', (cause) => (error = 'code' in cause ? String(cause.code) : cause.message));
  socket.on('close', () => resolve({ received: Buffer.concat(chunks).toString(), error, resumed, session }));
  return promise;
}

async function open(context: TestContext, tls: Partial<DoorTls>, more: Partial<DoorOptions> = {}) {
  const refused: RefusedHandshake[] = [];
  const seen: (string | undefined)[] = [];
  const door = await openDoor({
    name: 'test',
    host: '127.0.0.1',
    port: 0,
    authorities: ['localhost'],
    tls: { key: server.keyPem, certificate: server.chainPem, clientCertificate: 'none', ...tls },
    handler: (request, response) => {
      const socket = request.socket;
      seen.push('getPeerX509Certificate' in socket ? subjectOf(socket) : undefined);
      response.end('served');
    },
    onRefusedHandshake: (event) => refused.push(event),
    ...more,
  });
  context.after(() => door.close());
  return { door, refused, seen };
}

function subjectOf(socket: object): string | undefined {
  const isTls = (candidate: object): candidate is TLSSocket => 'getPeerX509Certificate' in candidate;
  return isTls(socket) ? socket.getPeerX509Certificate()?.subject : undefined;
}

for (const version of VERSIONS) {
  const only = { minVersion: version, maxVersion: version };

  test(`LAB-31 LAB-36 LAB-41 ${version}: no certificate ends in the TLS layer: no byte, no handler call`, async (context) => {
    const { door, refused, seen } = await open(context, { clientCertificate: 'handshake' });
    const { received } = await talk(door.port, only);
    assert.equal(received, '');
    assert.deepEqual(seen, []);
    assert.deepEqual(refused, [{ address: '127.0.0.1', reason: 'certificate_missing' }]);
    assert.match((await talk(door.port, { ...only, ...identity })).received, /^HTTP\/1\.1 200/);
  });

  for (const [how, acceptPeer] of Object.entries(refusals())) {
    test(`LAB-41 ${version}: a certificate refused ${how} gets no byte and no handler call`, async (context) => {
      const { door, refused, seen } = await open(context, { clientCertificate: 'handshake', acceptPeer });
      assert.equal((await talk(door.port, { ...only, ...identity })).received, '');
      assert.deepEqual(seen, []);
      assert.deepEqual(refused, [{ address: '127.0.0.1', reason: 'certificate_refused' }]);
    });
  }

  test(`${version}: what a caller sends while its certificate is judged is served afterwards, whole`, async (context) => {
    const judged = Promise.withResolvers<boolean>();
    const acceptPeer = () => judged.promise;
    const { door } = await open(context, { clientCertificate: 'handshake', acceptPeer });
    const socket = connect({
      port: door.port,
      servername: 'localhost',
      ca: authority.certificatePem,
      ...identity,
      ...only,
    });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('secureConnect', () => {
      const [head, rest] = [REQUEST.slice(0, 20), REQUEST.slice(20)];
      socket.write(head, () => {
        judged.resolve(true);
        socket.write(rest);
      });
    });
    await new Promise((closed) => socket.on('close', closed));
    assert.match(Buffer.concat(chunks).toString(), /^HTTP\/1\.1 200[\s\S]*served/);
  });

  test(`attack 1 and 2, ${version}: no handshake is resumed, with certificate or without`, async (context) => {
    for (const clientCertificate of ['none', 'request'] as const) {
      const { door, seen } = await open(context, { clientCertificate });
      for (const first of [{}, identity]) {
        const { session } = await talk(door.port, { ...only, ...first });
        const again = await talk(door.port, { ...only, ...(session === undefined ? {} : { session }) });
        assert.equal(again.resumed, false);
        assert.match(again.received, /200/);
        assert.equal(seen.at(-1), undefined);
      }
    }
  });

  test(`LAB-35 ${version}: a door that requests lets every caller through to its handler`, async (context) => {
    const { door, seen, refused } = await open(context, { clientCertificate: 'request' });
    await talk(door.port, only);
    await talk(door.port, { ...only, ...identity });
    assert.deepEqual(seen, [undefined, 'CN=participant']);
    assert.deepEqual(refused, []);
  });

  test(`LAB-33 ${version} succeeds`, async (context) => {
    const { door } = await open(context, {});
    assert.match((await talk(door.port, only)).received, /served/);
  });
}

function refusals(): Record<string, NonNullable<DoorTls['acceptPeer']>> {
  return {
    'at once': () => false,
    later: async () => false,
    'by an error': () => {
      throw new Error('no database');
    },
    'by a later error': () => Promise.reject(new Error('no database')),
  };
}

test('LAB-41 a self-signed certificate is known by its predicate, not by OpenSSL', async (context) => {
  const stranger = createAuthority('Stranger').issue();
  const acceptPeer = (socket: TLSSocket) =>
    socket.getPeerX509Certificate()?.checkIssued(authorityOf(authority)) === true;
  const { door } = await open(context, { clientCertificate: 'handshake', acceptPeer });
  assert.equal((await talk(door.port, { cert: stranger.certificatePem, key: stranger.keyPem })).received, '');
  assert.match((await talk(door.port, identity)).received, /served/);
});

test('LAB-41 who judges a caller sees the whole chain the caller sent', async (context) => {
  const issued = authority.createIntermediate('Door Issuing').issue();
  const lengths: number[] = [];
  const acceptPeer = (socket: TLSSocket) => {
    let length = 0;
    for (let next = socket.getPeerX509Certificate(); next !== undefined; next = next.issuerCertificate) length += 1;
    lengths.push(length);
    return true;
  };
  const { door } = await open(context, { clientCertificate: 'handshake', acceptPeer });
  assert.match((await talk(door.port, { cert: issued.chainPem, key: issued.keyPem })).received, /served/);
  assert.deepEqual(lengths, [2]);
});

function authorityOf({ certificatePem }: Authority): X509Certificate {
  return new X509Certificate(certificatePem);
}

test('a report that fails does not open the door', async (context) => {
  const onRefusedHandshake = () => {
    throw new Error('audit is full');
  };
  const { door, seen } = await open(context, { clientCertificate: 'handshake' }, { onRefusedHandshake });
  assert.equal((await talk(door.port)).received, '');
  assert.deepEqual(seen, []);
});

test('LAB-33 TLS 1.0 and 1.1 end with an alert', async (context) => {
  const { door } = await open(context, {});
  for (const version of ['TLSv1', 'TLSv1.1'] satisfies SecureVersion[]) {
    const old = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' };
    const { received, error } = await talk(door.port, old);
    assert.equal(received, '');
    assert.match(error ?? '', /PROTOCOL_VERSION/, version);
  }
});

test('the four suites both FAPI profiles allow are served and no other', async (context) => {
  const { door } = await open(context, {});
  const twelve = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  for (const ciphers of ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES256-GCM-SHA384'])
    assert.match((await talk(door.port, { ...twelve, ciphers })).received, /served/, ciphers);
  const refused = [
    'ECDHE-RSA-CHACHA20-POLY1305',
    'ECDHE-RSA-AES128-SHA',
    'ECDHE-RSA-AES128-SHA256',
    'AES128-GCM-SHA256',
  ];
  for (const suite of [...refused, 'AES256-SHA', 'DHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-GCM-SHA256']) {
    const { received, error } = await talk(door.port, { ...twelve, ciphers: `${suite}:@SECLEVEL=0` });
    assert.equal(received, '', suite);
    assert.match(error ?? '', /HANDSHAKE_FAILURE/, suite);
  }
  const thirteen = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } as const;
  for (const ciphers of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'])
    assert.match((await talk(door.port, { ...thirteen, ciphers })).received, /served/, ciphers);
  assert.equal((await talk(door.port, { ...thirteen, ciphers: 'TLS_CHACHA20_POLY1305_SHA256' })).received, '');
});

test('RSA and P-256 client certificates connect under both versions', async (context) => {
  const { door, seen } = await open(context, { clientCertificate: 'handshake' });
  for (const keyType of ['rsa', 'ec'] as const) {
    const { chainPem, keyPem } = authority.issue({ commonName: keyType, keyType });
    for (const version of VERSIONS)
      await talk(door.port, { cert: chainPem, key: keyPem, minVersion: version, maxVersion: version });
  }
  assert.deepEqual(seen, ['CN=rsa', 'CN=rsa', 'CN=ec', 'CN=ec']);
});

test('WSN-03 a certificate without its key ends the handshake', async (context) => {
  const { door, seen } = await open(context, { clientCertificate: 'handshake' });
  const other = authority.issue();
  assert.throws(
    () => connect({ port: door.port, cert: participant.chainPem, key: other.keyPem }),
    /key values mismatch/i,
  );
  assert.deepEqual(seen, []);
});

test('plain HTTP at a TLS door gets no byte of HTTP', async (context) => {
  const { door, seen } = await open(context, {});
  const socket = plainConnect({ port: door.port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk)).on('error', () => undefined);
  socket.write(REQUEST);
  await new Promise((closed) => socket.on('close', closed));
  assert.doesNotMatch(Buffer.concat(chunks).toString('latin1'), /HTTP/);
  assert.deepEqual(seen, []);
});

test('LAB-32 a replaced certificate is what new connections see, and open ones are not cut', async (context) => {
  const { door } = await open(context, {});
  const before = connect({ port: door.port, servername: 'localhost', ca: authority.certificatePem });
  await new Promise((secure) => before.on('secureConnect', secure));
  const renewed = authority.issueServer({ keyType: 'rsa', commonName: 'renewed' });
  door.replaceCertificate({ key: renewed.keyPem, certificate: renewed.chainPem });
  const after = connect({ port: door.port, servername: 'localhost', ca: authority.certificatePem });
  await new Promise((secure) => after.on('secureConnect', secure));
  assert.equal(after.getPeerX509Certificate()?.serialNumber, serialOf(renewed.certificatePem));
  after.destroy();
  const chunks: Buffer[] = [];
  before.on('data', (chunk) => chunks.push(chunk));
  before.write(REQUEST);
  await new Promise((closed) => before.on('close', closed));
  assert.match(Buffer.concat(chunks).toString(), /served/);
});

test('a certificate that does not fit its key is refused and the old one stays', async (context) => {
  const { door } = await open(context, {});
  const [one, other] = [authority.issueServer({ keyType: 'rsa' }), authority.issueServer({ keyType: 'rsa' })];
  assert.throws(() => door.replaceCertificate({ key: one.keyPem, certificate: other.chainPem }));
  assert.match((await talk(door.port)).received, /served/);
});

test('a caller who stays silent in the handshake is cut', async (context) => {
  const { door } = await open(context, {}, { limits: { handshakeTimeoutMs: 50 } });
  const socket = plainConnect({ port: door.port, host: '127.0.0.1' });
  socket.resume().on('error', () => undefined);
  await new Promise((closed) => socket.on('close', closed));
});

function serialOf(pem: string): string {
  return new X509Certificate(pem).serialNumber;
}
