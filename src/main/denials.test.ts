import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecordingAudit } from '../../test/support/recording-audit.ts';
import { createLog } from '../platform/log.ts';
import type { Row } from '../platform/row.ts';
import type { DeniedCertificate } from '../trust/index.ts';
import { openDenials } from './denials.ts';

const spkiSha256 = 'a'.repeat(43);
const [issuer, serial, reason] = [null, null, null];
const entry: Row = {
  bank: '*',
  issuer,
  serial,
  spki_sha256: spkiSha256,
  reason,
  denied_by: 'staff',
  denied_at: new Date(),
};

/** A process that is starting: its readings of the list end when the test says, and a notice comes when the test says. */
function process() {
  const readings: PromiseWithResolvers<readonly Row[]>[] = [];
  const query = (): Promise<readonly Row[]> => {
    const reading = Promise.withResolvers<readonly Row[]>();
    readings.push(reading);
    return reading.promise;
  };
  let inForce: readonly DeniedCertificate[] = [];
  let hear: () => void = () => undefined;
  const denials = openDenials({
    database: { query, transaction: (work) => work({ query }) },
    audit: createRecordingAudit(),
    clock: { now: () => new Date() },
    log: createLog({ level: 'silent' }),
    trust: { replaceDenied: (_bank, denied) => (inForce = denied) },
    sharing: { announce: async () => undefined, on: (_what, heard) => (hear = heard) },
    schemes: [{ id: 'gobank', bank: 'gobank' }],
  });
  return { denials, readings, inForce: () => inForce, notice: () => hear() };
}

test('a denial that is told while a process reads the list at its start is in force there', async () => {
  const { denials, readings, inForce, notice } = process();
  notice();
  readings[1]?.resolve([entry]);
  readings[0]?.resolve([]);
  await denials;
  assert.deepEqual(inForce(), [{ spkiSha256 }]);
});

test('a reading of the list that began before a denial and ends after it does not take it out of force', async () => {
  const { denials, readings, inForce, notice } = process();
  readings[0]?.resolve([]);
  const { refresh } = await denials;
  const early = refresh();
  notice();
  readings[2]?.resolve([entry]);
  readings[1]?.resolve([]);
  await early;
  assert.deepEqual(inForce(), [{ spkiSha256 }]);
});
