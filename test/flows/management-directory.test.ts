import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { connect } from '../support/journey.ts';
import { type BankService, bankService, listOf, refuses, why } from '../support/management.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

const SCOPES = ['management.participants', 'management.audit'] as const;

let platform: TestPlatform;
let party: ThirdParty;
let client: Registered;
let gobank: BankService;
let jwtbank: BankService;
const tokens = new Map<string, string>();

before(async () => {
  platform = await startPlatform();
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  client = await party.register('gobank');
  gobank = await bankService(platform, 'gobank');
  jwtbank = await bankService(platform, 'jwtbank');
  for (const scope of SCOPES) tokens.set(scope, await gobank.token(scope));
});

after(() => platform.close());

const as = (scope: (typeof SCOPES)[number]) => tokens.get(scope);

describe('participants', () => {
  const entry = {
    id: 'newcomer',
    name: 'Newcomer Ltd',
    registrationNumber: 'PSDXX-TEST-NEW',
    email: 'ops@newcomer.example',
    roles: ['AISP'],
    ...why,
  };
  const send = (method: string, path: string, body?: unknown, service = gobank) =>
    service.send(method, `/participants${path}`, as('management.participants'), body === undefined ? {} : { body });

  test('LAB-12 LAB-15 LAB-16 LAB-17 created pending, approved, limited, suspended, removed, with reasons', async () => {
    refuses(await send('POST', '', { ...entry, reason: undefined }), 400, 'field_missing');
    refuses(await send('POST', '', { ...entry, status: 'approved' }), 400, 'field_invalid');
    refuses(await send('POST', '', { ...entry, roles: ['KING'] }), 400, 'field_invalid');
    const created = await send('POST', '', entry);
    assert.equal(created.status, 201, created.text);
    assert.equal(created.json().status, 'pending');
    refuses(await send('POST', '', entry), 409, 'participant_exists');
    refuses(await send('POST', '/newcomer/approval', {}), 400, 'field_missing');
    const statuses: unknown[] = [];
    for (const noun of ['approval', 'suspension', 'approval']) {
      const answer = await send('POST', `/newcomer/${noun}`, why);
      assert.equal(answer.status, 200, answer.text);
      statuses.push(answer.json().status);
    }
    assert.deepEqual(statuses, ['approved', 'suspended', 'approved']);
    refuses(await send('POST', '/newcomer/rejection', why), 409, 'status_invalid');
    assert.equal(
      (await send('PUT', '/newcomer/rate-limit', { requestsPerMinute: 60, ...why })).json().requestsPerMinute,
      60,
    );
    refuses(await send('PUT', '/newcomer/rate-limit', { requestsPerMinute: '60', ...why }), 400, 'field_invalid');
    refuses(await send('PUT', '/newcomer/rate-limit', { requestsPerMinute: 0, ...why }), 400, 'field_invalid');
    assert.equal(
      (await send('PUT', '/newcomer/rate-limit', { requestsPerMinute: null, ...why })).json().requestsPerMinute,
      undefined,
    );
    assert.equal((await send('POST', '/newcomer/removal', why)).json().status, 'removed');
    refuses(await send('POST', '/newcomer/approval', why), 409, 'status_invalid');
    refuses(await send('GET', '/nobody'), 404, 'participant_unknown');
    const history = await gobank.send('GET', '/participants/newcomer/history', as('management.audit'));
    assert.equal(listOf(history.json().records).length, 7);
  });

  test('CLD-48 a participant that is removed loses its tokens at once', async () => {
    const leaving = await platform.thirdParty('leaving', ['AISP']);
    const own = await leaving.register('gobank');
    const { access } = await connect(platform, leaving, own);
    assert.equal((await leaving.api('gobank', '/accounts', access)).status, 200);
    assert.equal((await send('POST', '/leaving/removal', why)).status, 200);
    assert.ok([401, 403].includes((await leaving.api('gobank', '/accounts', access)).status));
  });

  test('lists by page and status, lists clients, and another bank may read but not change', async () => {
    const page = (await send('GET', '?limit=2')).json();
    const rest = (await send('GET', `?after=${String(page.next)}`)).json();
    const ids = [...listOf(page.participants), ...listOf(rest.participants)].map(({ id }) => String(id));
    assert.deepEqual(ids, [...ids].sort());
    assert.ok(ids.includes('tpp-a'));
    const approved = listOf((await send('GET', '?status=approved')).json().participants);
    assert.ok(approved.every(({ status }) => status === 'approved'));
    const answer = await gobank.send('GET', '/clients?participant=tpp-a', as('management.participants'));
    assert.deepEqual(
      listOf(answer.json().clients).map(({ id }) => id),
      [client.id],
    );
    assert.ok(!answer.text.includes('secret') && !answer.text.includes('jwks'));
    const token = await jwtbank.token('management.participants');
    assert.equal((await jwtbank.send('GET', '/participants/tpp-a', token)).status, 200);
    refuses(
      await jwtbank.send('POST', '/participants/tpp-a/suspension', token, { body: why }),
      403,
      'directory_read_only',
    );
    assert.equal((await platform.rooms.directory.findParticipant('tpp-a'))?.status, 'approved');
  });
});
