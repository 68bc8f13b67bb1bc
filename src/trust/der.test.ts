import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contentOf, cursorOf, elementsOf, only, readDer, TAG } from './der.ts';
import {
  bitStringOctets,
  booleanOf,
  generalizedTimeOf,
  ia5Of,
  integerOctets,
  namedBits,
  oidOf,
  smallInteger,
  stringOf,
  timeOf,
} from './der-values.ts';
import { encode } from './der-writer.ts';
import { Malformed } from './malformed.ts';

const octets = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const element = (hex: string) => readDer(octets(hex), octets(hex)[0] ?? 0);
const text = (tag: number, value: string) => readDer(Buffer.from([tag, value.length, ...Buffer.from(value)]), tag);
const refuses = (run: () => unknown, code: string) =>
  assert.throws(run, (error) => error instanceof Malformed && error.code === code);

test('attack 17 octets after the structure are refused', () => {
  refuses(() => element('0500 00'), 'der_trailing');
  refuses(() => only(element('3004 0500 0500'), TAG.null), 'der_trailing');
  refuses(() => cursorOf(element('3002 0500')).end(), 'der_trailing');
});

test('attack 18 indefinite, non-minimal, overlong and claimed lengths are refused', () => {
  for (const hex of [
    '3080 0000',
    '308100',
    '30810500',
    '308200800000',
    '30850000000001',
    '3005 0500',
    '30',
    '3082',
    '',
  ]) {
    refuses(() => element(hex), 'der_length');
  }
  refuses(() => readDer(octets('3084ffffffff'), TAG.sequence), 'der_length');
  refuses(() => readDer(octets('3084ffffffff'), TAG.sequence, true), 'der_length');
  const long = Buffer.concat([octets('04820100'), Buffer.alloc(256)]);
  assert.equal(readDer(long, TAG.octetString).end, 260);
});

test('attack 18 every tag is compared, and tags of several octets are refused', () => {
  refuses(() => readDer(octets('0500'), TAG.sequence), 'der_tag');
  refuses(() => element('1f8101 00'), 'der_tag');
  refuses(() => cursorOf(element('3002 0500')).next(TAG.integer), 'der_tag');
  assert.equal(cursorOf(element('3002 0500')).optional(TAG.integer), undefined);
});

test('attack 19 a BOOLEAN is one octet, 00 or FF', () => {
  for (const hex of ['010101', '0102ffff', '0100']) refuses(() => booleanOf(element(hex)), 'der_boolean');
  refuses(() => booleanOf(element('2103 0101ff')), 'der_tag');
  assert.equal(booleanOf(element('0101ff')), true);
  assert.equal(booleanOf(element('010100')), false);
});

test('attack 22 an INTEGER is minimal', () => {
  for (const hex of ['0200', '02020001', '0202ff80']) refuses(() => integerOctets(element(hex)), 'der_integer');
  for (const hex of ['0201ff', '02050100000000']) refuses(() => smallInteger(element(hex)), 'der_integer');
  assert.equal(smallInteger(element('02020080')), 128);
});

test('attack 18 an OID has minimal arcs, an end, and 40 octets at most', () => {
  for (const hex of ['0600', '06022a80', '060380012a', `0629${'2a'.repeat(41)}`])
    refuses(() => oidOf(element(hex)), 'der_oid');
  assert.equal(oidOf(element('0603550461')), '2.5.4.97');
  assert.equal(oidOf(element('0606 0400 81982702')), '0.4.0.19495.2');
  assert.equal(oidOf(element('06032a8648')), '1.2.840');
});

test('attack 24 a BIT STRING has no stray bits', () => {
  for (const hex of ['0300', '03020180', '03020780']) refuses(() => bitStringOctets(element(hex)), 'der_bitstring');
  for (const hex of ['0300', '03020880', '030201ff', '03020700', '030101']) {
    refuses(() => namedBits(element(hex)), 'der_bitstring');
  }
  assert.deepEqual([...namedBits(element('030206c0'))], [0, 1]);
  assert.deepEqual([...namedBits(element('030100'))], []);
});

test('attack 26 strings keep to their alphabet', () => {
  const latin = (tag: number, hex: string) =>
    element(`${tag.toString(16).padStart(2, '0')}${(hex.length / 2).toString(16).padStart(2, '0')}${hex}`);
  refuses(() => stringOf(latin(TAG.utf8String, 'c328')), 'der_string');
  refuses(() => stringOf(latin(TAG.utf8String, 'eda080')), 'der_string');
  refuses(() => stringOf(text(TAG.printableString, 'a*b')), 'der_string');
  refuses(() => stringOf(text(TAG.printableString, 'a@b')), 'der_string');
  refuses(() => stringOf(text(TAG.numericString, '12a')), 'der_string');
  refuses(() => stringOf(latin(TAG.ia5String, 'e9')), 'der_string');
  refuses(() => stringOf(latin(TAG.teletexString, '1b41')), 'der_string');
  refuses(() => stringOf(latin(TAG.bmpString, '004100')), 'der_string');
  refuses(() => stringOf(latin(TAG.bmpString, 'd800')), 'der_string');
  refuses(() => stringOf(latin(0x1c, '00000041')), 'der_string');
  assert.equal(stringOf(latin(TAG.bmpString, '00410042')), 'AB');
  assert.equal(stringOf(latin(TAG.teletexString, 'e9')), 'é');
  assert.equal(stringOf(latin(TAG.utf8String, 'efbbbf41')), '\ufeffA');
  assert.equal(ia5Of(text(0x86, 'http://a')), 'http://a');
});

test('attack 29 times exist, in the one form of RFC 5280', () => {
  const utc = (value: string) => timeOf(text(TAG.utcTime, value)).toISOString();
  const general = (value: string) => timeOf(text(TAG.generalizedTime, value)).toISOString();
  assert.equal(utc('491231235959Z'), '2049-12-31T23:59:59.000Z');
  assert.equal(utc('500101000000Z'), '1950-01-01T00:00:00.000Z');
  assert.equal(general('20500101000000Z'), '2050-01-01T00:00:00.000Z');
  for (const value of [
    '300230000000Z',
    '2601010000Z',
    '260101000000+0000',
    '260101000060Z',
    '261301000000Z',
    '260101240000Z',
  ]) {
    refuses(() => utc(value), 'der_time');
  }
  for (const value of ['20260101000000.5Z', '20260101000000+0100', '20260101000000', '20260230000000Z']) {
    refuses(() => general(value), 'der_time');
  }
  refuses(() => timeOf(element('0500')), 'der_time');
  refuses(() => generalizedTimeOf(text(TAG.utcTime, '260101000000Z')), 'der_time');
});

test('attack 25 lists are bounded before they are read', () => {
  const many = readDer(Buffer.concat([octets('30820800'), Buffer.from('0500'.repeat(1024), 'hex')]), TAG.sequence);
  refuses(() => elementsOf(many, 100), 'limit');
  refuses(() => elementsOf(element('3000'), 100), 'der_length');
  assert.equal(elementsOf(many, 1024).length, 1024);
});

test('what is written is read back, whatever its length', () => {
  for (const length of [0, 127, 128, 255, 256, 4_000]) {
    const written = encode(TAG.octetString, Buffer.alloc(length, 1));
    assert.equal(contentOf(readDer(written, TAG.octetString)).length, length);
  }
});
