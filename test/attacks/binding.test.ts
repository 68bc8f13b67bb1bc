import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BoundCertificate } from '../../src/directory/index.ts';
import { certificateEnrolled } from '../../src/gateway/checks/certificate-enrolled.ts';
import { certificateRole } from '../../src/gateway/checks/certificate-role.ts';
import { participantRole } from '../../src/gateway/checks/participant-role.ts';
import { tokenBound } from '../../src/gateway/checks/token-bound.ts';
import { type ClientCertificate, subjectMatches } from '../../src/trust/index.ts';
import { type Authority, type CertificateOptions, createAuthority, type Issued } from '../support/certificates.ts';
import {
  boundCertificate,
  callOf,
  createWorld,
  participantOf,
  passes,
  refusalOf,
  standingOf,
  start,
  tokenOf,
} from '../support/gateway.ts';
import { judge, judged } from '../support/judging.ts';
import { crl, ocspResponse } from '../support/revocation.ts';
import { bankOf } from '../support/revoking-bank.ts';

const root = createAuthority('Test Root');
const other = createAuthority('Other Root');
const NAMED: CertificateOptions = {
  commonName: 'tpp',
  organization: 'TPP Ltd',
  organizationIdentifier: 'PSDGB-FCA-1',
  dnsNames: ['tpp.example'],
};
const own = root.issue(NAMED);

/** A certificate as trust accepts it: nothing here is made up. */
async function accepted(issued: Issued, anchor: Authority = root): Promise<ClientCertificate> {
  const verdict = await judge(issued.chain, anchor);
  assert.ok(verdict.ok, verdict.ok ? '' : verdict.message);
  return verdict.certificate;
}

const enrolledWith = (...certificates: readonly BoundCertificate[]) => standingOf({ certificates });

/** Certificates that are good and resemble the client's own, but are not it. */
const lookalikes: readonly (readonly [string, Issued, Authority])[] = [
  ['another certificate of the same organisation', root.issue({ ...NAMED, commonName: 'second' }), root],
  ['a renewed certificate with the same key', root.issue({ ...NAMED, key: own.key }), root],
  ['the same subject from another trusted authority', other.issue(NAMED), other],
  ['the same DNS name from another trusted authority', other.issue({ dnsNames: ['tpp.example'] }), other],
  ['the same serial from another trusted authority', other.issue({ ...NAMED, serial: own.serial }), other],
];

for (const [name, issued, anchor] of lookalikes) {
  test(`attack 68 ${name} is not the client’s certificate`, async () => {
    const mine = await accepted(own);
    const certificate = await accepted(issued, anchor);
    const standing = enrolledWith(boundCertificate(mine.thumbprint));
    const refusal = await refusalOf(certificateEnrolled, callOf({ evidence: { certificate, standing } }));
    assert.deepEqual([refusal.code, refusal.status], ['certificate_not_enrolled', 401]);
    await passes(certificateEnrolled, callOf({ evidence: { certificate: mine, standing } }));
  });
}

test('attack 68 a registered name from an authority that the bank does not trust proves nothing', async () => {
  for (const options of [NAMED, { dnsNames: ['tpp.example'] }]) {
    const foreign = other.issue(options);
    assert.equal(await judged(foreign.chain, root), 'certificate_untrusted/issuer_unknown');
  }
  const { subject } = await accepted(own);
  const renamed = await accepted(root.issue({ ...NAMED, organization: 'TPP  Ltd' }));
  assert.equal(subjectMatches(renamed, 'tls_client_auth_subject_dn', subject), false);
  assert.equal(subjectMatches(await accepted(own), 'tls_client_auth_subject_dn', subject), true);
});

test('attack 69 a thumbprint that is missing, cut, padded, hexadecimal, of SHA-1 or in other case binds no token', async () => {
  const certificate = await accepted(own);
  const { thumbprint } = certificate;
  assert.equal(thumbprint.length, 43);
  const hexadecimal = Buffer.from(thumbprint, 'base64url').toString('hex');
  const sha1 = Buffer.from(thumbprint, 'base64url').subarray(0, 20).toString('base64url');
  const base64 = Buffer.from(thumbprint, 'base64url').toString('base64');
  const forms = [
    `${thumbprint}=`,
    base64,
    hexadecimal,
    hexadecimal.toUpperCase(),
    thumbprint.toUpperCase(),
    thumbprint.toLowerCase(),
    thumbprint.slice(0, 42),
    `${thumbprint}A`,
    ` ${thumbprint}`,
    sha1,
    '',
    undefined,
  ];
  for (const form of forms) {
    const token = tokenOf({ thumbprint: form });
    const refusal = await refusalOf(tokenBound, callOf({ evidence: { certificate, token } }));
    assert.deepEqual([refusal.code, refusal.status], ['certificate_not_bound', 401], `"${form}"`);
  }
  await passes(tokenBound, callOf({ evidence: { certificate, token: tokenOf({ thumbprint }) } }));
});

