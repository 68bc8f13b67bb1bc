import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CertificateOptions, createAuthority, extension } from '../../test/support/certificates.ts';
import { explicit, ia5, implicit, integer, nothing, oid, sequence, tagged, utf8 } from '../../test/support/der.ts';
import { judged } from '../../test/support/judging.ts';
import { parseCertificate } from './x509.ts';

const root = createAuthority('Test Root');
const on = (options: CertificateOptions) => judged(root.issue(options).chain, root);
const withExtension = (id: string, value: Uint8Array) => on({ extensions: [extension(id, value)] });
const URL = implicit(6, Buffer.from('http://a.example/'));
const name = (...names: readonly Uint8Array[]) => explicit(0, explicit(0, ...names));
const SYNTAX = 'certificate_malformed/extension_syntax';

test('distribution points are well-formed, also in the parts that nobody acts on', async () => {
  const points = (...parts: readonly Uint8Array[]) => withExtension('2.5.29.31', sequence(sequence(...parts)));
  assert.equal(await points(name(URL)), 'ok');
  assert.equal(await points(explicit(0, explicit(1, sequence(oid('2.5.4.3'), utf8('x'))))), 'ok');
  assert.equal(await points(name(URL), implicit(1, Buffer.from([6, 0x40])), explicit(2, URL)), 'ok');
  assert.equal(await points(explicit(2, URL)), 'ok');
  assert.equal(await points(), SYNTAX);
  assert.equal(await points(implicit(1, Buffer.from([6, 0x40]))), SYNTAX);
  assert.equal(await points(name(tagged(0xa3, nothing))), SYNTAX);
  assert.equal(await points(name(tagged(0x94, nothing))), SYNTAX);
  assert.equal(await points(name(implicit(7, Buffer.alloc(5)))), SYNTAX);
  assert.equal(await points(name(URL), implicit(1, Buffer.from([1, 0x40]))), 'certificate_malformed/der_bitstring');
  assert.equal(await points(name(implicit(6, Buffer.from([0xe9])))), 'certificate_malformed/der_string');
  assert.equal(await points(name()), 'certificate_malformed/der_length');
});

test('access descriptions and other names are well-formed', async () => {
  const access = (location: Uint8Array) =>
    withExtension('1.3.6.1.5.5.7.1.1', sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), location)));
  const otherName = explicit(0, oid('1.2.3'), explicit(0, utf8('x')));
  for (const good of [URL, otherName, implicit(8, Buffer.from([0x2a, 0x03])), explicit(4, sequence())])
    assert.equal(await access(good), 'ok');
  assert.equal(await access(ia5('http://a.example/')), SYNTAX);
  assert.equal(await access(explicit(0, oid('1.2.3'))), 'certificate_malformed/der_length');
  assert.equal(
    await access(explicit(0, oid('1.2.3'), explicit(0, nothing, nothing))),
    'certificate_malformed/der_trailing',
  );
  assert.equal(await withExtension('2.5.29.17', sequence(otherName)), 'ok');
  assert.equal(await withExtension('2.5.29.17', sequence(explicit(0, nothing))), 'certificate_malformed/san_syntax');
});

test('an authority key identifier is well-formed, and never decides', async () => {
  const identifier = (...parts: readonly Uint8Array[]) => {
    const bare = [
      extension('2.5.29.15', Buffer.from('03020780', 'hex'), true),
      extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.2'))),
    ];
    return on({ raw: { extensions: explicit(3, sequence(...bare, extension('2.5.29.35', sequence(...parts)))) } });
  };
  const serial = implicit(2, Buffer.from([5]));
  assert.equal(await identifier(implicit(0, Buffer.alloc(20))), 'ok');
  assert.equal(await identifier(explicit(1, URL), serial), 'ok');
  assert.equal(await identifier(), 'ok');
  assert.equal(await identifier(explicit(1, URL)), SYNTAX);
  assert.equal(await identifier(serial), SYNTAX);
  assert.equal(
    await identifier(explicit(1, URL), implicit(2, Buffer.from([0, 5]))),
    'certificate_malformed/der_integer',
  );
});

test('nocheck is an empty NULL', () => {
  const certificate = (value: Uint8Array) => root.issue({ extensions: [extension('1.3.6.1.5.5.7.48.1.5', value)] }).der;
  assert.equal(parseCertificate(certificate(nothing)).ocspNoCheck, true);
  assert.throws(() => parseCertificate(certificate(tagged(5, Buffer.alloc(1)))), /NULL with content/);
  assert.throws(() => parseCertificate(certificate(integer(1))), /expected tag/);
});
