import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { Issued } from '../../test/support/certificates.ts';
import {
  boundCertificate,
  certificateOf,
  consentOf,
  participantOf,
  standingOf,
  tokenOf,
  trusted,
} from '../../test/support/gateway.ts';
import { openStage, reasonOf, type Stage } from '../../test/support/gateway-server.ts';
import { sha256 } from '../platform/random.ts';

/** A participant with a real certificate, a token, a consent and an account of its own customer. */
interface Party {
  readonly name: string;
  readonly identity: Issued;
}

let stage: Stage;
let parties: readonly Party[];

before(async () => {
  stage = await openStage();
  const { world } = stage;
  parties = ['a', 'b'].map((name) => ({ name, identity: stage.authority.issue({ commonName: `tpp-${name}` }) }));
  world.verdict = (request) => {
    if (!(request.socket instanceof TLSSocket)) throw new Error('no TLS');
    return trusted(certificateOf(sha256(request.socket.getPeerCertificate().raw)));
  };
  for (const { name, identity } of parties) {
    const thumbprint = sha256(identity.der);
    const [client, participant, customer, consent] = [`app-${name}`, `tpp-${name}`, `psu-${name}`, `consent-${name}`];
    world.tokens.set(`token-${name}`, {
      state: 'active',
      facts: tokenOf({ client, participant, customer, consent, thumbprint }),
    });
    const standing = standingOf({
      participant: participantOf({ id: participant }),
      certificates: [boundCertificate(thumbprint)],
    });
    world.standings.set(client, { ...standing, client: { ...standing.client, id: client, participant } });
    world.consents.set(consent, consentOf({ id: consent, client, participant, customer, accounts: [`acc-${name}`] }));
  }
  // The bank answers with what the signed facts say, late and out of order.
  stage.answer = ({ headers, url }, response) => {
    const claims = String(headers['portcullis-facts']).split('.')[1] ?? '';
    const body = JSON.stringify({ url, facts: JSON.parse(Buffer.from(claims, 'base64url').toString()) });
    setTimeout(() => response.end(body), url.length % 7);
  };
});
after(() => stage.close());

test('N-39 N-212 200 interleaved requests of two participants: each gets its own customer, consent and certificate, nobody else', async () => {
  const calls = Array.from({ length: 200 }, async (_, index) => {
    const { name, identity } = parties[index % 2] ?? assert.fail();
    const path = `/accounts/acc-${name}/transactions?n=${'x'.repeat(index % 5)}${index}`;
    const got = await stage.send({
      identity,
      path: `/gobank${path}`,
      headers: { authorization: `Bearer token-${name}` },
    });
    assert.equal(got.status, 200);
    const { url, facts } = JSON.parse(got.body);
    assert.equal(url, path);
    const { client, participant, customer, consent, accounts, thumbprint } = facts;
    assert.deepEqual(
      { client, participant, customer, consent, accounts, thumbprint },
      {
        client: `app-${name}`,
        participant: `tpp-${name}`,
        customer: `psu-${name}`,
        consent: `consent-${name}`,
        accounts: [`acc-${name}`],
        thumbprint: sha256(identity.der),
      },
    );
  });
  await Promise.all(calls);
  for (const event of stage.world.events) {
    assert.equal(event.participant?.slice(-1), event.client?.slice(-1));
    assert.equal(event.consent?.slice(-1), event.client?.slice(-1));
  }
  assert.equal(new Set(stage.world.events.map(({ interaction }) => interaction)).size, 200);
});

test("N-163 each participant's token over the other's certificate is refused, interleaved with good calls", async () => {
  const arrived = stage.arrived;
  const calls = Array.from({ length: 40 }, async (_, index) => {
    const [own, other] = index % 2 === 0 ? parties : parties.toReversed();
    assert.ok(own && other);
    const headers = { authorization: `Bearer token-${own.name}` };
    const stolen = await stage.send({ identity: other.identity, headers });
    assert.equal(reasonOf(stolen), 'certificate_not_bound');
    assert.equal((await stage.send({ identity: own.identity, headers })).status, 200);
  });
  await Promise.all(calls);
  assert.equal(stage.arrived - arrived, 40);
});

test("WSO-35 one customer's account is refused to the other's token", async () => {
  const [a] = parties;
  assert.ok(a);
  const headers = { authorization: 'Bearer token-a' };
  const got = await stage.send({ identity: a.identity, headers, path: '/gobank/accounts/acc-b' });
  assert.equal(reasonOf(got), 'account_not_in_consent');
});
