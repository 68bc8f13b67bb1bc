import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';

test('durations are shown in seconds, summed up by bucket, one series for each set of labels', async () => {
  const metrics = createMetrics();
  const observe = metrics.duration({ name: 'work_seconds', help: 'Time of work.', labels: ['kind'] });
  for (const milliseconds of [1, 2, 40_000]) observe(milliseconds, { kind: 'a' });
  observe(1, { kind: 'b' });
  const text = await metrics.text();
  assert.match(text, /^# TYPE work_seconds histogram$/m);
  assert.match(text, /^work_seconds_bucket\{le="0\.001",kind="a"\} 1$/m);
  assert.match(text, /^work_seconds_bucket\{le="0\.0025",kind="a"\} 2$/m);
  assert.match(text, /^work_seconds_bucket\{le="30",kind="a"\} 2$/m);
  assert.match(text, /^work_seconds_bucket\{le="\+Inf",kind="a"\} 3$/m);
  assert.match(text, /^work_seconds_sum\{kind="a"\} 40\.003$/m);
  assert.match(text, /^work_seconds_count\{kind="a"\} 3$/m);
  assert.match(text, /^work_seconds_count\{kind="b"\} 1$/m);
  assert.match(text, /^process_cpu_seconds_total/m);
  assert.ok(text.endsWith('\n'));
});

test('a label cannot end its value, and labels that grow without end stop being counted', async () => {
  const metrics = createMetrics();
  const observe = metrics.duration({ name: 'work_seconds', help: 'Time of work.', labels: ['kind'] });
  observe(1, { kind: 'a"} 1\nx{y="\\' });
  for (let index = 0; index < 3_000; index += 1) observe(1, { kind: String(index) });
  const text = await metrics.text();
  assert.ok(text.includes('work_seconds_count{kind="a\\"} 1\\nx{y=\\"\\\\"} 1\n'));
  assert.equal(text.match(/^work_seconds_count/gm)?.length, 2_000);
});
