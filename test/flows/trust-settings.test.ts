import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BankSettings, Settings } from '../../src/main/settings.ts';
import { openTrust, warnOfTrust } from '../../src/main/trust.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { type Authority, createAuthority } from '../support/certificates.ts';
import { startPlatform } from '../support/platform.ts';

let directory: string;
let authority: Authority;
let settings: Settings;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trust-flow-'));
  authority = createAuthority('Test Root');
  await writeFile(join(directory, 'root.pem'), authority.certificatePem);
  const platform = await startPlatform({ banks: [{ id: 'gobank' }] });
  ({ settings } = platform);
  await platform.close();
});
after(() => rm(directory, { recursive: true, force: true }));

async function opened(trust: Partial<BankSettings['trust']>) {
  const [bank] = settings.banks;
  assert.ok(bank !== undefined);
  const own = { ...bank, trust: { anchors: [join(directory, 'root.pem')], ...trust } };
  const metrics = createMetrics();
  const warnings: unknown[] = [];
  const note = (...line: unknown[]) => void warnings.push(line);
  const log = { debug: note, info: note, warn: note, error: note };
  warnOfTrust({ ...settings, banks: [own] }, log);
  const { trust: room } = await openTrust({ ...settings, banks: [own] }, { clock: systemClock, metrics, log });
  return { room, metrics, warnings };
}

test('WSO-07 without a word about revocation a certificate without any source of it is refused, and counted', async () => {
  const { room, metrics, warnings } = await opened({});
  const verdict = await room.judge(authority.issue({ commonName: 'tpp' }).chain, 'gobank');
  assert.equal(verdict.ok ? 'ok' : verdict.reason, 'revocation_info_missing');
  assert.deepEqual(warnings, []);
  const line = /^portcullis_certificate_verdicts_total\{bank="gobank",outcome="revocation_info_missing"\} 1$/m;
  assert.match(await metrics.text(), line);
  await room.close();
});

test('WSO-07 revocation off: accepted, with a warning at the start', async () => {
  const { room, metrics, warnings } = await opened({ revocation: 'off' });
  assert.equal((await room.judge(authority.issue({ commonName: 'tpp' }).chain, 'gobank')).ok, true);
  assert.match(JSON.stringify(warnings), /gobank.*revocation is off/);
  assert.match(await metrics.text(), /^portcullis_certificate_verdicts_total\{bank="gobank",outcome="ok"\} 1$/m);
  await room.close();
});

test('a bank that asks for roles, and one with a deny list, are obeyed', async () => {
  const plain = authority.issue({ commonName: 'tpp' });
  const asking = await opened({ revocation: 'off', rolesRequired: true });
  assert.equal((await asking.room.judge(plain.chain, 'gobank')).ok, false);
  await asking.room.close();
  const denying = await opened({
    revocation: 'off',
    denied: [{ issuer: 'CN=Test Root', serial: plain.serial.toString(16) }],
  });
  assert.equal((await denying.room.judge(plain.chain, 'gobank')).ok, false);
  await denying.room.close();
  await assert.rejects(opened({ denied: [{ issuer: 'no name', serial: 'xyz' }] }), /denied 1/);
});
