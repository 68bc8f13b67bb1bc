import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const LIMIT = 60;

let platform: TestPlatform;
let party: ThirdParty;
let other: ThirdParty;
let client: Registered;
let another: Registered;
let stopped: Date | undefined;

before(async () => {
  platform = await startPlatform({
    clock: { now: () => stopped ?? new Date() },
    banks: [{ id: 'gobank', name: 'Go Bank' }],
    limits: { oauthRequestsPerMinute: LIMIT, failedSignInsPerSource: 7 },
  });
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  other = await platform.thirdParty('tpp-b', ['AISP', 'PISP']);
  client = await party.register('gobank');
  another = await other.register('gobank');
});

after(() => platform.close());

test('more requests a minute than one certificate may: 429 with Retry-After at every such endpoint, others are served', async () => {
  // The limit counts by the minute: none begins meanwhile.
  stopped = new Date();
  const statuses: number[] = [];
  for (let round = 0; round < LIMIT + 1; round += 1) statuses.push((await party.introspect(client, 'nothing')).status);
  const answers = [
    await party.clientToken(client, 'payments.create'),
    (await party.push(client)).answer,
    await party.introspect(client, 'nothing'),
  ];
  assert.deepEqual(new Set(statuses), new Set([200, 429]));
  for (const answer of answers) {
    assert.equal(answer.status, 429);
    assert.equal(answer.json().error, 'rate_limited');
    const wait = Number(answer.headers['retry-after']);
    assert.ok(wait >= 1 && wait <= 60);
  }
  assert.equal((await other.clientToken(another, 'payments.create')).status, 200);
  stopped = undefined;
  await platform.rooms.audit.flush();
  const records = await platform.rooms.audit.search({ bank: 'gobank', limit: 50 });
  assert.ok(records.some(({ reason }) => reason === 'rate_limited'));
});
