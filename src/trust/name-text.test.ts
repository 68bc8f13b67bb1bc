import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, rdn } from '../../test/support/certificates.ts';
import { sequence, utf8 } from '../../test/support/der.ts';
import { sameName } from './name.ts';
import { parseNameText, textOfName } from './name-text.ts';
import { parseCertificate } from './x509.ts';

const CN = '2.5.4.3';
const name = (value: string) => [[{ type: CN, value }]];
const values = (text: string) =>
  parseNameText(text)
    ?.flat()
    .map(({ value }) => value);

test('attack 74 what would break a log line or a header is escaped', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['a\nb', 'CN=a\\0Ab'],
    ['a\r\n{"level":60}', 'CN=a\\0D\\0A{\\"level\\":60}'],
    ['\u001b[31m', 'CN=\\1B[31m'],
    ['a\u202eb', 'CN=a\\E2\\80\\AEb'],
    ['a\u2028b', 'CN=a\\E2\\80\\A8b'],
    ['a,b+c;d', 'CN=a\\,b\\+c\\;d'],
    ['<"\\=>', 'CN=\\<\\"\\\\\\=\\>'],
    [' a b ', 'CN=\\ a b\\ '],
    ['#1', 'CN=\\#1'],
    ['\u0000', 'CN=\\00'],
    ['Café 銀行', 'CN=Café 銀行'],
  ];
  for (const [value, text] of cases) {
    assert.equal(textOfName(name(value)), text);
    assert.deepEqual(parseNameText(text), name(value), 'and read back');
  }
});

test('attack 28 RFC 4514 text is read: last RDN first, multi-valued, hexadecimal, spaced', () => {
  assert.deepEqual(parseNameText('CN=a,O=b+OU=c'), [
    [
      { type: '2.5.4.10', value: 'b' },
      { type: '2.5.4.11', value: 'c' },
    ],
    [{ type: CN, value: 'a' }],
  ]);
  assert.deepEqual(values('cn = a , 2.5.4.97=#0c0141'), ['A', 'a']);
  assert.deepEqual(values('CN=a\\ '), ['a ']);
  assert.deepEqual(values('CN=Lu\\C4\\8Di\\C4\\87'), ['Lučić']);
  assert.deepEqual(values('CN=a\\\\'), ['a\\']);
});

test('attack 28 text that is not well-formed is no name', () => {
  const bad = [
    '',
    'CN',
    '=a',
    'CN=',
    'XX=a',
    '1.2.x=a',
    'CN=a,',
    'CN=a"b',
    'CN=a;b',
    'CN=a<b',
    'CN=a\\',
    'CN=a\\zb',
    'CN=\\ff',
  ];
  const more = [
    'CN=#0c',
    'CN=#zz',
    'CN=#0c014100',
    'CN=#050000',
    'CN=a\0b',
    `CN=${'a'.repeat(5_000)}`,
    '01.2=a',
    '3.1=a',
  ];
  for (const text of [...bad, ...more]) assert.equal(parseNameText(text), undefined, JSON.stringify(text));
});

test('attack 28 names are compared in order and exactly, RDN by RDN', () => {
  const parsed = (text: string) => parseNameText(text) ?? [];
  assert.equal(sameName(parsed('CN=a,O=b'), parsed('CN=a,O=b')), true);
  assert.equal(sameName(parsed('CN=a+OU=c,O=b'), parsed('OU=c+CN=a,O=b')), true);
  for (const other of ['O=b,CN=a', 'CN=A,O=b', 'CN=a,O=b,C=GB', 'CN=a', 'CN=a+O=b', 'CN=a ,O=b\\ ', 'CN=a,OU=b']) {
    assert.equal(sameName(parsed('CN=a,O=b'), parsed(other)), false, other);
  }
});

test('the text of any name reads back as that name', () => {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  const alphabet = [...'ab \\,+"#;<>=\n\0é\u202e銀😀'];
  for (let round = 0; round < 500; round += 1) {
    const value = Array.from({ length: 1 + next(12) }, () => alphabet[next(alphabet.length)]).join('');
    const der = createSubject(value);
    const { rdns } = parseCertificate(der).subject;
    assert.deepEqual(parseNameText(textOfName(rdns)), rdns);
  }
});

const root = createAuthority('Test Root');

function createSubject(value: string): Uint8Array {
  return root.issue({ key: root.key, raw: { subject: sequence(rdn(CN, utf8(value)), rdn('2.5.4.10', utf8('x'))) } })
    .der;
}
