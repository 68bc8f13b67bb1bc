import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../platform/refusal.ts';
import { checkDenial, noticeOf, readNotice } from './denial.ts';
import type { Denial } from './token.ts';

function refuses(code: string) {
  return (error: unknown): boolean => error instanceof Refusal && error.code === code && error.status === 400;
}

test('N-205 a denial that only names the bank is refused, never a wildcard', () => {
  assert.throws(() => checkDenial({ bank: 'gobank' }), refuses('field_missing'));
});

test('N-205 a blank member is refused, also beside one that narrows', () => {
  for (const blank of ['', ' ', 'a\0b', 'x'.repeat(8_193)]) {
    assert.throws(() => checkDenial({ bank: 'gobank', consent: blank }), refuses('field_invalid'));
    assert.throws(() => checkDenial({ bank: 'gobank', client: 'client-1', customer: blank }), refuses('field_invalid'));
    assert.throws(() => checkDenial({ bank: blank, client: 'client-1' }), refuses('field_invalid'));
  }
});

test('N-205 a member without a value is refused: it was meant to narrow', () => {
  const loose: unknown = { bank: 'gobank', client: 'client-1', customer: undefined };
  const isDenial = (value: unknown): value is Denial => typeof value === 'object';
  assert.ok(isDenial(loose));
  assert.throws(() => checkDenial(loose), refuses('field_invalid'));
});

test('each single member is enough', () => {
  for (const member of ['token', 'consent', 'client', 'participant', 'customer', 'thumbprint'])
    assert.doesNotThrow(() => checkDenial({ bank: 'gobank', [member]: 'value' }));
});

test('a notice says the selection, or the whole bank when it would be too long', () => {
  const selection = { bank: 'gobank', consent: 'consent-1', thumbprint: 'x' };
  assert.deepEqual(readNotice(noticeOf(selection)), selection);
  assert.deepEqual(readNotice(noticeOf({ bank: 'gobank', client: 'x'.repeat(3_000) })), { bank: 'gobank' });
});

test('a notice that cannot be read is none', () => {
  for (const notice of ['', 'x', 'null', '[]', '{}', '{"bank":1}', '{"bank":"gobank","client":1}'])
    assert.equal(readNotice(notice), undefined, notice);
});