test('attack 70 a bound token over the certificate of another, or over none, is refused', async () => {
  const { thumbprint } = await accepted(own);
  const certificate = await accepted(root.issue({ commonName: 'another' }));
  const token = tokenOf({ thumbprint });
  const stolen = await refusalOf(tokenBound, callOf({ evidence: { certificate, token } }));
  assert.deepEqual([stolen.code, stolen.status, stolen.detail], ['certificate_not_bound', 401, 'other_certificate']);
  for (const door of ['mtls', 'plain'] as const) {
    const bare = await refusalOf(tokenBound, callOf({ door, evidence: { token } }));
    assert.deepEqual([bare.code, bare.status, bare.detail], ['certificate_not_bound', 401, 'no_certificate']);
  }
});

const OCSP = 'http://ocsp.example/';

test('attack 71 of a revoked certificate and its successor the first is refused at once, the second counts from the re-bind on', async () => {
  const old = root.issue({ ...NAMED, ocspUrls: [OCSP] });
  const renewed = root.issue({ ...NAMED, ocspUrls: [`${OCSP}renewed`] });
  const bank = bankOf(root);
  bank.set(OCSP, ocspResponse(root, old, { status: 'revoked', reason: 1 }));
  bank.set(`${OCSP}renewed`, ocspResponse(root, renewed));
  const [gone, fresh] = [await accepted(old), await accepted(renewed)];
  const during = enrolledWith(boundCertificate(gone.thumbprint));
  assert.equal(await bank.judge(old), 'certificate_revoked/revoked');
  assert.equal(await bank.judge(renewed), 'ok by ocsp');
  const early = await refusalOf(certificateEnrolled, callOf({ evidence: { certificate: fresh, standing: during } }));
  assert.equal(early.code, 'certificate_not_enrolled');
  const after = enrolledWith(boundCertificate(fresh.thumbprint), boundCertificate(gone.thumbprint, start));
  const world = createWorld();
  await passes(certificateEnrolled, callOf({ evidence: { certificate: fresh, standing: after } }), world);
  const late = callOf({ evidence: { certificate: gone, standing: after } });
  assert.equal((await refusalOf(certificateEnrolled, late, world)).detail, 'rotation_window_over');
});

test('attack 59 a list that newly names an authority ends every verdict below it, also those at hand', async () => {
  const CA_CRL = 'http://crl.example/root.crl';
  const issuing = root.createIntermediate('Issuing', { crlUrls: [CA_CRL] });
  const leaves = ['one', 'two'].map((name) => issuing.issue({ ocspUrls: [`${OCSP}${name}`] }));
  const bank = bankOf(root);
  const inAnHour = new Date('2026-11-20T13:00:00Z');
  for (const [index, leaf] of leaves.entries())
    bank.set(`${OCSP}${['one', 'two'][index]}`, ocspResponse(issuing, leaf, { nextUpdate: inAnHour }));
  bank.set(CA_CRL, crl(root, [], { number: 1n, nextUpdate: new Date('2026-11-20T12:10:00Z') }));
  for (const leaf of leaves) assert.equal(await bank.judge(leaf), 'ok by ocsp');
  bank.set(CA_CRL, crl(root, [issuing.serial], { number: 2n, nextUpdate: inAnHour }));
  bank.at(new Date('2026-11-20T12:08:00Z'));
  // The first question after three quarters of the list's time makes it look for a newer one, beside the request.
  await bank.becomes(leaves[0] ?? issuing, 'certificate_revoked/ca_revoked');
  for (const leaf of leaves) assert.equal(await bank.judge(leaf), 'certificate_revoked/ca_revoked');
});

/** What the checks on roles say of a certificate that states these PSD2 roles, at a route for `allowed`. */
async function opens(stated: readonly string[], allowed: string): Promise<string> {
  const options = { ...NAMED, roles: stated };
  const certificate = await accepted(root.issue(options));
  const participant = participantOf({ roles: ['AISP', 'PISP', 'CBPII', 'ASPSP'] });
  const call = callOf({ evidence: { certificate, standing: standingOf({ participant }) } });
  const routed = { ...call, route: { ...call.route, roles: [allowed] } };
  const codes: string[] = [];
  for (const check of [certificateRole, participantRole]) {
    try {
      await passes(check, routed);
    } catch {
      const { code, status } = await refusalOf(check, routed);
      codes.push(`${status} ${code}`);
    }
  }
  return codes.length === 0 ? 'open' : [...new Set(codes)].join();
}

test('attack 61 each API opens by its own role in the certificate, and by no other', async () => {
  assert.equal(await opens(['PISP'], 'AISP'), '403 role_missing');
  assert.equal(await opens(['AISP'], 'AISP'), 'open');
  assert.equal(await opens(['CBPII'], 'CBPII'), 'open');
  assert.equal(await opens(['AISP', 'PISP'], 'CBPII'), '403 role_missing');
  assert.equal(await opens(['ASPSP'], 'AISP'), '403 role_missing');
  assert.equal(await opens(['ASPSP'], 'PISP'), '403 role_missing');
  assert.equal(await opens(['Unspecified'], 'AISP'), '403 role_missing');
});
