import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  certificateNamed,
  ITSELF,
  newParticipant,
  openDirectories,
  STAFF,
  START,
} from '../../test/support/directory.ts';
import { selectCertificates } from './certificate-store.ts';
import type { Participant } from './participant.ts';

let house: Awaited<ReturnType<typeof openDirectories>>;
before(async () => {
  house = await openDirectories();
});
after(() => house.close());
afterEach(() => house.refuse(false));

async function entered(given: Parameters<typeof newParticipant>[0] = {}): Promise<Participant> {
  const participant = await house.directory.createParticipant(newParticipant(given), STAFF);
  house.events.length = 0;
  return participant;
}

function register(participant: string, id: string, certificate = certificateNamed(id)) {
  const client = { bank: 'gobank', id, participant, softwareId: undefined, metadata: {}, certificate };
  return house.directory.registerClient(client, ITSELF);
}

test('LAB-12 a duplicate id is refused with 409 and changes nothing', async () => {
  const first = await entered();
  await assert.rejects(house.directory.createParticipant(newParticipant({ id: first.id, name: 'Other' }), STAFF), {
    code: 'participant_exists',
    status: 409,
  });
  assert.equal((await house.directory.findParticipant(first.id))?.name, first.name);
  assert.deepEqual(house.events, []);
});

test('LAB-12 a malformed participant is refused before anything is written', async () => {
  const wrong = newParticipant({ email: 'nobody' });
  await assert.rejects(house.directory.createParticipant(wrong, STAFF), { code: 'field_invalid', status: 400 });
  assert.equal(await house.directory.findParticipant(wrong.id), undefined);
});

test('LAB-12 a participant is stored with its fields, and the trail has who and why but no contact', async () => {
  house.events.length = 0;
  const given = newParticipant({ phone: '+44 20 7946 0000', requestsPerMinute: 5, status: 'pending' });
  const created = await house.directory.createParticipant(given, STAFF);
  assert.deepEqual(created, { ...given, statusReason: undefined, createdAt: house.clock.now(), updatedAt: START });
  assert.deepEqual(await house.directory.findParticipant(given.id), created);
  assert.ok((await house.directory.listParticipants()).some(({ id }) => id === given.id));
  const [event] = house.events;
  assert.equal(event?.action, 'participant.created');
  assert.deepEqual([event?.facts?.actor, event?.facts?.why], ['staff-1', 'test']);
  assert.doesNotMatch(JSON.stringify(house.events), /third-party|7946|Third Party/);
});

