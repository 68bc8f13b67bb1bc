import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { certificateNamed, ITSELF, newParticipant, openDirectories, STAFF } from '../../test/support/directory.ts';
import type { Database } from '../platform/database.ts';
import type { Directory } from './directory.ts';

let house: Awaited<ReturnType<typeof openDirectories>>;
let other: Directory;
let serial = 0;
before(async () => {
  house = await openDirectories();
  other = await house.another();
});
after(() => house.close());
afterEach(() => {
  house.events.length = 0;
});

async function registered(directory = house.directory) {
  serial += 1;
  const id = `client-${serial}`;
  const { id: participant } = await directory.createParticipant(newParticipant(), STAFF);
  await directory.registerClient(registrationOf(participant, id), ITSELF);
  return { id, participant };
}

function registrationOf(participant: string, id: string) {
  const certificate = certificateNamed(`certificate of ${id}`);
  return { bank: 'gobank', id, participant, softwareId: undefined, metadata: {}, certificate };
}

/** Resolves when a directory has heard of a change of this participant. */
function hears(directory: Directory, participant: string): Promise<void> {
  return new Promise((resolve) =>
    directory.onChange((change) => {
      if (change.participant === participant) resolve();
    }),
  );
}

/** The database as it looks when it, or its notifications, fail. */
function troubled(database: Database) {
  const state = { reachable: true, alive: true, hearing: true, queries: 0 };
  const losses: (() => void)[] = [];
  const troubledDatabase: Database = {
    ...database,
    query: async (text, values) => {
      state.queries += 1;
      if (!state.reachable) throw new Error('connect ECONNREFUSED');
      return database.query(text, values);
    },
    listen: async (channel, receive, lost) => {
      if (lost !== undefined) losses.push(lost);
      return database.listen(channel, (payload) => state.alive && state.hearing && receive(payload), lost);
    },
    notificationsAlive: () => state.alive,
  };
  const lose = (): void => {
    state.alive = false;
    for (const lost of losses) lost();
  };
  return { database: troubledDatabase, state, lose };
}

test('CA-15 N-285 with the database unreachable nobody is let in, not even by what is remembered for longer than its bound', async () => {
  const { id } = await registered();
  const { id: unseen } = await registered();
  const { database, state } = troubled(house.database);
  const directory = await house.on(database);
  await directory.standing('gobank', id);
  state.reachable = false;
  const refused = { name: 'Refusal', code: 'directory_unavailable', status: 503 };
  await assert.rejects(async () => directory.standing('gobank', unseen), refused);
  house.clock.forward(10);
  await assert.rejects(async () => directory.standing('gobank', id), refused);
  state.reachable = true;
  assert.equal((await directory.standing('gobank', id))?.client.id, id);
});

test('CA-15 with the database unreachable an unknown client is no known absence either', async () => {
  const { database, state } = troubled(house.database);
  const directory = await house.on(database);
  state.reachable = false;
  await assert.rejects(async () => directory.standing('gobank', 'unknown'), { code: 'directory_unavailable' });
});

test('LAB-15 without notifications an answer lives one second at most', async () => {
  const { id, participant } = await registered();
  const { database, state, lose } = troubled(house.database);
  const directory = await house.on(database);
  await directory.standing('gobank', id);
  lose();
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'approved');
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  house.clock.forward(0.799);
  const queries = state.queries;
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'approved');
  assert.equal(state.queries, queries, 'answered from memory');
  house.clock.forward(0.201);
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'suspended');
});

test('LAB-15 an answer from before the loss is not believed, even when nobody said that notifications were lost', async () => {
  const { id, participant } = await registered();
  const { database, state } = troubled(house.database);
  const directory = await house.on(database);
  await directory.standing('gobank', id);
  state.alive = false;
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  house.clock.forward(1);
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'suspended');
});

test('LAB-15 when notifications were lost everything remembered is dropped at once', async () => {
  const { id, participant } = await registered();
  const { database, state, lose } = troubled(house.database);
  const directory = await house.on(database);
  let lost = 0;
  directory.onChange(
    () => undefined,
    () => {
      lost += 1;
    },
  );
  await directory.standing('gobank', id);
  state.alive = false;
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  lose();
  assert.equal(lost, 1);
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'suspended');
});

test('LAB-15 a suspension is seen by the other node as soon as it has heard of it, and a reinstatement too', async () => {
  const { id, participant } = await registered();
  const bystander = await registered();
  for (const status of ['suspended', 'approved'] as const) {
    await other.standing('gobank', id);
    const heard = hears(other, participant);
    await house.directory.changeStatus(participant, status, STAFF);
    assert.equal((await house.directory.standing('gobank', id))?.participant.status, status);
    await heard;
    assert.equal((await other.standing('gobank', id))?.participant.status, status);
  }
  assert.equal((await other.standing('gobank', bystander.id))?.participant.status, 'approved');
});

test('LAB-13 LAB-15 a suspension acts on every client of the participant', async () => {
  const { id, participant } = await registered();
  const second = `${id}-second`;
  await house.directory.registerClient(registrationOf(participant, second), ITSELF);
  for (const client of [id, second]) await house.directory.standing('gobank', client);
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  for (const client of [id, second])
    assert.equal((await house.directory.standing('gobank', client))?.participant.status, 'suspended');
});

test('LAB-16 a removal is seen by the other node: the client is gone there too', async () => {
  const { id, participant } = await registered();
  await other.standing('gobank', id);
  const heard = hears(other, participant);
  await house.directory.changeStatus(participant, 'removed', STAFF);
  await heard;
  assert.equal(await other.standing('gobank', id), undefined);
});

