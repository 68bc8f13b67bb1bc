import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Agent } from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCommand } from '../../src/main/commands.ts';
import type { CertificateOptions } from '../support/certificates.ts';
import type { Received } from '../support/http.ts';
import { type OpensslResponder, startOpensslResponder } from '../support/openssl-responder.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { freePorts } from '../support/ports.ts';
import { refused } from '../support/refusals.ts';
import { crl } from '../support/revocation.ts';
import type { ThirdParty } from '../support/third-party.ts';

const GOOD = 1001n;
const REVOKED = 1002n;
const STRANGE = 1003n;
const MINUTE_MS = 60_000;

let platform: TestPlatform;
let party: ThirdParty;
let responder: OpensslResponder;
let nobody: string;
/** What the list of the authority says now. */
let withdrawn: readonly bigint[] = [];
let edition = 1n;
const asked: string[] = [];
const lists = createServer((request, response) => {
  asked.push(request.url ?? '');
  const [thisUpdate, nextUpdate] = [new Date(Date.now() - MINUTE_MS), new Date(Date.now() + MINUTE_MS)];
  response.setHeader('content-type', 'application/pkix-crl');
  response.end(crl(platform.authority, withdrawn, { thisUpdate, nextUpdate, number: edition }));
});
let listUrl: string;

before(async () => {
  platform = await startPlatform({
    prepare: async (_authority, directory) => {
      const anchors = [join(directory, 'root.pem')];
      return [
        { id: 'gobank', trust: { anchors, revocation: { allowPrivateAddresses: true } } },
        { id: 'outside', trust: { anchors } },
        {
          id: 'lenient',
          trust: { anchors, readsWithoutRevocation: true, revocation: { allowPrivateAddresses: true } },
        },
      ];
    },
  });
  party = await platform.thirdParty('tpp-a', ['AISP']);
  const entry = (serial: bigint, status: 'valid' | 'revoked') => ({ certificate: party.issue({ serial }), status });
  const known = [entry(GOOD, 'valid'), entry(REVOKED, 'revoked')];
  responder = await startOpensslResponder(platform.authority, platform.authority, known);
  const [dead = 0] = await freePorts(1);
  nobody = `http://127.0.0.1:${dead}/`;
  lists.listen(0, '127.0.0.1');
  await once(lists, 'listening');
  const address = lists.address();
  listUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/list.crl`;
});
after(async () => {
  lists.close();
  lists.closeAllConnections();
  await responder.close();
  await platform.close();
});

const agentWith = (options: CertificateOptions): Agent => party.agentOf(party.issue(options));
/** Without a token: whoever passes the certificate's check is asked for one. */
const call = (agent: Agent, bank = 'gobank') => party.api(bank, '/accounts', undefined, { agent });

test('WSO-07 a responder of openssl says revoked, unknown, good', async () => {
  const ocspUrls = [responder.url];
  refused(await call(agentWith({ serial: REVOKED, ocspUrls })), 401, 'certificate_revoked');
  refused(await call(agentWith({ serial: STRANGE, ocspUrls })), 401, 'revocation_unknown');
  refused(await call(agentWith({ serial: GOOD, ocspUrls })), 401, 'token_missing');
});

test('no source, a source that does not answer, and one at a private address nobody allowed', async () => {
  refused(await call(party.agent), 401, 'revocation_info_missing');
  refused(await call(agentWith({ ocspUrls: [nobody] })), 401, 'revocation_unavailable');
  const before = asked.length;
  refused(await call(agentWith({ crlUrls: [listUrl] }), 'outside'), 401, 'revocation_unavailable');
  assert.equal(asked.length, before);
});

test('reads alone go on without an answer where the bank says so; a withdrawn certificate never does', async () => {
  const open = agentWith({ ocspUrls: [nobody] });
  refused(await call(open, 'lenient'), 401, 'token_missing');
  const pay = { agent: open, method: 'POST', body: '{}' };
  refused(await party.api('lenient', '/payments', undefined, pay), 401, 'revocation_unavailable');
  const registration = await party.sendRegistration('lenient', await party.registration('private_key_jwt'), open);
  assert.equal(registration.status, 401);
  assert.match(registration.text, /revocation_unavailable/);
  refused(await call(agentWith({ serial: REVOKED, ocspUrls: [responder.url] }), 'lenient'), 401, 'certificate_revoked');
});

test('the list decides when the responder is down; what is withdrawn counts at once when told to forget', async () => {
  const [serial, ocspUrls, crlUrls] = [2001n, [nobody], [listUrl]];
  const open = agentWith({ serial, ocspUrls, crlUrls });
  refused(await call(open), 401, 'token_missing');
  [withdrawn, edition] = [[serial], 2n];
  refused(await call(open), 401, 'token_missing');
  const request = { words: [], options: {}, file: undefined };
  const told = await runCommand('certificate forget', request, platform.rooms, platform.settings);
  assert.equal(told.status, 0);
  refused(await call(open), 401, 'certificate_revoked');
  const metrics = await platform.rooms.metrics.text();
  assert.match(metrics, /portcullis_certificate_verdicts_total\{bank="gobank",outcome="certificate_revoked"\} 2/);
  assert.match(metrics, /portcullis_revocation_fetches_total\{protocol="crl",outcome="answered"\} [1-9]/);
  assert.match(metrics, /portcullis_revocation_fetches_total\{protocol="ocsp",outcome="answered"\} [1-9]/);
});

test('WSN-12 and issue 4 point 10: the record tells check, certificate and what would be right; the caller learns no more than the reason', async () => {
  const [good, gone] = [
    agentWith({ serial: GOOD, ocspUrls: [responder.url] }),
    party.issue({ serial: REVOKED, ocspUrls: [responder.url] }),
  ];
  const allowed = await call(good);
  const answer = await call(party.agentOf(gone));
  refused(answer, 401, 'certificate_revoked');
  await platform.rooms.audit.flush();
  const recordOf = async ({ headers }: Received) =>
    (
      await platform.rooms.audit.search({ interaction: String(headers['x-fapi-interaction-id']), family: 'gateway' })
    )[0];
  assert.equal((await recordOf(allowed))?.facts?.revocation, 'ocsp');
  const record = await recordOf(answer);
  const { thumbprint = '', subject = '' } = (await platform.rooms.trust.judge(gone.chain, 'gobank')).certificate ?? {};
  const { milliseconds: _, ...facts } = record?.facts ?? {};
  assert.equal(record?.detail, 'revoked');
  assert.deepEqual(facts, {
    thumbprint,
    subject,
    issuer: 'CN=Test Root',
    serial: '03ea',
    certificateCheck: 'revocation',
    failedSubject: subject,
    failedSerial: '03ea',
    failedThumbprint: thumbprint,
    expected: 'a certificate that its issuer has not withdrawn',
    route: 'GET /accounts',
    method: 'GET',
    status: 401,
    role: null,
    check: 'certificate-trusted',
    door: 'mtls',
  });
  for (const secret of [thumbprint, '03ea', subject, 'has not withdrawn', responder.url])
    assert.ok(!answer.text.includes(secret), secret);
});
