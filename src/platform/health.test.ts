import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openDoor } from './door.ts';
import { createFetcher } from './fetch.ts';
import { type HealthCheck, healthHandler } from './health.ts';
import { createMetrics } from './metrics.ts';

async function open(context: TestContext, checks: Record<string, HealthCheck>) {
  const metrics = createMetrics();
  const handler = healthHandler({ checks: new Map(Object.entries(checks)), metrics, checkTimeoutMs: 30 });
  const door = await openDoor({ name: 'operators', host: '127.0.0.1', port: 0, authorities: ['127.0.0.1:0'], handler });
  const fetcher = createFetcher({ allowPrivateAddresses: true, allowPlainHttp: true });
  context.after(async () => {
    await fetcher.close();
    await door.close();
  });
  const ask = async (path: string, method = 'GET') => {
    const { status, headers, body } = await fetcher.request({ method, url: `${door.origin}${path}` });
    return { status, type: headers['content-type'], text: new TextDecoder().decode(body) };
  };
  return { ask, metrics };
}

test('not ready names what fails: false, an error, or no answer in time', async (context) => {
  const { ask } = await open(context, {
    database: async () => true,
    migrations: async () => false,
    keys: () => Promise.reject(new Error('no keys')),
    audit: () => {
      throw new Error('full');
    },
    bank: () => new Promise(() => undefined),
  });
  const { status, text } = await ask('/health/ready');
  assert.equal(status, 503);
  assert.deepEqual(JSON.parse(text), { status: 'not ready', failing: ['migrations', 'keys', 'audit', 'bank'] });
  assert.equal((await ask('/health/live')).status, 200);
});

test('ready when every check passes', async (context) => {
  const { ask } = await open(context, { database: async () => true });
  assert.deepEqual(await ask('/health/ready?x=1').then(({ status, text }) => [status, text]), [
    200,
    '{"status":"ready"}',
  ]);
});

test('other paths and methods lead nowhere', async (context) => {
  const { ask } = await open(context, {});
  assert.equal((await ask('/health')).status, 404);
  assert.equal((await ask('/')).status, 404);
  assert.equal((await ask('/metrics', 'POST')).status, 405);
});

test('/metrics shows what was counted and measured', async (context) => {
  const { ask, metrics } = await open(context, {});
  const count = metrics.counter({ name: 'calls_total', help: 'Calls.', labels: ['outcome'] });
  const measure = metrics.duration({ name: 'call_seconds', help: 'Time.', labels: ['outcome'] });
  let doors = 3;
  metrics.gauge({ name: 'open_doors', help: 'Doors.' }, () => doors);
  count({ outcome: 'refused' });
  count({ outcome: 'refused' });
  measure(20, { outcome: 'refused' });
  doors = 4;
  const { status, type, text } = await ask('/metrics');
  assert.equal(status, 200);
  assert.match(type ?? '', /^text\/plain/);
  assert.match(text, /^calls_total\{outcome="refused"\} 2$/m);
  assert.match(text, /^call_seconds_sum\{outcome="refused"\} 0\.02$/m);
  assert.match(text, /^call_seconds_bucket\{le="0\.01",outcome="refused"\} 0$/m);
  assert.match(text, /^open_doors 4$/m);
  assert.match(text, /^process_resident_memory_bytes /m);
});

test('a label that was not declared is refused', () => {
  const count = createMetrics().counter({ name: 'calls_total', help: 'Calls.', labels: ['outcome'] });
  assert.throws(() => count({ participant: 'one of many' }));
});
