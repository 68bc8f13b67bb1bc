import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, consentOf, passes, refusalOf } from '../../../test/support/gateway.ts';
import { consentPermission } from './consent-permission.ts';

for (const scopes of [[], ['payments.create'], ['accounts.read'], ['account']])
  test(`N-186 a consent to ${JSON.stringify(scopes)} does not cover accounts, whatever the token says`, async () => {
    const refusal = await refusalOf(consentPermission, callOf({ evidence: { consent: consentOf({ scopes }) } }));
    assert.equal(refusal.code, 'permission_missing');
    assert.equal(refusal.status, 403);
  });

test('a consent to the scope passes', () => passes(consentPermission, callOf({ evidence: { consent: consentOf() } })));
