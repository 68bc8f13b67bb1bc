import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { agree, connect, signIn, type Tokens } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

let platform: TestPlatform;
let a: ThirdParty;
let b: ThirdParty;

before(async () => {
  platform = await startPlatform();
  a = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  b = await platform.thirdParty('tpp-b', ['AISP', 'PISP']);
});

after(() => platform.close());

/** Every account id that an answer names. */
function accountsIn(text: string): readonly string[] {
  return [...text.matchAll(/"id":"([^"]+)"/g)].map(([, id = '']) => id);
}

for (const bank of ['gobank', 'jwtbank']) {
  describe(`isolation at ${bank}`, () => {
    let clientA: Registered;
    let clientB: Registered;
    let ofUser: Tokens;
    let ofUser2: Tokens;

    before(async () => {
      [clientA, clientB] = [await a.register(bank), await b.register(bank)];
      ofUser = await connect(platform, a, clientA, { username: 'user' });
      ofUser2 = await connect(platform, b, clientB, { username: 'user2' });
    });

    test('N-39 N-212 200 interleaved requests of two customers and two participants: each sees its own', async () => {
      const paths = ['/accounts', '/balances'];
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const first = index % 2 === 0;
          const [party, tokens] = first ? ([a, ofUser] as const) : ([b, ofUser2] as const);
          const answer = await party.api(bank, paths[index % 4 < 2 ? 0 : 1] ?? '/accounts', tokens.access);
          return { first, answer };
        }),
      );
      for (const { first, answer } of answers) {
        assert.equal(answer.status, 200, answer.text);
        const expected = first ? ['u1-current', 'u1-savings', 'joint'] : ['u2-current', 'joint'];
        assert.deepEqual(accountsIn(answer.text), expected);
      }
    });

    test('N-83 200 interleaved token requests: each token carries its own client and thumbprint', async () => {
      const answers = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const [party, client] = index % 2 === 0 ? ([a, clientA] as const) : ([b, clientB] as const);
          return { party, client, answer: await party.clientToken(client) };
        }),
      );
      for (const { party, client, answer } of answers) {
        assert.equal(answer.status, 200, answer.text);
        const resolution = await platform.rooms.tokens.resolve(
          bank,
          party.issuer(bank),
          String(answer.json().access_token),
        );
        assert.ok(resolution.state === 'active');
        const standing = await platform.rooms.directory.standing(bank, client.id);
        assert.equal(resolution.facts.client, client.id);
        assert.equal(resolution.facts.participant, party.id);
        assert.equal(resolution.facts.thumbprint, standing?.certificates[0]?.thumbprint);
      }
    });

    test('N-163 WSN-05 each other’s tokens are refused with each other’s certificates', async () => {
      assert.equal((await b.api(bank, '/accounts', ofUser.access)).status, 401);
      assert.equal((await a.api(bank, '/accounts', ofUser2.access)).status, 401);
    });

    test('WSN-31 N-80 the same customer has another subject at each participant, the same one each time', async () => {
      const again = await connect(platform, a, clientA, { username: 'user' });
      const atB = await connect(platform, b, clientB, { username: 'user' });
      const subject = (tokens: Tokens) => {
        const payload = String(tokens.answer.id_token).split('.')[1] ?? '';
        return String(JSON.parse(Buffer.from(payload, 'base64url').toString()).sub);
      };
      assert.equal(subject(again), subject(ofUser));
      assert.notEqual(subject(atB), 'user');
      // Both clients redirect to one host in this test, so that they share a sector unless the subject is keyed by client.
      assert.match(subject(atB), /^[A-Za-z0-9_-]{43}$/);
    });

    test('N-203 N-207 revoking one of two consents leaves the other alone and lends it nothing', async () => {
      const narrow = await connect(platform, a, clientA, { accounts: ['u1-current'] });
      const wide = await connect(platform, a, clientA);
      await platform.rooms.consents.revoke(bank, wide.consent, { kind: 'customer', reference: 'test' });
      assert.deepEqual(accountsIn((await a.api(bank, '/accounts', narrow.access)).text), ['u1-current']);
      assert.ok((await a.api(bank, '/accounts', wide.access)).status >= 401);
    });

    test('N-225 N-102 agreed twice at once in two tabs: one code, one consent', async () => {
      const pushed = await a.push(clientA);
      const { browser, page } = await signIn(platform, pushed);
      const ends = await Promise.all([agree(browser, page), agree(browser, page)]);
      const codes = ends.map((end) => end.headers.location).filter((location) => location?.includes('code='));
      assert.ok(codes.length <= 1, codes.join(' '));
      const consents = await platform.rooms.consents.list({ bank, client: clientA.id, state: 'Authorised', limit: 1 });
      assert.equal(consents[0]?.state, 'Authorised');
    });

    test('N-284 a restart in the middle loses nothing that was answered', async () => {
      const pushed = await a.push(clientA);
      const { browser, page } = await signIn(platform, pushed);
      await platform.restart();
      const end = await agree(browser, page);
      const code = new URL(end.headers.location ?? '').searchParams.get('code') ?? '';
      await platform.restart();
      const answer = await a.exchange(clientA, code, pushed.verifier);
      assert.equal(answer.status, 200, answer.text);
      await platform.restart();
      assert.equal((await a.api(bank, '/accounts', String(answer.json().access_token))).status, 200);
      assert.equal((await a.refresh(clientA, String(answer.json().refresh_token))).status, 200);
      assert.deepEqual(await platform.rooms.audit.verify().then((verdict) => verdict.intact), true);
    });
  });
}
