import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Places, placesOf } from '../../places.ts';
import { type Authority, openAuthority } from '../authority.ts';
import { nothing, octetString, oid, sequence, truth } from '../der.ts';
import { planParticipant } from '../participants.ts';
import { addParticipant, openRegister } from '../register.ts';
import { openStatusService, type StatusService } from './server.ts';

const run = promisify(execFile);
const MINUTE_MS = 60_000;

/** What openssl prints, and whether it agreed. */
async function openssl(...words: readonly string[]): Promise<{ readonly ok: boolean; readonly text: string }> {
  return run('openssl', [...words]).then(
    ({ stdout, stderr }) => ({ ok: true, text: stdout + stderr }),
    (cause: Error & { readonly stdout?: string; readonly stderr?: string }) => ({
      ok: false,
      text: `${cause.stdout ?? ''}${cause.stderr ?? ''}`,
    }),
  );
}

describe('the status service of the test authority', () => {
  let root: string;
  let places: Places;
  let authority: Authority;
  let service: StatusService;
  let now = new Date();
  const pem = (name: string) => join(places.authority, `${name}.pem`);
  const transport = (name: string) => join(places.participants, name, 'transport.pem');
  const origin = () => `http://localhost:${service.port}`;
  const serialOf = async (path: string) => new X509Certificate(await readFile(path)).serialNumber;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'portcullis-status-'));
    places = placesOf(root);
    await openRegister(places, [], now);
    authority = await openAuthority(places.authority, now);
    await addParticipant(places, planParticipant('gonepay', ['AISP']), now);
    service = await openStatusService({ directory: places.authority, authority, port: 0, clock: () => now });
    const serial = await serialOf(transport('gonepay'));
    assert.equal(await authority.issuing.book.revoke({ serial, at: now, reason: 'keyCompromise' }), true);
  });
  after(async () => {
    await service.close();
    await rm(root, { recursive: true, force: true });
  });

  /** openssl as client: it verifies signature, responder and nonce, and says what the answer is. */
  const ask = (certificate: string, more: readonly string[] = [], first: readonly string[] = []) =>
    openssl(
      ...['ocsp', ...first, '-issuer', pem('issuing'), '-cert', certificate, '-url', `${origin()}/ocsp/issuing`],
      ...['-CAfile', pem('root'), '-verify_other', pem('issuing'), '-no-CApath', ...more],
    );
  const post = async (path: string, body: Uint8Array) => {
    const answer = await fetch(`${origin()}${path}`, { method: 'POST', body: new Uint8Array(body) });
    return { status: answer.status, body: Buffer.from(await answer.arrayBuffer()).toString('hex') };
  };
  const MALFORMED = '30030a0101';

  test('WSN-11 openssl is told good, revoked with its reason, and unknown, and verifies each answer', async () => {
    const good = await ask(transport('financroo'));
    assert.match(good.text, /Response verify OK/);
    assert.match(good.text, /transport\.pem: good/);
    assert.doesNotMatch(good.text, /WARNING|nonce/i);
    const revoked = await ask(transport('gonepay'), [], ['-sha256']);
    assert.match(revoked.text, /Response verify OK/);
    assert.match(revoked.text, /transport\.pem: revoked/);
    assert.match(revoked.text, /Reason: keyCompromise/);
    const unknown = await ask(transport('financroo'), ['-serial', '0x1234567890']);
    assert.match(unknown.text, /Response verify OK/);
    assert.match(unknown.text, /0x1234567890: unknown/);
  });

  test('WSN-11 the issuing authority itself is asked for at its root; the wrong responder does not know it', async () => {
    const question = ['ocsp', '-issuer', pem('root'), '-cert', pem('issuing'), '-CAfile', pem('root'), '-no-CApath'];
    assert.match((await openssl(...question, '-url', `${origin()}/ocsp/root`)).text, /issuing\.pem: good/);
    assert.match((await openssl(...question, '-url', `${origin()}/ocsp/internal`)).text, /unknown/);
  });

  test('a request can be asked with GET, and an answer without nonce is given when none was sent', async () => {
    const file = join(root, 'question.der');
    const question = ['-issuer', pem('issuing'), '-cert', transport('gonepay'), '-no_nonce', '-reqout', file];
    await openssl('ocsp', ...question);
    const encoded = encodeURIComponent((await readFile(file)).toString('base64'));
    const answer = await fetch(`${origin()}/ocsp/issuing/${encoded}`);
    assert.equal(answer.headers.get('content-type'), 'application/ocsp-response');
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const kept = join(root, 'answer.der');
    await writeFile(kept, Buffer.from(await answer.arrayBuffer()));
    const read = await openssl(
      ...['ocsp', '-respin', kept, '-issuer', pem('issuing'), '-cert', transport('gonepay')],
      ...['-CAfile', pem('root'), '-verify_other', pem('issuing'), '-no-CApath', '-resp_text'],
    );
    assert.match(read.text, /Response verify OK/);
    assert.match(read.text, /: revoked/);
    assert.doesNotMatch(read.text, /Nonce/);
    assert.match(read.text, /OCSP No Check/);
  });

  test('WSN-10 openssl checks a chain against the lists: revoked refused, the others accepted', async () => {
    const file = join(root, 'lists.pem');
    const lists = await Promise.all(
      ['issuing', 'root'].map(async (name) => {
        const answer = await fetch(`${origin()}/${name}.crl`);
        assert.equal(answer.headers.get('content-type'), 'application/pkix-crl');
        const der = Buffer.from(await answer.arrayBuffer()).toString('base64');
        return `-----BEGIN X509 CRL-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END X509 CRL-----\n`;
      }),
    );
    await writeFile(file, lists.join(''));
    const verify = (certificate: string) =>
      openssl(
        ...['verify', '-crl_check_all', '-x509_strict', '-CAfile', pem('root'), '-no-CApath', '-CRLfile', file],
        ...['-untrusted', pem('issuing'), certificate],
      );
    assert.match((await verify(transport('financroo'))).text, /: OK/);
    const revoked = await verify(transport('gonepay'));
    assert.ok(!revoked.ok);
    assert.match(revoked.text, /certificate revoked/);
    const text = (await openssl('crl', '-in', file, '-noout', '-text')).text;
    assert.match(text, /Version 2/);
    assert.match(text, /Key Compromise/);
    assert.match(text, /X509v3 Authority Key Identifier/);
  });

  test('a list is made anew when something was revoked or half of its time is over; its number never goes back', async () => {
    const numberOf = async () => {
      const file = join(root, 'list.der');
      await writeFile(file, Buffer.from(await (await fetch(`${origin()}/issuing.crl`)).arrayBuffer()));
      const { text } = await openssl('crl', '-inform', 'DER', '-in', file, '-noout', '-crlnumber', '-nextupdate');
      const [, number = ''] = /crlNumber=0x([0-9A-F]+)/i.exec(text) ?? [];
      assert.match(text, /nextUpdate=/);
      return Number.parseInt(number, 16);
    };
    const first = await numberOf();
    assert.equal(await numberOf(), first);
    const serial = await serialOf(transport('suspendedpay'));
    assert.equal(await authority.issuing.book.revoke({ serial, at: now, reason: 'superseded' }), true);
    assert.equal(await numberOf(), first + 1);
    const began = now;
    now = new Date(began.getTime() + 5 * MINUTE_MS);
    assert.equal(await numberOf(), first + 2);
    await service.close();
    const again = await openAuthority(places.authority, now);
    service = await openStatusService({ directory: places.authority, authority: again, port: 0, clock: () => now });
    assert.equal(await numberOf(), first + 3);
    now = began;
    const both = await Promise.all([fetch(`${origin()}/root.crl`), fetch(`${origin()}/root.crl`)]);
    const [one, other] = await Promise.all(both.map((answer) => answer.arrayBuffer()));
    assert.deepEqual(one, other);
  });

  test('a revocation is written once: the second keeps the first reason, and what was not issued cannot be revoked', async () => {
    const { book } = authority.issuing;
    const serial = await serialOf(transport('gonepay'));
    assert.equal(await book.revoke({ serial, at: now, reason: 'unspecified' }), false);
    assert.equal((await book.findRevocation(serial))?.reason, 'keyCompromise');
    await assert.rejects(book.revoke({ serial: 'AB', at: now, reason: 'unspecified' }), /issued no certificate AB/);
    await assert.rejects(book.revoke({ serial: '../x', at: now, reason: 'unspecified' }), /issued no certificate/);
    assert.equal(await book.knows('../../issuing/x'), false);
  });

  test('what is no request is answered with malformedRequest', async () => {
    const file = join(root, 'good-question.der');
    await openssl('ocsp', '-issuer', pem('issuing'), '-cert', transport('paymate'), '-reqout', file);
    const good = await readFile(file);
    const list = (...content: readonly Uint8Array[]) => sequence(sequence(sequence(...content)));
    const certId = sequence(sequence(oid('1.3.14.3.2.26'), nothing), octetString(good), octetString(good), nothing);
    const critical = sequence(sequence(oid('1.2.3'), truth, octetString(nothing)));
    const questions: readonly (readonly [string, Uint8Array])[] = [
      ['nothing at all', Buffer.alloc(0)],
      ['no DER', Buffer.from('hello')],
      ['an indefinite length', Buffer.from('30800000', 'hex')],
      ['a length beyond the end', Buffer.from('30840fffffff', 'hex')],
      ['cut off', good.subarray(0, good.length - 1)],
      ['more behind it', Buffer.concat([good, Buffer.from([0])])],
      ['no question', list()],
      ['a serial number that is none', list(sequence(certId))],
      ['too many questions', list(...Array.from({ length: 17 }, () => sequence(certId)))],
      [
        'a critical extension',
        sequence(sequence(sequence(sequence(certId)), Buffer.concat([Buffer.from([0xa2, critical.length]), critical]))),
      ],
      ['deeply nested', Array.from({ length: 500 }).reduce<Buffer>((inner) => sequence(inner), nothing)],
    ];
    for (const [what, question] of questions) {
      assert.deepEqual(await post('/ocsp/issuing', question), { status: 200, body: MALFORMED }, what);
    }
    for (const path of [
      '/ocsp/issuing',
      '/ocsp/issuing/',
      '/ocsp/issuing/%',
      '/ocsp/issuing/!!',
      '/ocsp/issuing/AAAA',
    ]) {
      assert.equal((await fetch(`${origin()}${path}`)).headers.get('content-type'), 'application/ocsp-response', path);
    }
    for (let at = 0; at < good.length; at++) {
      const flipped = Buffer.from(good);
      flipped[at] = (flipped[at] ?? 0) ^ 0x15;
      const { status } = await post('/ocsp/issuing', flipped);
      assert.equal(status, 200, String(at));
    }
  });

  test('other paths, methods and sizes are refused, and the service goes on', async () => {
    assert.equal((await fetch(`${origin()}/ocsp/nobody`)).status, 404);
    assert.equal((await fetch(`${origin()}/../issuing.key`)).status, 404);
    assert.equal((await fetch(`${origin()}/ocsp/issuing`, { method: 'PUT', body: 'x' })).status, 405);
    assert.equal((await fetch(`${origin()}/issuing.crl`, { method: 'POST', body: 'x' })).status, 405);
    assert.equal((await post('/ocsp/issuing', Buffer.alloc(9 * 1024))).status, 413);
    assert.match((await ask(transport('financroo'))).text, /: good/);
  });

  test('a caller that sends too much gets a 413 and is cut off; one that says nothing keeps nobody else waiting', async () => {
    const slow = connect(service.port, 'localhost');
    slow.write('POST /ocsp/issuing HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n0');
    const endless = connect(service.port, 'localhost');
    endless.write('POST /ocsp/issuing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`;
    endless.write(chunk);
    let said = '';
    for await (const part of endless) said += String(part);
    assert.match(said, /^HTTP\/1\.1 413 /);
    assert.match((await ask(transport('financroo'))).text, /: good/);
    slow.destroy();
  });

  test('a revocation that cannot be read is never "good": no answer, no list', async () => {
    const damaged = join(places.authority, 'revoked', 'issuing', `${await serialOf(transport('paymate'))}.json`);
    await writeFile(damaged, '{"at":');
    try {
      const { text } = await ask(transport('paymate'));
      assert.match(text, /Responder Error: internalerror/);
      assert.equal((await fetch(`${origin()}/issuing.crl`)).status, 500);
    } finally {
      await rm(damaged);
    }
    assert.match((await ask(transport('paymate'))).text, /: good/);
  });

  test('CLD-05 an older sandbox: certificates without a place to ask are made anew, keys stay, revoked ones stay revoked', async () => {
    const paymate = transport('paymate');
    const kept = await readFile(paymate, 'utf8');
    const gone = await readFile(transport('gonepay'), 'utf8');
    const { renewed } = await openRegister(places, [], now, undefined, 'http://localhost:19100');
    assert.deepEqual(renewed.toSorted(), ['financroo', 'paymate']);
    const [former, next] = [new X509Certificate(kept), new X509Certificate(await readFile(paymate))];
    assert.ok(next.publicKey.equals(former.publicKey) && next.serialNumber !== former.serialNumber);
    assert.match(next.infoAccess ?? '', /OCSP - URI:http:\/\/localhost:19100\/ocsp\/issuing/);
    assert.equal(
      new X509Certificate(await readFile(transport('gonepay'))).serialNumber,
      new X509Certificate(gone).serialNumber,
    );
    await rm(join(places.authority, 'issued'), { recursive: true });
    const roots = ['root', 'internal'].map(pem);
    const before = await Promise.all(roots.map((path) => readFile(path, 'utf8')));
    assert.deepEqual((await openRegister(places, [], now)).renewed.includes('financroo'), true);
    assert.match(new X509Certificate(await readFile(paymate)).infoAccess ?? '', /19100/);
    assert.deepEqual(await Promise.all(roots.map((path) => readFile(path, 'utf8'))), before, 'browsers trust these');
  });
});
