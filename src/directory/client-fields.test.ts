import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import {
  checkClientId,
  checkOverlap,
  checkSecretHash,
  checkSoftwareId,
  checkThumbprint,
  isClientId,
  metadataText,
  metadataValue,
} from './client-fields.ts';

function refusedField(field: string) {
  return (error: unknown): boolean =>
    error instanceof Refusal && error.code === 'field_invalid' && error.status === 400 && error.detail === field;
}

test('CA-14 a malformed thumbprint is refused', () => {
  for (const thumbprint of ['', 'abc', `${sha256('a')}=`, sha256('a').slice(1), `${sha256('a').slice(1)}+`])
    assert.throws(() => checkThumbprint(thumbprint), refusedField('thumbprint'));
  checkThumbprint(sha256('a'));
});

test('a client id or bank id that needs escaping is refused', () => {
  for (const id of ['', 'a b', 'a/b', '<a>', 'a\n', 'ä', 'x'.repeat(256)]) {
    assert.throws(() => checkClientId('gobank', id), refusedField('client_id'));
    assert.equal(isClientId('gobank', id), false);
  }
  for (const bank of ['', 'Go', 'go bank', '../x']) assert.throws(() => checkClientId(bank, 'c'), refusedField('bank'));
  checkClientId('gobank', 'openbanking-tpp-client');
  assert.throws(() => checkSoftwareId('a b'), refusedField('software_id'));
});

test('LAB-08 a secret in the clear never reaches the store', () => {
  for (const secret of ['', 'secret', 'x'.repeat(43), 'a b$'.repeat(20), `$${'x'.repeat(600)}`])
    assert.throws(() => checkSecretHash(secret), /salted hash/);
  checkSecretHash(`scrypt$16384$${'a'.repeat(22)}$${'b'.repeat(43)}`);
});

test('CA-18 LAB-08 an overlap is a bounded number of seconds', () => {
  for (const seconds of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 32 * 86_400])
    assert.throws(() => checkOverlap(seconds), refusedField('overlapSeconds'));
  checkOverlap(0);
  checkOverlap(86_400);
});

test('the same metadata give the same bytes, whatever the order they came in', () => {
  const one = { b: [{ y: 1, x: 2 }], a: { d: null, c: 'ü' }, gone: undefined };
  const other = { a: { c: 'ü', d: null }, b: [{ x: 2, y: 1 }] };
  assert.equal(metadataText(one), metadataText(other));
  assert.equal(metadataText(one), '{"a":{"c":"ü","d":null},"b":[{"x":2,"y":1}]}');
  assert.notEqual(metadataText({ a: [1, 2] }), metadataText({ a: [2, 1] }));
});

test('metadata with a secret or a private key are refused', () => {
  assert.throws(() => metadataText({ client_secret: 'x' }), refusedField('client_secret'));
  assert.throws(() => metadataText({ registration_access_token: 'x' }), refusedField('registration_access_token'));
  for (const member of ['d', 'p', 'k'])
    assert.throws(
      () => metadataText({ jwks: { keys: [{ kty: 'EC' }, { kty: 'EC', [member]: 'x' }] } }),
      refusedField('jwks'),
    );
  for (const jwks of ['x', null, [], {}, { keys: 'x' }, { keys: ['x'] }])
    assert.throws(() => metadataText({ jwks }), refusedField('jwks'));
  metadataText({ jwks: { keys: [{ kty: 'EC', x: 'x', y: 'y' }] } });
});

test('metadata are bounded in size and depth', () => {
  assert.throws(() => metadataText({ client_name: 'x'.repeat(65_536) }), /larger than 65536 bytes/);
  let deep: unknown = 1;
  for (let level = 0; level < 20; level += 1) deep = [deep];
  assert.throws(() => metadataText({ deep }), refusedField('metadata'));
});

test('metadata come back frozen at every level, and a member named __proto__ is data', () => {
  const value = metadataValue(metadataText(JSON.parse('{"__proto__":{"polluted":true},"a":{"b":[1]}}')));
  assert.ok(Object.isFrozen(value));
  assert.ok(Object.isFrozen(value.a));
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.equal('polluted' in value, false);
});
