import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { generic } from '../../regimes/generic/index.ts';
import type { Route } from '../route.ts';
import { type Column, checksFor, table } from './index.ts';

const checks = table.map(({ check }) => check);

const idsOf = (route: Route) => checksFor(route).map(({ id }) => id);
const always = [
  'certificate-trusted',
  'certificate-role',
  'token-present',
  'token-active',
  'token-bound',
  'client-known',
  'certificate-enrolled',
  'participant-active',
  'certificate-organisation',
  'participant-registered',
  'participant-role',
  'token-audience',
  'token-scope',
  'rate-limit',
  'body-size',
  'trail-writable',
];

test('every check is one file with a refusal test beside it, and every file is a row', async () => {
  const names = await readdir(import.meta.dirname);
  const files = names
    .filter((name) => !name.endsWith('.test.ts') && name !== 'index.ts')
    .map((name) => name.slice(0, -3));
  assert.deepEqual(files.sort(), checks.map(({ id }) => id).sort());
  for (const { id } of checks) assert.ok(names.includes(`${id}.test.ts`), `${id} has no test`);
});

test('every check names its clause and has an id of its own', () => {
  assert.equal(new Set(checks.map(({ id }) => id)).size, checks.length);
  for (const { id, clause } of checks) assert.match(clause, /acceptance\.md §1\.3 \(\d+\)/, id);
});

test('the order is that of acceptance.md §1.3', () => {
  const steps = checks.map(({ clause }) => Number(/§1\.3 \((\d+)\)/.exec(clause)?.[1]));
  assert.deepEqual(
    steps,
    steps.toSorted((one, other) => one - other),
  );
});

for (const kind of ['customer', 'participant', 'any'] as const)
  test(`N-24 every route for a ${kind} token passes the mandatory rows`, () => {
    const ids = idsOf({ method: 'GET', path: '/x', scope: 's', token: kind, consent: false, action: 'forward' });
    for (const id of always) assert.ok(ids.includes(id), `${id} does not guard ${kind}`);
    assert.equal(ids.includes('token-kind'), kind !== 'any');
    assert.equal(ids.at(-1), 'trail-writable');
  });

test('WSN-43 N-190 a route with consent asks for it, and for the account it names', () => {
  for (const route of generic.routes) {
    const ids = idsOf(route);
    for (const id of ['consent-found', 'consent-owner', 'consent-authorised', 'consent-permission'])
      assert.equal(ids.includes(id), route.consent, `${id} at ${route.path}`);
    assert.equal(ids.includes('account-in-consent'), route.path.includes('{account}') || route.action === 'tokenize');
    assert.equal(ids.includes('payment-body'), route.action === 'pay');
  }
});

test('no row guards nothing', () => {
  const columns: readonly Column[] = [
    'customer',
    'participant',
    'any',
    'consent',
    'account',
    'forward',
    'tokenize',
    'pay',
  ];
  for (const { check, guards } of table)
    assert.ok(guards.length > 0 && guards.every((column) => columns.includes(column)), check.id);
});
