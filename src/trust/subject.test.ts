import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { judge } from '../../test/support/judging.ts';
import { subjectMatches } from './subject.ts';

const root = createAuthority('Test Root');
const verdict = await judge(
  root.issue({
    commonName: 'tpp-a',
    organization: 'TPP A, Ltd',
    country: 'GB',
    organizationIdentifier: 'PSDGB-FCA-1',
    dnsNames: ['tpp-a.example', '*.wild.example', 'dotted.example.'],
    uris: ['https://tpp-a.example/id'],
    emails: ['Ops@TPP-A.example'],
    ipAddresses: ['10.0.0.1', '2001:db8::1'],
  }).chain,
  root,
);
assert.ok(verdict.ok);
const { certificate } = verdict;
const matches = (property: string, expected: string) =>
  subjectMatches(certificate, `tls_client_auth_${property}`, expected);

test('WSO-03 attack 28 the subject is compared by RDNs, never as text', () => {
  assert.equal(matches('subject_dn', 'CN=tpp-a,organizationIdentifier=PSDGB-FCA-1,O=TPP A\\, Ltd,C=GB'), true);
  assert.equal(matches('subject_dn', 'cn=tpp-a, 2.5.4.97=#0c0b50534447422d4643412d31, o=TPP A\\2c Ltd, c=GB'), true);
  const wrong = [
    'CN=tpp-a',
    'C=GB,O=TPP A\\, Ltd,organizationIdentifier=PSDGB-FCA-1,CN=tpp-a',
    'CN=TPP-A,organizationIdentifier=PSDGB-FCA-1,O=TPP A\\, Ltd,C=GB',
    'CN=tpp-a,organizationIdentifier=PSDGB-FCA-1,O=TPP A, Ltd,C=GB',
    'CN=tpp-a+C=GB,organizationIdentifier=PSDGB-FCA-1,O=TPP A\\, Ltd',
    '',
  ];
  for (const expected of wrong) assert.equal(matches('subject_dn', expected), false, expected);
});

test('WSO-03 attack 27 a DNS name matches whole, without regard to case; wildcards and trailing dots never do', () => {
  assert.equal(matches('san_dns', 'tpp-a.example'), true);
  assert.equal(matches('san_dns', 'TPP-A.Example'), true);
  for (const expected of [
    'pp-a.example',
    'example',
    '*.wild.example',
    'a.wild.example',
    'dotted.example.',
    'dotted.example',
    '',
  ]) {
    assert.equal(matches('san_dns', expected), false, expected);
  }
});

test('WSO-03 URI, address and e-mail match by their own rules', () => {
  assert.equal(matches('san_uri', 'https://tpp-a.example/id'), true);
  assert.equal(matches('san_uri', 'https://TPP-A.example/id'), false);
  assert.equal(matches('san_uri', ''), false);
  assert.equal(matches('san_ip', '2001:0DB8:0:0:0:0:0:1'), true);
  assert.equal(matches('san_ip', '10.0.0.1'), true);
  for (const expected of ['10.0.0.01', '10.0.0.2', '::ffff:10.0.0.1', 'fe80::1%eth0', '']) {
    assert.equal(matches('san_ip', expected), false, expected);
  }
  assert.equal(matches('san_email', 'Ops@tpp-a.EXAMPLE'), true);
  for (const expected of ['ops@tpp-a.example', '@tpp-a.example', 'Ops', '']) {
    assert.equal(matches('san_email', expected), false, expected);
  }
});

test('WSO-03 an unknown property matches nothing', () => {
  assert.equal(subjectMatches(certificate, 'subject_dn', certificate.subject), false);
  assert.equal(subjectMatches(certificate, 'toString', ''), false);
});
