import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callOf, certificateOf, participantOf, passes, refusalOf, standingOf } from '../../../test/support/gateway.ts';
import { certificateOrganisation } from './certificate-organisation.ts';

const naming = (organizationIdentifier: string | undefined) =>
  callOf({
    evidence: {
      certificate: certificateOf('cert-a', { organizationIdentifier }),
      standing: standingOf({ participant: participantOf({ registrationNumber: 'PSDXX-SANDBOX-1' }) }),
    },
  });

for (const other of ['PSDXX-SANDBOX-2', 'PSDXX-SANDBOX-1 ', 'psdxx-sandbox-1', 'PSDXX-SANDBOX-10', 'SANDBOX-1', ''])
  test(`WSN-25 WSO-19 the authorisation number ${JSON.stringify(other)} is another one`, async () => {
    const refusal = await refusalOf(certificateOrganisation, naming(other));
    assert.equal(refusal.code, 'authorisation_number_mismatch');
    assert.equal(refusal.status, 403);
  });

test('WSN-25 the number of the directory passes', () => passes(certificateOrganisation, naming('PSDXX-SANDBOX-1')));

test('a certificate without an identifier is tied to its client by enrolment alone', () =>
  passes(certificateOrganisation, naming(undefined)));
