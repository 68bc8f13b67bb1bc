import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRoute, portalRoutes } from './routes.ts';

test('N-229 every page has a guard and something to answer', () => {
  for (const route of portalRoutes) {
    assert.ok(route.guard === 'public' || route.guard === 'customer');
    assert.ok(route.get !== undefined || route.post !== undefined);
  }
});

test('CLD-47 what changes something has a page of its own that is asked for first', () => {
  for (const route of portalRoutes.filter(({ post }) => post !== undefined)) assert.ok(route.get !== undefined);
});

test('addresses lead to one page, whatever stands in them', () => {
  assert.equal(findRoute('/consents')?.route.format, 'page');
  assert.equal(findRoute('/consents.json')?.route.format, 'json');
  assert.equal(findRoute('/consents/a%2Fb')?.id, 'a/b');
  assert.equal(findRoute('/consents/x/stop')?.id, 'x');
  for (const path of [
    '',
    '/consentsxjson',
    '/consents/',
    '/consents/x/',
    '/consents/x/stop/',
    '/Consents',
    '//consents',
  ])
    assert.equal(findRoute(path), undefined, path);
});
