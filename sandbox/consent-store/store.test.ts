import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { startCallbacks } from './callbacks.ts';
import type { Consent, Step } from './consent.ts';
import { type Ledger, openLedger } from './ledger.ts';

const START = Date.UTC(2026, 0, 1, 10);
const DAY_MS = 86_400_000;
const authority = createAuthority('Callback CA');
let directory: string;
let file: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'consent-store-'));
  file = join(directory, 'own', 'consents.sqlite');
});
after(() => rm(directory, { recursive: true, force: true }));

function consent(id: string, changes: Partial<Consent> = {}): Consent {
  return {
    id,
    participant: 'financroo',
    client: 'client-1',
    customer: 'customer-1',
    state: 'Awaiting',
    scopes: ['accounts'],
    accounts: [],
    authorizationDetails: [],
    attributes: {},
    createdAt: START,
    changedAt: START,
    expiresAt: START + DAY_MS,
    lastUsedAt: null,
    version: 1,
    ...changes,
  };
}

const step: Step = { at: START, action: 'create', state: 'Awaiting', actor: { kind: 'system', reference: 'test' } };

function insert(ledger: Ledger, ...consents: readonly Consent[]): void {
  for (const one of consents) assert.ok(ledger.insert(one, step, { key: `key-${one.id}`, digest: 'digest' }));
}

test('what was kept is there after a restart: consents, keys, steps and call-backs that did not arrive', () => {
  const first = openLedger(file);
  insert(first, consent('one'));
  const revoked = { ...consent('one'), state: 'Revoked', version: 2 } as const;
  assert.ok(first.replace(revoked, { ...step, action: 'revoke', state: 'Revoked' }, true));
  first.close();
  const second = openLedger(file);
  assert.deepEqual(second.find('one'), revoked);
  assert.deepEqual(second.findKey('key-one'), { digest: 'digest', consent: 'one' });
  assert.deepEqual(
    second.steps('one').map(({ action }) => action),
    ['create', 'revoke'],
  );
  assert.deepEqual(second.dueCallbacks(START), [{ consent: 'one', attempts: 0 }]);
  second.close();
});

test('of two changes of one version, one is written', () => {
  const ledger = openLedger(undefined);
  insert(ledger, consent('one'));
  const next = (state: Consent['state']) => ledger.replace({ ...consent('one'), state, version: 2 }, step, false);
  assert.deepEqual([next('Revoked'), next('Authorised')], [true, false]);
  assert.equal(ledger.find('one')?.state, 'Revoked');
  assert.equal(ledger.insert(consent('one'), step, { key: 'another', digest: 'd' }), false);
  ledger.close();
});

test('CLD-53 whatever narrows a list, it is found through an index and never sorted', () => {
  const ledger = openLedger(undefined);
  const base = { limit: 100 } as const;
  const filters = [
    base,
    { ...base, customer: 'customer-1' },
    { ...base, participant: 'financroo' },
    { ...base, client: 'client-1', after: { createdAt: START, id: 'one' } },
    { ...base, customer: 'customer-1', state: 'Authorised' },
    { ...base, createdFrom: START, createdTo: START },
  ] as const;
  for (const filter of filters) {
    const plan = ledger.explainList(filter, START).join('; ');
    assert.match(plan, /USING INDEX/);
    assert.doesNotMatch(plan, /TEMP B-TREE/);
  }
  ledger.close();
});

interface Platform {
  readonly url: string;
  readonly heard: string[];
  status: number;
  readonly server: Server;
}

async function openPlatform(): Promise<Platform> {
  const identity = authority.issueServer();
  const heard: string[] = [];
  const server = createServer({ cert: identity.chainPem, key: identity.keyPem }, async (request, response) => {
    heard.push(Buffer.concat(await request.toArray()).toString());
    response.writeHead(platform.status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const platform: Platform = {
    url: `https://localhost:${port}/hyperscale/consent-changed`,
    heard,
    status: 503,
    server,
  };
  return platform;
}

test('CLD-50 a call-back is told until the platform has heard, each time after a longer wait, and never again', async (t) => {
  const platform = await openPlatform();
  t.after(() => platform.server.close());
  const ledger = openLedger(undefined);
  const identity = authority.issue();
  const target = {
    url: platform.url,
    certificate: identity.chainPem,
    key: identity.keyPem,
    authority: authority.certificatePem,
  };
  let now = START;
  const callbacks = startCallbacks(
    ledger,
    target,
    () => now,
    () => false,
  );
  insert(ledger, consent('one'));
  ledger.replace({ ...consent('one'), state: 'Revoked', version: 2 }, step, true);
  await callbacks.tell();
  assert.deepEqual(platform.heard, ['{"id":"one"}']);
  await callbacks.tell();
  assert.equal(platform.heard.length, 1, 'not before its time');
  for (const [wait, heard] of [
    [1_000, 2],
    [1_999, 2],
    [1, 3],
  ] as const) {
    now += wait;
    await callbacks.tell();
    assert.equal(platform.heard.length, heard);
  }
  platform.status = 204;
  now += 60_000;
  await callbacks.tell();
  now += DAY_MS;
  await callbacks.tell();
  assert.equal(platform.heard.length, 4);
  assert.deepEqual(ledger.dueCallbacks(now), []);
  await callbacks.close();
  ledger.close();
});

test('a platform that is not there loses no call-back', async () => {
  const platform = await openPlatform();
  await new Promise((resolve) => platform.server.close(resolve));
  const ledger = openLedger(undefined);
  const target = { url: platform.url, certificate: '', key: '', authority: authority.certificatePem };
  const identity = authority.issue();
  const callbacks = startCallbacks(
    ledger,
    { ...target, certificate: identity.chainPem, key: identity.keyPem },
    () => START,
    () => false,
  );
  insert(ledger, consent('one'));
  ledger.replace({ ...consent('one'), state: 'Revoked', version: 2 }, step, true);
  await callbacks.tell();
  assert.deepEqual(ledger.dueCallbacks(START + 1_000), [{ consent: 'one', attempts: 1 }]);
  await callbacks.close();
  ledger.close();
});
