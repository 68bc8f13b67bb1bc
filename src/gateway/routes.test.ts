import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bankOf, createWorld, roomsOf } from '../../test/support/gateway.ts';
import { createGateway } from './gateway.ts';
import type { Route } from './route.ts';
import { createRouteTable } from './routes.ts';

const good: Route = {
  method: 'GET',
  path: '/things',
  scope: 'accounts',
  token: 'customer',
  consent: true,
  action: 'forward',
};

/** Opens a gateway for a bank with these routes, which may be anything, as a configuration may be. */
function start(...routes: readonly object[]): void {
  const bank = bankOf();
  const regime = Object.assign({}, bank.regime, { routes });
  createGateway({ ...roomsOf(createWorld()), banks: [{ ...bank, regime }] });
}

test('LAB-21 a route that names an unknown scope: the start is refused, naming bank, route and scope', () => {
  assert.throws(() => start({ ...good, scope: 'acounts' }), /bank gobank, route GET \/things: unknown scope "acounts"/);
  assert.throws(() => start({ ...good, scope: 'constructor' }), /unknown scope/);
});

for (const [what, route] of [
  ['no kind of token', { ...good, token: undefined }],
  ['an unknown kind of token', { ...good, token: 'anybody' }],
  ['no scope', { ...good, scope: undefined }],
  ['an empty scope', { ...good, scope: '' }],
  ['no action', { ...good, action: undefined }],
  ['an unknown action', { ...good, action: 'ignore' }],
  ['an unknown method', { ...good, method: 'HEAD' }],
  ['a path without slash', { ...good, path: 'things' }],
  ['a path with a dot segment that cannot be reached', { ...good, path: '/things/' }],
  ['an account without consent', { ...good, path: '/accounts/{account}', consent: false }],
  ["a consent of a participant's token", { ...good, token: 'participant' }],
  ['tokenisation without consent', { ...good, method: 'POST', action: 'tokenize', consent: false }],
  ['tokenisation by GET', { ...good, action: 'tokenize' }],
  ['a payment that asks for a consent in the token', { ...good, method: 'POST', action: 'pay' }],
  [
    'a payment with a path parameter',
    { ...good, method: 'POST', action: 'pay', consent: false, path: '/payments/{id}' },
  ],
] as const)
  test(`a route with ${what} is refused at construction`, () => {
    assert.throws(() => start(route), /bank gobank, route/);
  });

test('two routes with one method and shape are refused at construction', () => {
  assert.throws(() => start(good, good), /another route has the same method and path/);
  const one = { ...good, path: '/accounts/{account}' };
  assert.throws(() => start(one, { ...good, path: '/accounts/{other}' }), /another route has the same/);
});

test('a good route is taken', () => start(good));

test('a literal path wins over a parameter', () => {
  const regime = {
    ...bankOf().regime,
    routes: [
      { ...good, path: '/things/{thing}' },
      { ...good, path: '/things/summary' },
    ],
  };
  const table = createRouteTable(bankOf({ regime }));
  assert.equal(table.match('GET', '/things/summary').route.name, 'GET /things/summary');
  assert.deepEqual(table.match('GET', '/things/other').parameters, { thing: 'other' });
  assert.throws(() => table.match('GET', '/things/a%20b'), { code: 'not_found' });
});

test('a path parameter is decoded once for the checks and spelt one way for the bank', () => {
  const table = createRouteTable(bankOf());
  for (const spelt of ['acc-1', 'acc%2D1', '%61cc-1']) {
    const match = table.match('GET', `/accounts/${spelt}/balances`);
    assert.equal(match.parameters.account, 'acc-1');
    assert.equal(match.path, '/accounts/acc-1/balances');
  }
  const match = table.match('GET', '/accounts/DE02:1@x/balances');
  assert.equal(match.parameters.account, 'DE02:1@x');
  assert.equal(match.path, '/accounts/DE02%3A1%40x/balances');
});