test('LAB-12 of 20 parallel creations with one id exactly one succeeds', async () => {
  const given = newParticipant();
  const attempts = Array.from({ length: 20 }, () => house.directory.createParticipant(given, STAFF));
  const settled = await Promise.allSettled(attempts);
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('LAB-15 a change that cannot be recorded is not made', async () => {
  const { id } = await entered();
  house.refuse(true);
  await assert.rejects(house.directory.changeStatus(id, 'suspended', STAFF), /cannot be written/);
  await assert.rejects(house.directory.changeRateLimit(id, 5, STAFF), /cannot be written/);
  const unmade = newParticipant();
  await assert.rejects(house.directory.createParticipant(unmade, STAFF), /cannot be written/);
  house.refuse(false);
  const found = await house.directory.findParticipant(id);
  assert.deepEqual([found?.status, found?.requestsPerMinute], ['approved', undefined]);
  assert.equal(await house.directory.findParticipant(unmade.id), undefined);
});

test('LAB-15 suspending and reinstating is audited with who, when and why', async () => {
  const { id } = await entered();
  const suspended = await house.directory.changeStatus(id, 'suspended', { ...STAFF, reason: 'complaint 7' });
  assert.deepEqual([suspended.status, suspended.statusReason], ['suspended', 'complaint 7']);
  const reinstated = await house.directory.changeStatus(id, 'approved', { ...STAFF, reason: 'settled' });
  assert.deepEqual([reinstated.status, reinstated.statusReason], ['approved', 'settled']);
  const kept = house.events.map(({ action, outcome, participant, facts }) => [action, outcome, participant, facts]);
  const who = { actorKind: 'staff', actor: 'staff-1' };
  assert.deepEqual(kept, [
    ['participant.status_changed', 'changed', id, { from: 'approved', to: 'suspended', ...who, why: 'complaint 7' }],
    ['participant.status_changed', 'changed', id, { from: 'suspended', to: 'approved', ...who, why: 'settled' }],
  ]);
});

test('LAB-16 a transition that is not allowed is refused with 409 and not recorded', async () => {
  const wrong = [
    ['approved', 'approved'],
    ['approved', 'rejected'],
    ['pending', 'suspended'],
    ['rejected', 'approved'],
    ['suspended', 'pending'],
  ] as const;
  for (const [from, to] of wrong) {
    const { id } = await entered({ status: from });
    await assert.rejects(house.directory.changeStatus(id, to, STAFF), { code: 'status_invalid', status: 409 });
    assert.deepEqual(house.events, []);
  }
});

test('LAB-16 the status of nobody is refused with 404', async () => {
  await assert.rejects(house.directory.changeStatus('nobody', 'suspended', STAFF), {
    code: 'participant_unknown',
    status: 404,
  });
  await assert.rejects(house.directory.changeRateLimit('nobody', 5, STAFF), {
    code: 'participant_unknown',
    status: 404,
  });
});

test('LAB-16 of parallel decisions over a pending participant exactly one holds', async () => {
  const { id } = await entered({ status: 'pending' });
  const decisions = ['approved', 'rejected', 'approved', 'rejected'] as const;
  const settled = await Promise.allSettled(decisions.map((to) => house.directory.changeStatus(id, to, STAFF)));
  const made = settled.flatMap((item) => (item.status === 'fulfilled' ? [item.value.status] : []));
  assert.deepEqual([made.length, made[0]], [1, (await house.directory.findParticipant(id))?.status]);
});

test('LAB-16 removal ends clients and relations in one transaction, is final, and leaves a readable record', async () => {
  const { id } = await entered();
  await register(id, 'removed-1');
  await register(id, 'removed-2');
  house.events.length = 0;
  const removed = await house.directory.changeStatus(id, 'removed', STAFF);
  assert.equal(removed.status, 'removed');
  assert.deepEqual(await house.directory.listClients('gobank', id), []);
  assert.equal(await house.directory.standing('gobank', 'removed-1'), undefined);
  assert.deepEqual(await selectCertificates(house.database, 'gobank', 'removed-1', house.clock.now()), []);
  const actions = house.events.map(({ action, client }) => [action, client]);
  assert.deepEqual(actions[0], ['participant.status_changed', undefined]);
  assert.deepEqual(actions.slice(1).sort(), [
    ['client.removed', 'removed-1'],
    ['client.removed', 'removed-2'],
  ]);
  for (const status of ['approved', 'pending', 'suspended', 'removed'] as const)
    await assert.rejects(house.directory.changeStatus(id, status, STAFF), { code: 'status_invalid' });
  await assert.rejects(house.directory.changeRateLimit(id, 5, STAFF), { code: 'status_invalid' });
  await assert.rejects(register(id, 'removed-3'), { code: 'participant_not_approved', status: 403 });
  assert.equal((await house.directory.findParticipant(id))?.id, id);
});

test('LAB-16 N-132 a removal that cannot be recorded leaves every client in place', async () => {
  const { id } = await entered();
  await register(id, 'kept-1');
  house.refuse(true);
  await assert.rejects(house.directory.changeStatus(id, 'removed', STAFF), /cannot be written/);
  assert.equal((await house.directory.standing('gobank', 'kept-1'))?.participant.status, 'approved');
  assert.equal((await selectCertificates(house.database, 'gobank', 'kept-1', house.clock.now())).length, 1);
});

test('LAB-16 CA-19 the certificate of a removed participant cannot be enrolled by another without review', async () => {
  const [gone, next] = [await entered(), await entered()];
  const certificate = certificateNamed('left behind');
  await register(gone.id, 'left-1', certificate);
  await house.directory.changeStatus(gone.id, 'removed', STAFF);
  const refused = { code: 'certificate_review_required', status: 403 };
  await assert.rejects(register(next.id, 'left-2', certificate), refused);
  const twin = { ...certificate, thumbprint: certificateNamed('its signature altered').thumbprint };
  await assert.rejects(register(next.id, 'left-2', twin), refused);
});

test('LAB-17 a rate limit is changed and recorded with the former one', async () => {
  const { id } = await entered({ requestsPerMinute: 5 });
  const changed = await house.directory.changeRateLimit(id, undefined, STAFF);
  assert.equal(changed.requestsPerMinute, undefined);
  assert.equal(house.events[0]?.facts?.from, 5);
  assert.equal(house.events[0]?.facts?.to, null);
  await assert.rejects(house.directory.changeRateLimit(id, 0, STAFF), { code: 'field_invalid' });
});

test('LAB-12 an import enters those that are absent and never overrules staff', async () => {
  const known = await entered({ status: 'suspended' });
  const gone = await entered();
  await house.directory.changeStatus(gone.id, 'removed', STAFF);
  const absent = newParticipant();
  const list: readonly unknown[] = [
    { ...newParticipant(), id: known.id, status: 'approved' },
    { ...newParticipant(), id: gone.id },
    absent,
  ];
  house.events.length = 0;
  assert.deepEqual(await house.directory.importParticipants(list, STAFF), [absent.id]);
  assert.equal((await house.directory.findParticipant(known.id))?.status, 'suspended');
  assert.equal((await house.directory.findParticipant(gone.id))?.status, 'removed');
  assert.deepEqual(
    house.events.map(({ action, participant }) => [action, participant]),
    [['participant.imported', absent.id]],
  );
  assert.deepEqual(await house.directory.importParticipants(list, STAFF), []);
});

test('LAB-12 one wrong item refuses the whole list and is named', async () => {
  const good = newParticipant();
  const lists: readonly (readonly [unknown, string])[] = [
    [{ ...newParticipant(), email: 'x' }, 'participants[1].email'],
    ['tpp', 'participants[1]'],
    [{ ...newParticipant(), rateLimit: 5 }, 'participants[1].rateLimit'],
    [{ ...newParticipant(), id: good.id }, 'participants[1].id'],
  ];
  for (const [item, detail] of lists)
    await assert.rejects(house.directory.importParticipants([good, item], STAFF), { code: 'field_invalid', detail });
  await assert.rejects(house.directory.importParticipants(Array.from({ length: 5_001 }), STAFF), {
    code: 'field_invalid',
  });
  assert.equal(await house.directory.findParticipant(good.id), undefined);
});
