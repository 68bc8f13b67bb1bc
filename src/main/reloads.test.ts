import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createLog } from '../platform/log.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createReloads } from './reloads.ts';

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'portcullis-reloads-'));
});
after(() => rm(directory, { recursive: true, force: true }));

async function followed(name: string) {
  const path = join(directory, name);
  await writeFile(path, 'one');
  const lines: string[] = [];
  const metrics = createMetrics();
  const write = (level: string) => (_details: unknown, message: string) => void lines.push(`${level} ${message}`);
  const log = { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
  const reloads = createReloads({ log, metrics });
  const { contents, whenChanged } = await reloads.follow({ kind: 'anchors', name, paths: [path] });
  assert.deepEqual(contents, ['one']);
  const applied: string[] = [];
  whenChanged(([content = '']) => {
    if (content.startsWith('broken')) throw new Error(`it is ${content}`);
    applied.push(content);
  });
  return { path, reloads, applied, lines, metrics };
}

test('a file that did not change, or was only touched, is not taken over again', async () => {
  const { path, reloads, applied, lines } = await followed('same');
  await reloads.check();
  await writeFile(path, 'one');
  await reloads.check();
  assert.deepEqual([applied, lines], [[], []]);
  assert.deepEqual(await reloads.reload(), { lines: ['same: read again'], ok: true });
  assert.deepEqual(applied, ['one']);
});

test('what was read again while a process was still starting is taken over with the next look', async () => {
  const path = join(directory, 'starting');
  await writeFile(path, 'one');
  const reloads = createReloads({ log: createLog({ level: 'silent' }), metrics: createMetrics() });
  const { contents, whenChanged } = await reloads.follow({ kind: 'anchors', name: 'starting', paths: [path] });
  await writeFile(path, 'two');
  await reloads.reload();
  const applied: string[] = [];
  whenChanged(([content = '']) => void applied.push(content));
  await reloads.check();
  await reloads.check();
  assert.deepEqual([contents, applied], [['one'], ['two']]);
});

test('a change is taken over once, also when another file takes the place', async () => {
  const { path, reloads, applied } = await followed('changed');
  await writeFile(path, 'two');
  await Promise.all([reloads.check(), reloads.check()]);
  await writeFile(`${path}.new`, 'six');
  await rename(`${path}.new`, path);
  await reloads.check();
  assert.deepEqual(applied, ['two', 'six']);
});

test('a broken or absent file is reported once, and the next sound one is taken over', async () => {
  const { path, reloads, applied, lines, metrics } = await followed('broken');
  await writeFile(path, 'broken one');
  await reloads.check();
  await reloads.check();
  assert.equal(lines.length, 1);
  assert.match(String(lines[0]), /^error .*the former ones stay in force/);
  await rm(path);
  await reloads.check();
  await reloads.check();
  assert.equal(lines.length, 2);
  const told = await reloads.reload();
  assert.equal(told.ok, false);
  assert.match(told.lines.join(), /broken: kept, ENOENT/);
  await writeFile(path, 'two');
  await reloads.check();
  assert.deepEqual(applied, ['two']);
  const text = await metrics.text();
  assert.match(text, /portcullis_reloads_total\{kind="anchors",outcome="failed"\} 3/);
  assert.match(text, /portcullis_reloads_total\{kind="anchors",outcome="reloaded"\} 1/);
});
