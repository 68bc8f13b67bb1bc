import assert from 'node:assert/strict';
import { test } from 'node:test';
import { psd2Statement, qcStatements } from './roles.ts';

const TEST_AUTHORITY = { name: 'Test NCA', id: 'XX-TEST' };

test('authority: the PSD2 statement is the worked encoding of certificates.md §6.3, octet for octet', () => {
  assert.equal(
    psd2Statement(['PISP', 'AISP'], TEST_AUTHORITY).toString('hex'),
    '30450606040081982702303b302630110607040081982701020c065053505f5049' +
      '30110607040081982701030c065053505f41490c0854657374204e43410c0758582d54455354',
  );
});

test('authority: QcType tells a transport certificate from a seal', () => {
  const web = qcStatements('web', ['AISP'], TEST_AUTHORITY).toString('hex');
  const eseal = qcStatements('eseal', ['AISP'], TEST_AUTHORITY).toString('hex');
  assert.ok(web.includes('060704008e46010603'));
  assert.ok(eseal.includes('060704008e46010602'));
  assert.ok(!eseal.includes('060704008e46010603'));
});
