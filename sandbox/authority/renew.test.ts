import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { placesOf } from '../places.ts';
import { participantCommand } from './participant.ts';
import { renewalOf } from './renew.ts';
import { revocationOf } from './revoke.ts';

test('revoke: what cannot be meant is refused with a sentence', () => {
  assert.throws(() => revocationOf([]), /one name, please: npm run participant -- revoke/);
  assert.throws(() => revocationOf(['one', 'other']), /one name, please/);
  assert.throws(
    () => revocationOf(['one', '--reason', 'certificateHold']),
    /--reason takes one of unspecified, keyComp/,
  );
  assert.throws(() => revocationOf(['one', '--reason', 'toString']), /--reason takes/);
  assert.throws(() => revocationOf(['one', '--force']), /--force/);
  assert.deepEqual(revocationOf(['one']), { name: 'one', reason: 'unspecified', seal: false });
});

test('renew: what cannot be meant is refused with a sentence', () => {
  assert.throws(() => renewalOf([]), /one name, please: npm run participant -- renew/);
  assert.throws(() => renewalOf(['one', '--replace', '--overlap', '60']), /--replace ends/);
  for (const overlap of ['0', 'x', '1.5', '99999999']) {
    assert.throws(() => renewalOf(['one', '--overlap', overlap]), /--overlap takes/, overlap);
  }
  assert.deepEqual(renewalOf(['one']), { name: 'one', overlapSeconds: 86_400, replace: false, newKey: false });
  assert.deepEqual(renewalOf(['one', '--replace']), { name: 'one', overlapSeconds: 0, replace: true, newKey: false });
});

test('revoke and renew where no sandbox runs say so, and make nothing', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'portcullis-renew-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const verb of ['revoke', 'renew']) {
    const outcome = participantCommand(placesOf(root), [verb, 'financroo'], new Date());
    await assert.rejects(outcome, /the sandbox does not run here: npm start .*nothing was changed/);
  }
  assert.deepEqual(await readdir(root), []);
});
