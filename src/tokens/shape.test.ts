import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shapeOf, unverifiedClaims } from './shape.ts';

const HEADER = Buffer.from('{"alg":"ES256"}').toString('base64url');

test('N-40 a padded token, or one with characters outside base64url, is no token', () => {
  for (const token of [
    '',
    'abc=',
    'abcd==',
    'ab+c',
    'ab/c',
    'ab c',
    ' abc',
    'abc\n',
    'äbc',
    `${HEADER}.e30=.AAAA`,
    `${HEADER}.e30.AA+A`,
  ]) {
    assert.equal(shapeOf(token), undefined, token);
  }
});

test('N-40 tokens with - and _ are told apart by their parts alone', () => {
  assert.equal(shapeOf('a-b_c'), 'opaque');
  assert.equal(shapeOf('-_-_'), 'opaque');
  assert.equal(shapeOf(`${HEADER}.e30.-_-_`), 'jwt');
});

test('two parts, four parts, five parts or an empty part are no token', () => {
  for (const token of ['a.b', 'e30.e30.e30.e30', 'a.b.c.d.e', '.e30.e30', 'e30..e30', 'e30.e30.', '..', '.'])
    assert.equal(shapeOf(token), undefined, token);
});

test('a part of a JWT that is not the one way to write its octets is refused', () => {
  assert.equal(shapeOf('e30.e30.AA'), 'jwt');
  // The same octet with unused bits set, and a length no octets have.
  assert.equal(shapeOf('e30.e30.AB'), undefined);
  assert.equal(shapeOf('e30.e30.AAAAA'), undefined);
});

test('length is bounded for both forms', () => {
  assert.equal(shapeOf('a'.repeat(256)), 'opaque');
  assert.equal(shapeOf('a'.repeat(257)), undefined);
  assert.equal(shapeOf(`e30.${'AAAA'.repeat(2_000)}.AA`), 'jwt');
  assert.equal(shapeOf(`e30.${'AAAA'.repeat(3_000)}.AA`), undefined);
});

test('claims that are no JSON object are none', () => {
  const of = (claims: string) => unverifiedClaims(`e30.${Buffer.from(claims).toString('base64url')}.AA`);
  assert.deepEqual(of('{"jti":"a"}'), { jti: 'a' });
  for (const claims of ['', 'null', '[]', '"a"', '{', '1']) assert.equal(of(claims), undefined, claims);
});
