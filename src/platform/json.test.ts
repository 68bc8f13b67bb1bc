import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isRecord } from './json.ts';

test('a list, null and plain values are no JSON object', () => {
  for (const text of ['[]', '[{}]', 'null', '"{}"', '1', 'true']) assert.equal(isRecord(JSON.parse(text)), false, text);
  assert.equal(isRecord(undefined), false);
  assert.ok(isRecord(JSON.parse('{}')));
});
