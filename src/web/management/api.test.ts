import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MANAGEMENT_SCOPES } from '../../authorization/index.ts';
import { Refusal } from '../../platform/refusal.ts';
import { guardedRoutes } from './api.ts';
import { challengeOf, refusalOf } from './errors.ts';
import { managementOpenApi } from './openapi.ts';
import { managementOperations } from './table.ts';

test('N-229 a route that says nothing of who may use it cannot be registered', () => {
  const handler = async () => undefined;
  assert.throws(() => guardedRoutes({ method: 'GET', url: '/open', handler }), /GET \/open declares no guard/);
  assert.throws(() => guardedRoutes({ method: 'GET', url: '/open', handler, config: {} }), /no guard/);
  const routes = guardedRoutes({ method: ['GET', 'PUT'], url: '/x', handler, config: { guard: 'public' } });
  assert.deepEqual(
    routes.map(({ method, guard }) => [method, guard]),
    [
      ['GET', 'public'],
      ['PUT', 'public'],
    ],
  );
});

test('N-234 every operation has one known scope, its bank in the path, and an id of its own', () => {
  const ids = managementOperations.map(({ description }) => description.id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { description } of managementOperations) {
    assert.ok(MANAGEMENT_SCOPES.includes(description.scope), description.id);
    assert.ok(description.path.startsWith('/{bank}/'), description.path);
  }
});

test('N-240 every operation that changes something needs a reason', () => {
  const changing = managementOperations.filter(({ description }) => description.method !== 'GET');
  assert.ok(changing.length >= 11);
  for (const { description } of changing) {
    const body: unknown = JSON.parse(JSON.stringify(description.body));
    assert.ok(typeof body === 'object' && body !== null && 'required' in body && Array.isArray(body.required));
    assert.ok(body.required.includes('reason'), description.id);
  }
});

test('a defect tells nothing, a refusal keeps its words, a framework’s error gets ours', () => {
  const defect = refusalOf(new Error('password=hunter2'));
  assert.deepEqual([defect.code, defect.status], ['internal_error', 500]);
  assert.ok(!defect.message.includes('hunter2'));
  const own = new Refusal('consent_missing', 404, 'There is none.');
  assert.equal(refusalOf(own), own);
  assert.equal(refusalOf({ code: 'FST_ERR_CTP_BODY_TOO_LARGE', statusCode: 413 }).code, 'body_too_large');
  assert.equal(refusalOf({ code: 'FST_ERR_NEW', statusCode: 400 }).code, 'request_malformed');
  assert.equal(refusalOf(undefined).status, 500);
  const strange = { keyword: 'additionalProperties', instancePath: '', params: { additionalProperty: '<b>\u0000' } };
  const shown = refusalOf({ validation: [strange], validationContext: 'body' });
  assert.deepEqual([shown.code, shown.message], ['field_invalid', 'body: (unprintable) is not known here.']);
});

test('RFC 6750 §3 the challenge names the scope, or what is wrong with the token', () => {
  assert.equal(
    challengeOf(new Refusal('insufficient_scope', 403, ''), 'management.audit'),
    'Bearer error="insufficient_scope", scope="management.audit"',
  );
  assert.equal(challengeOf(new Refusal('token_revoked', 401, ''), undefined), 'Bearer error="invalid_token"');
  assert.equal(challengeOf(new Refusal('token_missing', 401, ''), undefined), 'Bearer realm="management"');
  assert.equal(challengeOf(new Refusal('role_missing', 403, ''), undefined), undefined);
});

test('the document’s references all lead somewhere', () => {
  const text = JSON.stringify(managementOpenApi('https://localhost:8086'));
  const { components } = JSON.parse(text);
  const named = [...text.matchAll(/"#\/components\/schemas\/([A-Za-z]+)"/g)].map(([, name = '']) => name);
  assert.ok(named.length > 20);
  for (const name of new Set(named)) assert.ok(Object.hasOwn(components.schemas, name), name);
});
