import assert from 'node:assert/strict';
import { test } from 'node:test';
import { regimes } from './index.ts';

test('LAB-01 an unknown market has no value', () => {
  for (const name of ['', 'Generic', 'nowhere', 'constructor']) assert.equal(regimes.get(name), undefined);
});

for (const regime of regimes.values()) {
  test(`LAB-21 ${regime.id}: every route names a scope that has words, and a role that allows it`, () => {
    for (const { path, scope } of regime.routes) {
      assert.ok(Object.hasOwn(regime.scopes, scope), `${path}: ${scope}`);
      assert.ok((regime.rolesByScope[scope] ?? []).length > 0, `${path}: nobody may use ${scope}`);
    }
  });

  test(`${regime.id}: every scope has its words in every language the first one has`, () => {
    for (const [scope, { title, items }] of Object.entries(regime.scopes)) {
      assert.deepEqual(Object.keys(title), ['en', 'de'], scope);
      assert.deepEqual(Object.keys(items), Object.keys(title), scope);
      for (const words of [...Object.values(title), ...Object.values(items).flat()])
        assert.notEqual(words.trim(), '', scope);
    }
  });

  test(`certificates.md §19 E 61 ${regime.id}: the role of an account servicing provider opens no scope, and no unknown role does`, () => {
    const roles = Object.values(regime.rolesByScope).flat();
    assert.deepEqual(
      roles.filter((role) => !['AISP', 'PISP', 'CBPII'].includes(role)),
      [],
    );
  });

  test(`WSN-17 WSN-18 WSN-19 ${regime.id}: accounts are for AISP alone, payments for PISP alone, funds for CBPII alone`, () => {
    assert.deepEqual(regime.rolesByScope.accounts, ['AISP']);
    assert.deepEqual(regime.rolesByScope['payments.create'], ['PISP']);
    assert.deepEqual(regime.rolesByScope.fundsconfirmations, ['CBPII']);
  });
}

test('the generic market has the routes of the sandbox contract', () => {
  const routes = regimes
    .get('generic')
    ?.routes.map(({ method, path, scope, token }) => `${method} ${path} ${scope} ${token}`);
  assert.deepEqual(routes, [
    'GET /accounts accounts customer',
    'GET /accounts/{account} accounts customer',
    'GET /accounts/{account}/balances accounts customer',
    'GET /accounts/{account}/transactions accounts customer',
    'GET /balances accounts customer',
    'POST /accounts/{account}/funds-confirmations fundsconfirmations customer',
    'POST /tokenize accounts customer',
    'POST /payments payments.create participant',
  ]);
});
