import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf } from '../../test/support/gateway.ts';
import { createFlights } from './flights.ts';

test('a bank with too many requests under way gets no more, and another bank is unaffected', () => {
  const flights = createFlights(2);
  const first = callOf();
  flights.enter(first);
  flights.enter(callOf());
  assert.throws(() => flights.enter(callOf()), {
    code: 'upstream_unavailable',
    status: 503,
    headers: { 'retry-after': '1' },
  });
  flights.enter(callOf({ bank: { id: 'labbank' } }));
  first.response.emit('close');
  flights.enter(callOf());
  assert.throws(() => flights.enter(callOf()), { code: 'upstream_unavailable' });
});
