import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, extension, newKey } from '../../test/support/certificates.ts';
import {
  explicit,
  generalizedTime,
  implicit,
  integer,
  nothing,
  octetString,
  sequence,
} from '../../test/support/der.ts';
import { NOW } from '../../test/support/judging.ts';
import { at, type OcspOptions, ocspResponse, responderOf, singleResponse } from '../../test/support/revocation.ts';
import { DEFAULT_ALGORITHM_POLICY } from './algorithms.ts';
import { evaluateOcsp, type OcspExpectation } from './ocsp.ts';
import { Unusable } from './unusable.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Test Root');
const issuing = root.createIntermediate('Test Issuing');
const leaf = issuing.issue();
const expectation: OcspExpectation = {
  certificate: parseCertificate(leaf.der),
  issuer: parseCertificate(issuing.der),
  nonce: undefined,
  nonceRequired: false,
  maximumAgeSeconds: 3600,
  policy: DEFAULT_ALGORITHM_POLICY,
  now: NOW,
};

function outcome(response: Uint8Array, expected: Partial<OcspExpectation> = {}): string {
  try {
    const { status, nonce } = evaluateOcsp(response, { ...expectation, ...expected });
    return nonce === 'matched' ? `${status} with nonce` : status;
  } catch (error) {
    if (error instanceof Unusable) return error.code;
    throw error;
  }
}
const say = (options: OcspOptions = {}, expected: Partial<OcspExpectation> = {}) =>
  outcome(ocspResponse(issuing, leaf, options), expected);

test('attack 47 good, revoked and unknown are told apart, signed by the issuer by name or by key', () => {
  for (const byKey of [false, true]) {
    for (const status of ['good', 'revoked', 'unknown'] as const) assert.equal(say({ status, byKey }), status);
  }
  assert.equal(say({ status: 'revoked', reason: 6 }), 'revoked');
  const { reason, revokedAt } = evaluateOcsp(
    ocspResponse(issuing, leaf, { status: 'revoked', reason: 1 }),
    expectation,
  );
  assert.deepEqual([reason, revokedAt], [1, at(-3600)]);
});

test('a delegated responder of the issuer is accepted, first or last among the certificates sent', () => {
  const signer = responderOf(issuing);
  assert.equal(say({ signer }), 'good');
  assert.equal(say({ signer, byKey: true }), 'good');
  assert.equal(say({ signer, certificates: [leaf.der, root.der, signer.der] }), 'good');
  const withoutUsage = responderOf(issuing, { keyUsages: [] });
  assert.equal(say({ signer: withoutUsage }), 'good');
  const rsa = responderOf(issuing, { keyType: 'rsa' });
  assert.equal(say({ signer: rsa }), 'good');
});

test('a delegated responder without nocheck must itself be checked', () => {
  const signer = responderOf(issuing, { extensions: [] });
  const answer = evaluateOcsp(ocspResponse(issuing, leaf, { signer }), expectation);
  assert.equal(answer.signerToCheck?.thumbprint, parseCertificate(signer.der).thumbprint);
});

test('attack 48 answers that are stale, from the future or without end do not count', () => {
  const cases: readonly (readonly [OcspOptions, string])[] = [
    [{ nextUpdate: at(-1) }, 'ocsp_time'],
    [{ nextUpdate: at(0) }, 'ocsp_time'],
    [{ nextUpdate: at(1) }, 'good'],
    [{ thisUpdate: at(301) }, 'ocsp_time'],
    [{ thisUpdate: at(299) }, 'good'],
    [{ producedAt: at(301) }, 'ocsp_time'],
    [{ thisUpdate: at(100), nextUpdate: at(50) }, 'ocsp_time'],
    [{ nextUpdate: null, thisUpdate: at(-7200) }, 'ocsp_time'],
    [{ nextUpdate: null, thisUpdate: at(-3600) }, 'ocsp_time'],
    [{ nextUpdate: null, thisUpdate: at(-3599) }, 'good'],
    [{ thisUpdate: at(-86_400), nextUpdate: at(-2 * 86_400) }, 'ocsp_time'],
  ];
  for (const [options, expected] of cases) assert.equal(say(options), expected, JSON.stringify(options));
});

test('attack 49 a nonce that comes back must be ours; one that does not come counts only where it is not required', () => {
  const nonce = Buffer.alloc(32, 7);
  assert.equal(say({ nonce }, { nonce }), 'good with nonce');
  assert.equal(say({ nonce: Buffer.alloc(32, 8) }, { nonce }), 'ocsp_nonce');
  assert.equal(say({ nonce }, {}), 'ocsp_nonce');
  assert.equal(say({}, { nonce }), 'good');
  assert.equal(say({}, { nonce, nonceRequired: true }), 'ocsp_nonce');
  assert.equal(say({ nonce }, { nonce, nonceRequired: true }), 'good with nonce');
});

test('attack 50 an answer about another certificate does not count; a supported other hash does', () => {
  assert.equal(say({ about: { serial: leaf.serial + 1n } }), 'ocsp_certid');
  assert.equal(say({ about: { issuer: root } }), 'ocsp_certid');
  const sameName = createAuthority('Test Issuing');
  assert.equal(say({ about: { issuer: sameName } }), 'ocsp_certid');
  for (const hash of ['sha256', 'sha384'] as const) assert.equal(say({ hash }), 'good');
  assert.equal(say({ hash: 'md5' }), 'ocsp_certid');
});

