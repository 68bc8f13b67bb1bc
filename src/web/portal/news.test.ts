import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Consent, ConsentStep } from '../../consent/index.ts';
import type { Participant } from '../../directory/index.ts';
import { secondsAfter } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import { newsOf } from './news.ts';
import type { Share } from './share.ts';

const NOW = new Date('2026-05-01T12:00:00Z');
const inDays = (days: number) => secondsAfter(NOW, Math.round(days * 86_400));

const participant: Participant = {
  id: 'tpp-a',
  name: 'TPP A',
  registrationNumber: 'PSDXX-1',
  email: 'ops@tpp-a.example',
  phone: undefined,
  roles: ['AISP'],
  status: 'approved',
  statusReason: undefined,
  requestsPerMinute: undefined,
  createdAt: NOW,
  updatedAt: NOW,
};

/** A share with nothing to say of it, but for the changes. */
function shareOf(consent: Partial<Consent>, rest: Partial<Share> = {}): Share {
  return {
    consent: {
      id: 'consent-1',
      bank: 'gobank',
      participant: 'tpp-a',
      client: 'client',
      customer: 'user',
      state: 'Authorised',
      scopes: ['accounts'],
      accounts: ['joint'],
      authorizationDetails: [],
      createdAt: inDays(-30),
      changedAt: inDays(-30),
      expiresAt: inDays(60),
      lastUsedAt: undefined,
      ...consent,
    },
    participant,
    accounts: [],
    revoking: false,
    takenUp: true,
    ...rest,
  };
}

const step = (action: ConsentStep['action'], actor: ConsentStep['actor']): ConsentStep => ({
  at: NOW,
  action,
  state: 'Revoked',
  actor,
  actorReference: 'x',
  reason: undefined,
});

const askedFor: string[] = [];
/** What is said when everything that ended was ended by `by`; undefined: the store does not tell. */
async function said(shares: readonly Share[], by?: ConsentStep['actor']) {
  const history = async (_bank: string, id: string) => {
    askedFor.push(id);
    if (by === undefined) throw new Refusal('consent_store_unavailable', 503, 'away');
    return [step('create', 'participant'), step('authorise', 'customer'), step('revoke', by)];
  };
  const rooms = { clock: { now: () => NOW }, consents: { history } };
  const news = await newsOf({ site: { bank: { id: 'gobank' }, rooms } }, shares);
  return news.map((one) => ('share' in one ? [one.kind, one.share.consent.id] : [one.kind]));
}

describe('SCR-11 notices', () => {
  test('nothing is said of what is as the customer left it', async () => {
    const quiet = [
      shareOf({}),
      shareOf({ expiresAt: inDays(7.01) }),
      // Agreed for a few days only, and not half over.
      shareOf({ createdAt: inDays(-1), expiresAt: inDays(2) }),
      shareOf({ state: 'Awaiting', expiresAt: inDays(0.01) }),
      shareOf({ state: 'Expired', expiresAt: inDays(-1) }),
      shareOf({ state: 'Rejected', changedAt: NOW }, { participant: undefined }),
      shareOf({ state: 'Revoked', changedAt: inDays(-7.01) }),
      shareOf({ state: 'Revoked', changedAt: NOW }, { takenUp: false }),
      shareOf({ accounts: [] }, { accounts: undefined }),
    ];
    for (const share of quiet) assert.deepEqual(await said([share], 'staff'), [], JSON.stringify(share.consent));
    assert.deepEqual(await said([shareOf({ state: 'Revoked', changedAt: NOW })], 'customer'), []);
    assert.deepEqual(await said([]), []);
    const replaced = shareOf({ state: 'Revoked', changedAt: NOW });
    const newer = { createdAt: inDays(-1) };
    assert.deepEqual(await said([shareOf(newer), replaced], 'participant'), []);
    for (const other of [shareOf({ ...newer, client: 'another' }), shareOf({ createdAt: inDays(-40) })])
      assert.deepEqual(await said([other, replaced], 'participant'), [['withdrawn', 'consent-1']]);
    assert.deepEqual(await said([shareOf(newer), replaced], 'staff'), [['withdrawn', 'consent-1']]);
  });

  test('a store that cannot tell who ended it keeps nobody from the list, and nobody is named', async () => {
    assert.deepEqual(await said([shareOf({ state: 'Revoked', changedAt: NOW })]), []);
  });

  test('what ends within a week, the soonest first; half of a short time', async () => {
    const shares = [
      shareOf({ id: 'week', expiresAt: inDays(7) }),
      shareOf({ id: 'day', expiresAt: inDays(1) }),
      shareOf({ id: 'short', createdAt: inDays(-2), expiresAt: inDays(2) }),
    ];
    assert.deepEqual(await said(shares), [
      ['ending', 'day'],
      ['ending', 'short'],
      ['ending', 'week'],
    ]);
  });

  test('who cannot use what it is allowed is told of once, and not that it ends soon', async () => {
    const paused = { participant: { ...participant, status: 'suspended' as const } };
    const shares = [
      shareOf({ id: 'one', expiresAt: inDays(1) }, paused),
      shareOf({ id: 'two' }, paused),
      shareOf({ id: 'over', state: 'Expired' }, paused),
    ];
    assert.deepEqual(await said(shares), [['paused', 'one']]);
    for (const gone of [undefined, { ...participant, status: 'removed' as const }])
      assert.deepEqual(await said([shareOf({ id: 'one' }, { participant: gone })]), [['barred', 'one']]);
  });

  test('what somebody else ended within a week, the latest first; what is still being ended before all', async () => {
    const shares = [
      shareOf({ id: 'soon', expiresAt: inDays(1) }),
      shareOf({ id: 'before', state: 'Revoked', changedAt: inDays(-7) }),
      shareOf({ id: 'lately', state: 'Revoked', changedAt: inDays(-1) }),
      shareOf({ id: 'being', state: 'Revoked', changedAt: NOW }, { revoking: true, accounts: undefined }),
    ];
    for (const by of ['staff', 'participant', 'system'] as const)
      assert.deepEqual(await said(shares, by), [
        ['revoking', 'being'],
        ['withdrawn', 'lately'],
        ['withdrawn', 'before'],
        ['ending', 'soon'],
        ['accounts-unknown'],
      ]);
  });

  test('no more than ten histories are read for one page', async () => {
    const shares = Array.from({ length: 30 }, (_, index) =>
      shareOf({ id: `c${index}`, state: 'Revoked', changedAt: inDays(-index / 10) }),
    );
    askedFor.length = 0;
    assert.equal((await said(shares, 'staff')).length, 10);
    assert.deepEqual(
      askedFor,
      [...Array(10).keys()].map((index) => `c${index}`),
    );
  });
});
