import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestDatabase, type TestDatabase } from '../../test/support/database.ts';
import { certificateNamed, ITSELF, newParticipant, STAFF, testClock } from '../../test/support/directory.ts';
import { type Audit, createAudit } from '../audit/index.ts';
import { createDirectory, type Directory } from './directory.ts';

let database: TestDatabase;
let audit: Audit;
let directory: Directory;
const clock = testClock();
before(async () => {
  database = await openTestDatabase();
  audit = await createAudit({ database, clock });
  directory = await createDirectory({ database, audit, clock });
});
after(async () => {
  await directory.close();
  await audit.close();
  await database.close();
});

function register(participant: string, id: string, name: string) {
  const certificate = certificateNamed(name);
  return directory.registerClient(
    { bank: 'gobank', id, participant, softwareId: undefined, metadata: {}, certificate },
    { ...ITSELF, interaction: `interaction-${id}` },
  );
}

async function actionsOf(participant: string): Promise<readonly string[]> {
  await audit.flush();
  return (await audit.search({ participant })).map(({ action }) => action).toSorted();
}

test('N-132 CA-10 a registration that fails leaves neither client nor record of one, only the refused claim', async () => {
  const [first, second] = [newParticipant(), newParticipant()];
  for (const participant of [first, second]) await directory.createParticipant(participant, STAFF);
  await register(first.id, 'real-1', 'wanted');
  await assert.rejects(register(second.id, 'real-2', 'wanted'), { code: 'certificate_already_bound' });
  assert.deepEqual(await actionsOf(first.id), ['client.registered', 'participant.created']);
  assert.deepEqual(await actionsOf(second.id), ['certificate.claim_refused', 'participant.created']);
  assert.deepEqual(await directory.listClients('gobank', second.id), []);
});

test('LAB-15 LAB-16 every change of a participant is in the trail with who, when and why, and the chain is intact', async () => {
  const participant = newParticipant({ status: 'pending' });
  await directory.createParticipant(participant, STAFF);
  await directory.changeStatus(participant.id, 'approved', STAFF);
  await register(participant.id, 'real-3', 'third');
  clock.forward(60);
  await directory.changeStatus(participant.id, 'suspended', { ...STAFF, reason: 'complaint' });
  await directory.changeStatus(participant.id, 'removed', { ...STAFF, reason: 'licence withdrawn' });
  assert.deepEqual(await actionsOf(participant.id), [
    'client.registered',
    'client.removed',
    'participant.created',
    'participant.status_changed',
    'participant.status_changed',
    'participant.status_changed',
  ]);
  const records = await audit.search({ participant: participant.id, action: 'participant.status_changed' });
  const suspended = records.find(({ facts }) => facts?.to === 'suspended');
  assert.deepEqual([suspended?.facts?.actor, suspended?.facts?.why], ['staff-1', 'complaint']);
  assert.deepEqual(suspended?.at, clock.now());
  assert.equal((await audit.verify()).intact, true);
});

test('LAB-15 a change whose record the database refuses is not made and answers audit_unavailable', async () => {
  const participant = newParticipant();
  await directory.createParticipant(participant, STAFF);
  const unwritable: Audit = { ...audit, record: (_statements, event) => audit.record({ query: failing }, event) };
  const blocked = await createDirectory({ database, audit: unwritable, clock });
  const refused = { code: 'audit_unavailable', status: 503 };
  await assert.rejects(blocked.changeStatus(participant.id, 'suspended', STAFF), refused);
  await blocked.close();
  assert.equal((await directory.findParticipant(participant.id))?.status, 'approved');
});

async function failing(): Promise<never> {
  throw new Error('disk full');
}
