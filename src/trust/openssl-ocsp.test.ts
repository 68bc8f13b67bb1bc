import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthority, extension, type Issued } from '../../test/support/certificates.ts';
import { nothing } from '../../test/support/der.ts';
import { inDirectory } from '../../test/support/openssl.ts';
import { type OcspOptions, ocspResponse, responderOf, singleResponse } from '../../test/support/revocation.ts';
import { DEFAULT_ALGORITHM_POLICY } from './algorithms.ts';
import { evaluateOcsp } from './ocsp.ts';
import { Unusable } from './unusable.ts';
import { parseCertificate } from './x509.ts';

/** openssl asks the clock of the machine, so these answers are made for it. */
const now = new Date();
const from = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Test Issuing');
const twin = root.createIntermediate('Test Issuing');
const leaf = issuing.issue();

const answer = (options: OcspOptions = {}): Buffer =>
  ocspResponse(issuing, leaf, { thisUpdate: from(-60), nextUpdate: from(600), producedAt: from(-60), ...options });

function ours(response: Uint8Array): string {
  const [certificate, issuer] = [parseCertificate(leaf.der), parseCertificate(issuing.der)];
  const asked = { nonce: undefined, nonceRequired: false, maximumAgeSeconds: 3_600 };
  try {
    const { status, signerToCheck } = evaluateOcsp(response, {
      ...asked,
      certificate,
      issuer,
      policy: DEFAULT_ALGORITHM_POLICY,
      now,
    });
    return signerToCheck === undefined ? status : `${status}, after a look at the signer`;
  } catch (cause) {
    if (cause instanceof Unusable) return cause.code;
    throw cause;
  }
}

/** openssl's status, or `refused` when it verifies nothing, or warns of the times. */
function openssls(response: Uint8Array): string {
  return inDirectory((directory) => {
    const files = { 'a.der': response, 'ca.pem': issuing.certificatePem, 'leaf.pem': leaf.certificatePem };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
    const { stdout, stderr } = spawnSync(
      'openssl',
      [
        ...['ocsp', '-respin', 'a.der', '-issuer', 'ca.pem', '-cert', 'leaf.pem', '-no_nonce'],
        ...['-CAfile', 'ca.pem', '-partial_chain'],
      ],
      { cwd: directory, encoding: 'utf8' },
    );
    const sound = stderr.includes('Response verify OK') && !/Status times invalid/.test(stdout + stderr);
    const status = /^leaf\.pem: (good|revoked|unknown)$/m.exec(stdout)?.[1];
    return sound && status !== undefined ? status : 'refused';
  });
}

const delegated = (signer: Issued): Buffer => answer({ signer });
const broken = answer();
broken.writeUInt8((broken.at(-3) ?? 0) ^ 1, broken.length - 3);

/** Answers with what we say and what openssl says; where the two differ, the reason stands beside. */
const cases: readonly (readonly [
  name: string,
  response: Uint8Array,
  own: string,
  openssl: string,
  stricter?: string,
])[] = [
  ['good', answer(), 'good', 'good'],
  ['good, by key', answer({ byKey: true }), 'good', 'good'],
  ['revoked', answer({ status: 'revoked', reason: 1 }), 'revoked', 'revoked'],
  ['unknown', answer({ status: 'unknown' }), 'unknown', 'unknown'],
  ['of a delegated responder', delegated(responderOf(issuing)), 'good', 'good'],
  ['of a delegated RSA responder', delegated(responderOf(issuing, { keyType: 'rsa' })), 'good', 'good'],
  ['of a participant', delegated(issuing.issue()), 'ocsp_signer', 'refused'],
  ['of a responder of the root', delegated(responderOf(root)), 'ocsp_signer', 'refused'],
  ['of a responder of a twin', delegated(responderOf(twin)), 'ocsp_signer', 'refused'],
  ['of a stranger', delegated(createAuthority('Test Issuing')), 'ocsp_signature', 'refused'],
  ['of an expired responder', delegated(responderOf(issuing, { notAfter: from(-1) })), 'ocsp_signer', 'refused'],
  ['with a broken signature', broken, 'ocsp_signature', 'refused'],
  ['stale', answer({ nextUpdate: from(-400) }), 'ocsp_time', 'refused'],
  ['from the future', answer({ thisUpdate: from(3_600), nextUpdate: from(7_200) }), 'ocsp_time', 'refused'],
  ['about another serial', answer({ about: { serial: leaf.serial + 1n } }), 'ocsp_certid', 'refused'],
  ['about a certificate of another issuer', answer({ about: { issuer: root } }), 'ocsp_certid', 'refused'],
  ['cut off', answer().subarray(0, 200), 'ocsp_syntax', 'refused'],
  ['try later', answer({ responseStatus: 3 }), 'ocsp_status', 'refused'],
  ['signed with SHA-1', answer({ digest: 'sha1' }), 'ocsp_signature', 'good', '§7.2: SHA-1 signs nothing'],
  [
    'with a critical extension nobody knows',
    answer({ extensions: [extension('1.2.3.4', nothing, true)] }),
    'ocsp_critical',
    'good',
    '§9.2: openssl leaves these to its caller',
  ],
  [
    'that contradicts itself',
    answer({ more: [singleResponse(issuing, leaf.serial, { status: 'unknown', ...times() })] }),
    'ocsp_conflict',
    'good',
    '§9.2: openssl takes the first of several',
  ],
  [
    'that contradicts itself, revoked behind good',
    answer({ more: [singleResponse(issuing, leaf.serial, { status: 'revoked', ...times() })] }),
    'revoked',
    'good',
    '§9.2: "revoked" wins wherever it stands',
  ],
];

function times(): OcspOptions {
  return { thisUpdate: from(-60), nextUpdate: from(600) };
}

for (const [name, response, own, oracle, stricter] of cases) {
  test(`attack 48, 50, 51 and 52 an answer ${name}: our word and openssl’s`, () => {
    assert.equal(ours(response), own);
    assert.equal(openssls(response), oracle);
    if (own === 'good') assert.equal(oracle, 'good');
    if (oracle === 'good' && own !== 'good') assert.notEqual(stricter, undefined);
  });
}
