import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Received } from '../support/http.ts';
import { connect, type Tokens } from '../support/journey.ts';
import { startPlatform, type TestPlatform } from '../support/platform.ts';
import { openSecondNode, type SecondNode } from '../support/second-node.ts';
import type { Registered, ThirdParty } from '../support/third-party.ts';

/** What one process does must be in force at the other before anything remembered grows old by itself: 10 s at the least. */
const TOLD_WITHIN_MS = 8_000;
const STAFF = { kind: 'staff', reference: 'two-processes' } as const;

let platform: TestPlatform;
let second: SecondNode;
let party: ThirdParty;
let other: ThirdParty;

before(async () => {
  platform = await startPlatform();
  second = await openSecondNode(platform);
  party = await platform.thirdParty('tpp-a', ['AISP', 'PISP']);
  other = await platform.thirdParty('tpp-b', ['AISP', 'PISP']);
  await other.register('gobank');
  await other.register('jwtbank');
});

after(async () => {
  await second.close();
  await platform.close();
});

function reasonOf(received: Received): string {
  const { error } = received.json();
  return typeof error === 'object' && error !== null && 'reason' in error ? String(error.reason) : '';
}

/** Waits until the second process answers as it should; fails with its last answer when it does not in time. */
async function becomes(ask: () => Promise<Received>, expected: string): Promise<void> {
  const until = Date.now() + TOLD_WITHIN_MS;
  let said = '';
  while (said !== expected && Date.now() < until) {
    const answer = await ask();
    said = answer.status === 200 ? 'allowed' : reasonOf(answer);
    if (said !== expected) await wait(20);
  }
  assert.equal(said, expected);
}

const LOOKS = 5;

for (const bank of ['gobank', 'jwtbank']) {
  describe(`two processes on one database, ${bank}`, () => {
    let client: Registered;
    let tokens: Tokens;
    const ask = () => second.api(party, bank, '/accounts', tokens.access);

    before(async () => {
      client = await party.register(bank);
    });

    /** Tokens that the second process has used and remembers: asked again, it does not look anything up. */
    async function remembered(): Promise<Tokens> {
      tokens = await connect(platform, party, client);
      assert.equal((await ask()).status, 200);
      // What runs beside requests, such as sharing their counts, looks things up as well: one quiet look is enough.
      for (let look = 0; look < LOOKS; look += 1) {
        const before = second.lookups();
        assert.equal((await ask()).status, 200);
        if (second.lookups() === before) return tokens;
      }
      return assert.fail('the answer was not at hand, so this test would prove nothing');
    }

    test('LAB-15 a participant suspended at one is refused at the other, and allowed again when reinstated', async () => {
      await remembered();
      await platform.rooms.directory.changeStatus(party.id, 'suspended', STAFF);
      await becomes(ask, 'participant_suspended');
      await platform.rooms.directory.changeStatus(party.id, 'approved', STAFF);
      await becomes(ask, 'allowed');
    });

    test('WSN-43 a consent revoked at one is refused at the other', async () => {
      const { consent } = await remembered();
      await platform.rooms.consents.revoke(bank, consent, STAFF);
      await becomes(ask, 'consent_not_authorised');
    });

    test('N-207 accounts changed at one: the removed is refused at the other', async () => {
      const { consent, access } = await remembered();
      const removed = () => second.api(party, bank, '/accounts/u1-current', access);
      assert.equal((await removed()).status, 200);
      await platform.rooms.consents.changeAccounts(bank, consent, { customer: 'user', accounts: ['joint'] }, STAFF);
      await becomes(removed, 'account_not_in_consent');
    });

    test('a token denied at one is refused at the other', async () => {
      const { access } = await remembered();
      await platform.rooms.tokens.deny({ bank, token: access }, STAFF);
      await becomes(ask, 'token_revoked');
    });

    test('all tokens of a consent denied at one are refused at the other, and no others', async () => {
      const kept = await remembered();
      const gone = await remembered();
      await platform.rooms.tokens.deny({ bank, consent: gone.consent }, STAFF);
      await becomes(ask, 'token_revoked');
      assert.equal((await second.api(party, bank, '/accounts', kept.access)).status, 200);
    });

    test('LAB-17 a rate limit set at one holds at the other', async () => {
      await remembered();
      await platform.rooms.directory.changeRateLimit(party.id, 1, STAFF);
      await becomes(ask, 'rate_limited');
      await platform.rooms.directory.changeRateLimit(party.id, undefined, STAFF);
      await becomes(ask, 'allowed');
    });

    test('keys rotated at one: the other signs its statements to the bank with the new key', async () => {
      await remembered();
      const kidOf = () => kidOfFacts(platform.core.calls.at(-1)?.headers['portcullis-facts']);
      const former = kidOf();
      await platform.rooms.vault.rotate(bank, STAFF);
      const until = Date.now() + TOLD_WITHIN_MS;
      while (kidOf() === former && Date.now() < until) {
        assert.equal((await ask()).status, 200);
        await wait(20);
      }
      assert.notEqual(kidOf(), former);
      const [here, there] = await Promise.all([platform.rooms, second.rooms].map((rooms) => rooms.vault.keyring(bank)));
      assert.deepEqual(there?.publicKeys, here?.publicKeys);
    });

    test('N-02 what is remembered for a token is worth nothing with another certificate', async () => {
      const { access } = await remembered();
      const stolen = await second.api(other, bank, '/accounts', access);
      assert.equal(reasonOf(stolen), 'certificate_not_bound');
      const twin = await second.api(party, bank, '/accounts', access, party.agentOf(party.issue()));
      assert.equal(reasonOf(twin), 'certificate_not_bound');
      assert.equal((await ask()).status, 200);
    });

    test('CLD-14 what is remembered for a token is worth nothing at another bank', async () => {
      const { access } = await remembered();
      const elsewhere = bank === 'gobank' ? 'jwtbank' : 'gobank';
      assert.equal(reasonOf(await second.api(party, elsewhere, '/accounts', access)), 'token_invalid');
    });

    test('CA-19 a certificate whose relation was taken away at one is refused at the other', async () => {
      await remembered();
      const [bound] = (await platform.rooms.directory.standing(bank, client.id))?.certificates ?? [];
      assert.ok(bound !== undefined);
      await platform.rooms.directory.unbindCertificate(bank, client.id, bound.thumbprint, STAFF);
      await becomes(ask, 'certificate_not_enrolled');
    });

    test('LAB-12 a client removed at one is unknown at the other', async () => {
      await platform.rooms.directory.removeClient(bank, client.id, STAFF);
      await becomes(ask, 'participant_unknown');
    });
  });
}

function kidOfFacts(header: string | readonly string[] | undefined): string {
  const encoded = String(header).split('.')[0] ?? '';
  const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString());
  return typeof parsed === 'object' && parsed !== null && 'kid' in parsed ? String(parsed.kid) : '';
}
