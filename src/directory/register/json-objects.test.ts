import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonObjects } from './json-objects.ts';
import { RegisterUnavailable } from './register.ts';

async function read(text: string, size = 3): Promise<unknown[]> {
  const octets = Buffer.from(text);
  async function* pieces() {
    for (let at = 0; at < octets.length; at += size) yield octets.subarray(at, at + size);
  }
  const found: unknown[] = [];
  for await (const item of jsonObjects(pieces())) found.push(item);
  return found;
}

const WRONG = [
  '',
  ' ',
  '{}',
  '[',
  '[{}',
  '[{"a":1}',
  '[{"a":"}]',
  '[{}]]',
  '[[{}]',
  '[{}] [{}]',
  '[1]',
  '[null]',
  '["a"]',
  '[{a}]',
  '[{"a":1}}]',
  '[{"a":"\\"}]',
  '<html>',
  `${'['.repeat(9)}{}${']'.repeat(9)}`,
];

for (const text of WRONG)
  test(`N-30 ${JSON.stringify(text)} is not lists of objects`, async () => {
    for (const size of [1, 2, 1_000])
      await assert.rejects(
        read(text, size),
        (cause: unknown) => cause instanceof RegisterUnavailable && cause.code === 'register_malformed',
      );
  });

test('an object of more than a megabyte is refused before it ends', async () => {
  await assert.rejects(read(`[{"a":"${'x'.repeat(1_100_000)}`, 65_536), RegisterUnavailable);
});

test('octets that are not UTF-8 are refused', async () => {
  async function* pieces() {
    yield Buffer.from([0x5b, 0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d, 0x5d]);
  }
  await assert.rejects(async () => {
    for await (const _item of jsonObjects(pieces())) assert.fail('it was read');
  }, RegisterUnavailable);
});

test('the objects come one by one, however the text is cut', async () => {
  const value = [[{ note: 'a "quoted" } brace \\' }], [{ a: { b: [{}] } }, { é: '€ {[' }], []];
  for (const size of [1, 2, 3, 5, 1_000])
    for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2)])
      assert.deepEqual(await read(text, size), value.flat());
});

test('no objects at all are no fault of the text', async () => assert.deepEqual(await read('[[],[]]'), []));