test('attack 51 of several statements "revoked" wins, any other disagreement spoils the answer', () => {
  const more = (status: 'good' | 'revoked' | 'unknown') => [singleResponse(issuing, leaf.serial, { status })];
  assert.equal(say({ more: more('revoked') }), 'revoked');
  assert.equal(say({ status: 'unknown', more: more('revoked') }), 'revoked');
  assert.equal(say({ more: more('unknown') }), 'ocsp_conflict');
  assert.equal(say({ more: more('good') }), 'good');
  assert.equal(
    say({ more: [singleResponse(issuing, leaf.serial, { nextUpdate: at(-1), thisUpdate: at(-600) })] }),
    'ocsp_time',
  );
  const other = [singleResponse(issuing, leaf.serial + 1n, { status: 'revoked' })];
  assert.equal(say({ more: other }), 'good');
  assert.equal(say({ more: Array.from({ length: 64 }, () => more('good')).flat() }), 'ocsp_syntax');
});

test('attack 52 nobody signs but the issuer and whom it appointed', () => {
  const stranger = createAuthority('Stranger');
  const rogueIssuing = createAuthority('Test Issuing');
  const appointed = responderOf(issuing);
  const cases: readonly (readonly [string, OcspOptions])[] = [
    ['another authority', { signer: stranger }],
    ['the root of the issuer', { signer: root }],
    ['a responder of the root', { signer: responderOf(root) }],
    ['a responder of a stranger', { signer: responderOf(stranger) }],
    ['a responder of a rogue twin of the issuer', { signer: responderOf(rogueIssuing) }],
    ['a participant of the same authority', { signer: leaf }],
    [
      'another participant, with a genuine responder beside',
      { signer: issuing.issue(), certificates: [appointed.der] },
    ],
    [
      'a self-signed certificate with a genuine one appended',
      { signer: stranger, certificates: [stranger.der, leaf.der] },
    ],
    ['an expired responder', { signer: responderOf(issuing, { notAfter: at(-1) }) }],
    ['a responder of tomorrow', { signer: responderOf(issuing, { notBefore: at(1) }) }],
    ['a responder whose key usage forbids it', { signer: responderOf(issuing, { keyUsages: ['keyEncipherment'] }) }],
    ['a responder with anyExtendedKeyUsage', { signer: responderOf(issuing, { extendedKeyUsages: ['any'] }) }],
    ['a responder with a weak key', { signer: responderOf(issuing, { keyType: 'rsa1024' }) }],
    ['a responder certified by SHA-1', { signer: responderOf(issuing, { raw: { digest: 'sha1' } }) }],
    [
      'a responder with an unknown critical extension',
      { signer: responderOf(issuing, { extensions: [extension('1.2.3', nothing, true)] }) },
    ],
    ['a genuine responder whose certificate is not sent', { signer: appointed, certificates: [] }],
  ];
  for (const [name, options] of cases) {
    assert.equal(say(options), 'ocsp_signer', name);
    assert.equal(say({ ...options, byKey: true }), 'ocsp_signer', `${name}, by key`);
  }
  assert.equal(outcome(ocspResponse(rogueIssuing, leaf, { about: { issuer: issuing } })), 'ocsp_signature');
});

test('attack 52 a signature that does not verify, or by a weak algorithm, does not count', () => {
  assert.equal(say({ digest: 'sha1' }), 'ocsp_signature');
  const twinKey = responderOf(issuing, { key: newKey('ec') });
  const forged = { ...twinKey, key: newKey('ec') };
  assert.equal(say({ signer: forged }), 'ocsp_signature');
});

test('attack 53 status other than successful, other types and rubbish are no answer', () => {
  for (const responseStatus of [1, 2, 3, 5, 6]) assert.equal(say({ responseStatus }), 'ocsp_status');
  const good = ocspResponse(issuing, leaf);
  const inputs = [
    Buffer.alloc(0),
    Buffer.from('<html>good</html>'),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.alloc(1)]),
    Buffer.alloc(70_000, 0x30),
    sequence(integer(0)),
  ];
  for (const input of inputs) assert.equal(outcome(input), 'ocsp_syntax');
  assert.equal(say({ version: explicit(0, integer(0)) }), 'ocsp_syntax');
});

test('an unknown critical extension spoils the answer', () => {
  const critical = extension('1.2.3', nothing, true);
  assert.equal(say({ extensions: [critical] }), 'ocsp_critical');
  assert.equal(say({ singleExtensions: [critical] }), 'ocsp_critical');
  assert.equal(say({ extensions: [extension('1.2.3', nothing)] }), 'good');
  assert.equal(
    say({ nonce: Buffer.alloc(0), extensions: [extension('1.3.6.1.5.5.7.48.1.2', octetString(nothing))] }),
    'ocsp_syntax',
  );
});

test('attack 31 no single flipped bit of a response gives another answer', { timeout: 60_000 }, () => {
  for (const signer of [undefined, responderOf(issuing, { keyType: 'rsa' })]) {
    const der = ocspResponse(issuing, leaf, { signer });
    const accepted: number[] = [];
    for (let bit = 0; bit < der.length * 8; bit += 1) {
      const flipped = Buffer.from(der);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!outcome(flipped).startsWith('ocsp_')) accepted.push(bit);
    }
    assert.deepEqual(accepted, []);
  }
});

test('attack 50 an answer with a CertID that cannot be read does not count', () => {
  const broken = sequence(sequence(nothing), implicit(0, Buffer.alloc(0)), generalizedTime(at(-60)));
  assert.equal(say({ more: [broken] }), 'ocsp_syntax');
});