test('CA-15 a changed certificate is seen by the other node as soon as it has heard of it', async () => {
  const { id, participant } = await registered();
  await other.standing('gobank', id);
  const heard = hears(other, participant);
  const next = certificateNamed(`renewed ${id}`);
  await house.directory.rebindCertificate('gobank', id, next, 0, ITSELF);
  await heard;
  const certificates = (await other.standing('gobank', id))?.certificates;
  assert.deepEqual(
    certificates?.map(({ thumbprint }) => thumbprint),
    [next.thumbprint],
  );
});

test('LAB-17 a changed limit is seen by the other node', async () => {
  const { id, participant } = await registered();
  await other.standing('gobank', id);
  const heard = hears(other, participant);
  await house.directory.changeRateLimit(participant, 5, STAFF);
  await heard;
  assert.equal((await other.standing('gobank', id))?.participant.requestsPerMinute, 5);
});

test('an answer is remembered: asking again asks no database, and parallel callers share one question', async () => {
  const { id } = await registered();
  const { database, state } = troubled(house.database);
  state.hearing = false;
  const directory = await house.on(database);
  await Promise.all(Array.from({ length: 20 }, () => directory.standing('gobank', id)));
  const first = state.queries;
  assert.equal(first, 3);
  await directory.standing('gobank', id);
  assert.equal(state.queries, first);
});

test('CA-15 a change that a node did not hear of, on a connection that seems alive, is seen after ten seconds', async () => {
  const { id, participant } = await registered();
  const { database, state } = troubled(house.database);
  state.hearing = false;
  const directory = await house.on(database);
  await directory.standing('gobank', id);
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'approved');
  house.clock.forward(10);
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'suspended');
});

test('an announcement that cannot be understood drops everything', async () => {
  for (const payload of ['', 'x', '{}', '[]', 'null', '{"participant":7}', '{"participant":"a","bank":"b"}']) {
    const { id, participant } = await registered();
    await house.directory.standing('gobank', id);
    const heard = new Promise<void>((resolve) => house.directory.onChange(() => undefined, resolve));
    await house.database.query("UPDATE directory.participants SET status = 'suspended' WHERE id = $1", [participant]);
    await house.database.query('SELECT pg_notify($1, $2)', ['directory_changed', payload]);
    await heard;
    assert.equal((await house.directory.standing('gobank', id))?.participant.status, 'suspended', payload);
  }
});

test('a client that nobody has is unknown for a second at most, and known at once when it registers', async () => {
  const { participant } = await registered();
  const id = `late-${participant}`;
  assert.equal(await house.directory.standing('gobank', id), undefined);
  assert.equal(await other.standing('gobank', id), undefined);
  const heard = hears(other, participant);
  await house.directory.registerClient(registrationOf(participant, id), ITSELF);
  assert.equal((await house.directory.standing('gobank', id))?.client.id, id);
  await heard;
  assert.equal((await other.standing('gobank', id))?.client.id, id);
});

test('an absence is asked for once a second, and invented ids push no real client out', async () => {
  const { id } = await registered();
  const { database, state } = troubled(house.database);
  state.hearing = false;
  const directory = await house.on(database);
  await directory.standing('gobank', id);
  await directory.standing('gobank', 'invented');
  const queries = state.queries;
  await directory.standing('gobank', 'invented');
  assert.equal(state.queries, queries);
  for (let invented = 0; invented < 1_200; invented += 1) await directory.standing('gobank', `invented-${invented}`);
  const before = state.queries;
  await directory.standing('gobank', id);
  assert.equal(state.queries, before, 'the real one is still remembered');
  house.clock.forward(1);
  await directory.standing('gobank', 'invented-1199');
  assert.equal(state.queries, before + 1);
});

test('what cannot be a client id is unknown without asking the database', async () => {
  const { database, state } = troubled(house.database);
  const directory = await house.on(database);
  for (const id of ['', 'a b', '../x', 'a\u0000b', 'x'.repeat(10_000)])
    assert.equal(await directory.standing('gobank', id), undefined);
  assert.equal(await directory.standing('Go Bank', 'client'), undefined);
  assert.equal(state.queries, 0);
});

/** A directory whose first question gets its answer from the database at once, but learns it only when the gate opens. */
async function slow() {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const database: Database = {
    ...house.database,
    query: async (text, values) => {
      const rows = await house.database.query(text, values);
      asked.resolve();
      await gate.promise;
      return rows;
    },
  };
  return { directory: await house.on(database), asked: asked.promise, open: gate.resolve };
}

test('LAB-15 a question under way while the change happens does not keep the old answer', async () => {
  const { id, participant } = await registered();
  const { directory, asked, open } = await slow();
  const early = directory.standing('gobank', id);
  await asked;
  const heard = hears(directory, participant);
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  await heard;
  open();
  await early;
  assert.equal((await directory.standing('gobank', id))?.participant.status, 'suspended');
});

test('a question under way while the client registers does not keep its absence', async () => {
  const { participant } = await registered();
  const id = `meanwhile-${participant}`;
  const { directory, asked, open } = await slow();
  const early = directory.standing('gobank', id);
  await asked;
  const heard = hears(directory, participant);
  await house.directory.registerClient(registrationOf(participant, id), ITSELF);
  await heard;
  open();
  assert.equal(await early, undefined);
  assert.equal((await directory.standing('gobank', id))?.client.id, id);
});

test('onChange tells of changes here and elsewhere, and a subscriber that fails stops no other', async () => {
  const failures: unknown[] = [];
  const { participant } = await registered();
  const heardHere = hears(house.directory, participant);
  other.onChange(() => {
    failures.push('called');
    throw new Error('defect');
  });
  const heardThere = hears(other, participant);
  await house.directory.changeRateLimit(participant, 7, STAFF);
  await Promise.all([heardHere, heardThere]);
  assert.ok(failures.length > 0);
});
