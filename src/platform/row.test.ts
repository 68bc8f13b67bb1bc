import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flag, instant, integer, octets, optionalInstant, optionalInteger, optionalText, text, texts } from './row.ts';

test('an absent column, and null where there is none, is a defect in every reader', () => {
  for (const read of [text, integer, flag, instant, texts, octets]) {
    assert.throws(() => read({}, 'a'), /column a: expected/, read.name);
    assert.throws(() => read({ a: null }, 'a'), /column a: expected .* gave null/, read.name);
  }
  for (const read of [optionalText, optionalInteger, optionalInstant]) {
    assert.equal(read({ a: null }, 'a'), undefined, read.name);
    assert.throws(() => read({}, 'a'), /column a/, `${read.name}: absent is not null`);
  }
});

test('another type is a defect, not a conversion', () => {
  assert.throws(() => text({ a: 1 }, 'a'));
  assert.throws(() => flag({ a: 'true' }, 'a'));
  assert.throws(() => instant({ a: '2026-01-01' }, 'a'));
  assert.throws(() => octets({ a: '\\x00' }, 'a'));
  assert.throws(() => texts({ a: ['b', 1] }, 'a'));
  assert.throws(() => texts({ a: '{b}' }, 'a'));
  for (const value of [1.5, '1.5', 'x', '9007199254740993', Number.NaN, true])
    assert.throws(() => integer({ a: value }, 'a'), String(value));
});

test('integers come as numbers, text or bigint', () => {
  for (const value of [7, '7', 7n]) assert.equal(integer({ a: value }, 'a'), 7);
});
