import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { createAuthority } from '../support/certificates.ts';
import { type ConsentService, startConsentService } from '../support/consent-service.ts';
import { call, type Received } from '../support/http.ts';

const FILE = new URL('../../docs/integrate/consent-store.openapi.yaml', import.meta.url);
const ACTOR = { kind: 'system', reference: 'openapi-test' };
const ajv = new Ajv2020({ strict: false });
let paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
let service: ConsentService;
let agent: Agent;

before(async () => {
  const document = parse(await readFile(FILE, 'utf8'));
  paths = document.paths;
  ajv.addSchema(document, 'contract');
  service = await startConsentService(createAuthority('Consent CA'));
  const { platform, authority } = service;
  agent = new Agent({ ca: authority.certificatePem, cert: platform.chainPem, key: platform.keyPem });
});
after(async () => {
  agent.destroy();
  await service.close();
});

function fits(name: string, value: unknown): boolean {
  return ajv.validate({ $ref: `contract#/components/schemas/${name}` }, value);
}

function assertFits(name: string, answer: Received): void {
  assert.ok(fits(name, answer.json()), `${name}: ${ajv.errorsText()} ${answer.text}`);
}

const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(`${service.store.origin}${path}`, {
    method,
    agent,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

test('CLD-50 the description names every call that the store answers, and no other', async () => {
  for (const [path, operations] of Object.entries(paths)) {
    const real = path.replace('{id}', 'unknown');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const { status } = await send(method, real, method === 'GET' ? undefined : {});
      assert.equal(status === 405, !(method.toLowerCase() in operations), `${method} ${path}: ${status}`);
    }
  }
});

test('CLD-51 what goes back and forth is what the description says', async () => {
  const wanted = {
    id: 'openapi-1',
    participant: 'financroo',
    client: 'client-1',
    customer: null,
    scopes: ['accounts'],
    authorizationDetails: [],
    attributes: { branch: 'Northgate' },
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
    actor: ACTOR,
  };
  assert.ok(fits('NewConsent', wanted), ajv.errorsText());
  assert.ok(!fits('NewConsent', { ...wanted, unknown: 1 }) && !fits('NewConsent', { ...wanted, id: '' }));
  const made = await send('POST', '/consents', wanted, { 'idempotency-key': 'openapi-test-key-1' });
  assertFits('Consent', made);
  const change = { state: 'Authorised', actor: ACTOR, customer: 'customer-1', scopes: ['accounts'], accounts: ['a'] };
  assert.ok(!fits('Change', change), 'an agreement has an end');
  assert.ok(!fits('Change', { state: 'Revoked', actor: ACTOR, accounts: [] }), 'a revocation brings nothing along');
  const whole = { ...change, expiresAt: wanted.expiresAt };
  assert.ok(fits('Change', whole), ajv.errorsText());
  assertFits(
    'Consent',
    await send('PUT', '/consents/openapi-1/status', whole, { 'if-match': made.headers.etag ?? '' }),
  );
  const uses = { uses: [{ id: 'openapi-1', at: wanted.expiresAt }] };
  assert.ok(fits('Uses', uses));
  assert.equal((await send('POST', '/uses', uses)).status, 204);
  assertFits('Consents', await send('GET', '/consents'));
  assertFits('History', await send('GET', '/consents/openapi-1/history'));
  for (const path of ['/consents/unknown', '/unknown', '/consents?limit=x'])
    assertFits('Refusal', await send('GET', path));
});
