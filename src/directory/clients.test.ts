import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { certificateNamed, ITSELF, newParticipant, openDirectories, STAFF } from '../../test/support/directory.ts';
import { sha256 } from '../platform/random.ts';
import type { ClientRegistration } from './clients.ts';

let house: Awaited<ReturnType<typeof openDirectories>>;
let tpp: string;
let serial = 0;
before(async () => {
  house = await openDirectories();
  tpp = (await house.directory.createParticipant(newParticipant(), STAFF)).id;
});
after(() => house.close());
afterEach(() => {
  house.refuse(false);
  house.events.length = 0;
});

function registration(given: Partial<ClientRegistration> = {}): ClientRegistration {
  serial += 1;
  const id = given.id ?? `client-${serial}`;
  return {
    bank: 'gobank',
    id,
    participant: tpp,
    softwareId: 'software-1',
    metadata: { redirect_uris: ['https://tpp.example/cb'], client_name: 'App' },
    certificate: certificateNamed(`certificate of ${id} ${serial}`),
    ...given,
  };
}

function hash(secret: string): string {
  return `scrypt$16384$salt$${sha256(secret)}`;
}

async function rowsOf(id: string): Promise<number> {
  const counts = await Promise.all(
    [
      'SELECT count(*) AS rows FROM directory.clients WHERE id = $1',
      'SELECT count(*) AS rows FROM directory.certificates WHERE client = $1',
      'SELECT count(*) AS rows FROM directory.client_secrets WHERE client = $1',
    ].map((text) => house.database.query(text, [id])),
  );
  return counts.reduce((sum, [row]) => sum + Number(row?.rows), 0);
}

for (const [status, code] of [
  ['pending', 'participant_not_approved'],
  ['rejected', 'participant_not_approved'],
  ['suspended', 'participant_suspended'],
] as const) {
  test(`LAB-15 LAB-16 a ${status} participant registers no client`, async () => {
    const { id: participant } = await house.directory.createParticipant(newParticipant({ status }), STAFF);
    const client = registration({ participant });
    await assert.rejects(house.directory.registerClient(client, ITSELF), { code, status: 403 });
    await assert.rejects(house.directory.registerClient(client, STAFF), { code, status: 403 });
    assert.equal(await rowsOf(client.id), 0);
  });
}

test('LAB-13 a client of nobody in the directory is refused', async () => {
  const client = registration({ participant: 'nobody' });
  await assert.rejects(house.directory.registerClient(client, STAFF), { code: 'participant_unknown', status: 403 });
});

test('CA-10 a client with neither certificate nor secret is refused', async () => {
  const client = registration({ certificate: undefined });
  await assert.rejects(house.directory.registerClient(client, ITSELF), { code: 'field_missing', status: 400 });
  assert.equal(await rowsOf(client.id), 0);
});

test('CA-10 N-132 nothing remains of a registration that fails at its last step, and its repetition succeeds', async () => {
  const client = registration({ secretHash: hash('a') });
  house.refuse(true);
  await assert.rejects(house.directory.registerClient(client, ITSELF), /cannot be written/);
  assert.equal(await rowsOf(client.id), 0);
  assert.equal(await house.directory.standing('gobank', client.id), undefined);
  house.refuse(false);
  assert.equal((await house.directory.registerClient(client, ITSELF)).id, client.id);
  assert.equal(await rowsOf(client.id), 3);
});

test('CA-02 N-171 attack 73 a certificate that another client owns is refused with 409 naming nobody, and the trail tells', async () => {
  const owner = registration();
  await house.directory.registerClient(owner, ITSELF);
  const { id: participant } = await house.directory.createParticipant(newParticipant({ name: 'Second Ltd' }), STAFF);
  const thief = registration({ participant, certificate: owner.certificate, secretHash: hash('b') });
  house.events.length = 0;
  await assert.rejects(
    house.directory.registerClient(thief, ITSELF),
    (error: Error & { code?: string; status?: number }) => {
      assert.deepEqual([error.code, error.status], ['certificate_already_bound', 409]);
      assert.doesNotMatch(error.message, new RegExp(`${owner.id}|${tpp}|Third|Second`));
      return true;
    },
  );
  assert.equal(await rowsOf(thief.id), 0);
  assert.deepEqual(
    house.events.map(({ action, outcome, reason, client, participant }) => [
      action,
      outcome,
      reason,
      client,
      participant,
    ]),
    [['certificate.claim_refused', 'refused', 'certificate_already_bound', thief.id, participant]],
  );
  assert.equal(house.events[0]?.facts?.thumbprint, owner.certificate?.thumbprint);
});

test('CA-02 N-171 attack 73 of 20 parallel registrations with one certificate exactly one wins', async () => {
  const certificate = certificateNamed('raced for');
  const another = await house.another();
  const attempts = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const { id: participant } = await house.directory.createParticipant(newParticipant(), STAFF);
      return registration({ participant, certificate });
    }),
  );
  const settled = await Promise.allSettled(
    attempts.map((client, index) => (index % 2 === 0 ? house.directory : another).registerClient(client, ITSELF)),
  );
  const won = settled.flatMap((item) => (item.status === 'fulfilled' ? [item.value.id] : []));
  const codes = settled.flatMap((item) => (item.status === 'rejected' ? [item.reason.code] : []));
  assert.equal(won.length, 1);
  assert.deepEqual(new Set(codes), new Set(['certificate_already_bound']));
  const rows = await Promise.all(attempts.map(({ id }) => rowsOf(id)));
  assert.equal(
    rows.reduce((sum, count) => sum + count),
    2,
  );
});

test('CA-02 the same certificate may serve one client at each bank', async () => {
  const certificate = certificateNamed('at two banks');
  await house.directory.registerClient(registration({ certificate }), ITSELF);
  await house.directory.registerClient(registration({ certificate, bank: 'albion' }), ITSELF);
});

test('a client id that the bank has is refused with 409, whoever owns it', async () => {
  const first = registration();
  await house.directory.registerClient(first, ITSELF);
  const { id: participant } = await house.directory.createParticipant(newParticipant(), STAFF);
  const second = registration({ id: first.id, participant });
  await assert.rejects(house.directory.registerClient(second, ITSELF), { code: 'client_exists', status: 409 });
  assert.equal((await house.directory.standing('gobank', first.id))?.participant.id, tpp);
});

test('CA-13 registration stores thumbprint, serial, issuer and validity, and the trail has them', async () => {
  const certificate = certificateNamed('remembered', { serial: '0a1b', organizationIdentifier: 'PSDGB-FCA-1' });
  const client = registration({ certificate });
  const registered = await house.directory.registerClient(client, ITSELF);
  assert.deepEqual(registered, {
    id: client.id,
    bank: 'gobank',
    participant: tpp,
    softwareId: 'software-1',
    metadata: client.metadata,
    secretHashes: [],
    createdAt: house.clock.now(),
  });
  const standing = await house.directory.standing('gobank', client.id);
  const { thumbprint, subject, issuer, serial, organizationIdentifier, notBefore, notAfter } = certificate;
  const kept = { thumbprint, subject, issuer, serial, organizationIdentifier, notBefore, notAfter };
  const relation = { bank: 'gobank', client: client.id, ...kept, boundAt: house.clock.now(), endsAt: undefined };
  assert.deepEqual(standing?.certificates, [relation]);
  const [event] = house.events;
  assert.deepEqual(
    [event?.action, event?.bank, event?.client, event?.participant],
    ['client.registered', 'gobank', client.id, tpp],
  );
  assert.deepEqual([event?.facts?.thumbprint, event?.facts?.serial], [thumbprint, '0a1b']);
});

test('CA-01 the relation outlives every process: a new directory finds it in the store', async () => {
  const client = registration();
  await house.directory.registerClient(client, ITSELF);
  const restarted = await house.another();
  const standing = await restarted.standing('gobank', client.id);
  assert.deepEqual(
    standing?.certificates.map(({ thumbprint }) => thumbprint),
    [client.certificate?.thumbprint],
  );
});

test('metadata come back byte for byte the same, frozen, from any process', async () => {
  const metadata = {
    zulu: 1,
    alpha: { y: [1, { b: 1, a: 2 }], x: null },
    jwks: { keys: [{ y: 'y', x: 'x', kty: 'EC' }] },
  };
  const client = registration({ metadata });
  const registered = await house.directory.registerClient(client, ITSELF);
  const another = await house.another();
  const texts = [registered, (await another.standing('gobank', client.id))?.client].map((item) =>
    JSON.stringify(item?.metadata),
  );
  assert.equal(texts[0], texts[1]);
  assert.deepEqual(registered.metadata, metadata);
  assert.ok(Object.isFrozen(registered.metadata.alpha));
});

test('a client without certificate is kept with its secret alone', async () => {
  const client = registration({ certificate: undefined, secretHash: hash('lab'), bank: 'labbank' });
  assert.deepEqual((await house.directory.registerClient(client, STAFF)).secretHashes, [hash('lab')]);
  assert.deepEqual((await house.directory.standing('labbank', client.id))?.certificates, []);
});

test('LAB-08 a secret in the clear is a defect and writes nothing', async () => {
  const client = registration({ secretHash: 'plain-secret' });
  await assert.rejects(house.directory.registerClient(client, STAFF), /salted hash/);
  assert.equal(await rowsOf(client.id), 0);
});

test('LAB-08 after a rotation both secrets are valid, then the new one alone, by the clock', async () => {
  const client = registration({ secretHash: hash('first') });
  await house.directory.registerClient(client, STAFF);
  const hashes = async () => (await house.directory.standing('gobank', client.id))?.client.secretHashes;
  await house.directory.rotateSecret('gobank', client.id, hash('second'), 60, STAFF);
  assert.deepEqual(await hashes(), [hash('second'), hash('first')]);
  house.clock.forward(59);
  assert.deepEqual(await hashes(), [hash('second'), hash('first')]);
  house.clock.forward(1);
  assert.deepEqual(await hashes(), [hash('second')]);
  assert.deepEqual(
    (await house.directory.listClients('gobank', tpp)).find(({ id }) => id === client.id)?.secretHashes,
    [hash('second')],
  );
  assert.doesNotMatch(JSON.stringify(house.events), /scrypt/);
});

test('LAB-08 a rotation without overlap ends the old secret at once, and there are never more than two', async () => {
  const client = registration({ secretHash: hash('1') });
  await house.directory.registerClient(client, STAFF);
  await house.directory.rotateSecret('gobank', client.id, hash('2'), 600, STAFF);
  await house.directory.rotateSecret('gobank', client.id, hash('3'), 600, STAFF);
  const hashes = async () => (await house.directory.standing('gobank', client.id))?.client.secretHashes;
  assert.deepEqual(await hashes(), [hash('3'), hash('2')]);
  await house.directory.rotateSecret('gobank', client.id, hash('4'), 0, STAFF);
  assert.deepEqual(await hashes(), [hash('4')]);
});

test('LAB-08 a secret that is refused leaves the old one alone', async () => {
  const client = registration({ secretHash: hash('old') });
  await house.directory.registerClient(client, STAFF);
  await assert.rejects(house.directory.rotateSecret('gobank', 'nobody', hash('x'), 0, STAFF), {
    code: 'client_unknown',
    status: 404,
  });
  await assert.rejects(house.directory.rotateSecret('gobank', client.id, hash('x'), -1, STAFF), {
    code: 'field_invalid',
  });
  await assert.rejects(house.directory.rotateSecret('gobank', client.id, 'plain', 0, STAFF), /salted hash/);
  await assert.rejects(house.directory.rotateSecret('gobank', client.id, hash('old'), 0, STAFF), /no salt/);
  house.refuse(true);
  await assert.rejects(house.directory.rotateSecret('gobank', client.id, hash('x'), 0, STAFF), /cannot be written/);
  assert.deepEqual((await house.directory.standing('gobank', client.id))?.client.secretHashes, [hash('old')]);
});

test('RFC 7592 metadata of nobody, with a private key, or unrecorded are not replaced', async () => {
  const client = registration();
  await house.directory.registerClient(client, ITSELF);
  await assert.rejects(house.directory.replaceClient('gobank', 'nobody', {}, ITSELF), {
    code: 'client_unknown',
    status: 404,
  });
  await assert.rejects(house.directory.replaceClient('albion', client.id, {}, ITSELF), {
    code: 'client_unknown',
    status: 404,
  });
  const leaking = { jwks: { keys: [{ kty: 'EC', d: 'private' }] } };
  await assert.rejects(house.directory.replaceClient('gobank', client.id, leaking, ITSELF), { code: 'field_invalid' });
  house.refuse(true);
  await assert.rejects(house.directory.replaceClient('gobank', client.id, {}, ITSELF), /cannot be written/);
  assert.deepEqual((await house.directory.standing('gobank', client.id))?.client.metadata, client.metadata);
});

test('RFC 7592 replaced metadata are in force at once and audited; the relation stays', async () => {
  const client = registration();
  await house.directory.registerClient(client, ITSELF);
  await house.directory.standing('gobank', client.id);
  house.events.length = 0;
  await house.directory.replaceClient('gobank', client.id, { client_name: 'New' }, ITSELF);
  const standing = await house.directory.standing('gobank', client.id);
  assert.deepEqual(standing?.client.metadata, { client_name: 'New' });
  assert.equal(standing?.certificates.length, 1);
  assert.deepEqual(
    house.events.map(({ action }) => action),
    ['client.replaced'],
  );
});

test('LAB-15 a suspended participant changes nothing of its client, but staff may', async () => {
  const { id: participant } = await house.directory.createParticipant(newParticipant(), STAFF);
  const client = registration({ participant });
  await house.directory.registerClient(client, ITSELF);
  await house.directory.changeStatus(participant, 'suspended', STAFF);
  const refused = { code: 'participant_suspended', status: 403 };
  await assert.rejects(house.directory.replaceClient('gobank', client.id, {}, ITSELF), refused);
  await assert.rejects(house.directory.rotateSecret('gobank', client.id, hash('x'), 0, ITSELF), refused);
  await assert.rejects(
    house.directory.rebindCertificate('gobank', client.id, certificateNamed('suspended'), 0, ITSELF),
    refused,
  );
  await assert.rejects(house.directory.removeClient('gobank', client.id, ITSELF), refused);
  await house.directory.replaceClient('gobank', client.id, {}, STAFF);
});

test('removing a client takes relation and secrets along; the certificate is free again', async () => {
  const client = registration({ secretHash: hash('gone') });
  await house.directory.registerClient(client, ITSELF);
  await house.directory.standing('gobank', client.id);
  assert.equal(await house.directory.removeClient('albion', client.id, ITSELF), false);
  assert.equal(await house.directory.removeClient('gobank', client.id, ITSELF), true);
  assert.equal(await house.directory.removeClient('gobank', client.id, ITSELF), false);
  assert.equal(await rowsOf(client.id), 0);
  assert.equal(await house.directory.standing('gobank', client.id), undefined);
  await house.directory.registerClient(registration({ certificate: client.certificate }), ITSELF);
  assert.equal(house.events.filter(({ action }) => action === 'client.removed').length, 1);
});

test('LAB-13 one participant has several clients, listed per bank', async () => {
  const { id: participant } = await house.directory.createParticipant(newParticipant(), STAFF);
  const clients = [
    registration({ participant }),
    registration({ participant }),
    registration({ participant, bank: 'albion' }),
  ];
  for (const client of clients) await house.directory.registerClient(client, ITSELF);
  const ids = (await house.directory.listClients('gobank', participant)).map(({ id }) => id);
  assert.deepEqual(ids.sort(), [clients[0]?.id, clients[1]?.id].sort());
  assert.ok((await house.directory.listClients('gobank')).length > 2);
  assert.deepEqual(await house.directory.listClients('nobank'), []);
});

test('LAB-15 of a registration and a suspension at the same moment, no client is registered after the suspension', async () => {
  for (let round = 0; round < 5; round += 1) {
    const { id: participant } = await house.directory.createParticipant(newParticipant(), STAFF);
    const client = registration({ participant });
    const [registered, suspended] = await Promise.allSettled([
      house.directory.registerClient(client, ITSELF),
      house.directory.changeStatus(participant, 'suspended', STAFF),
    ]);
    assert.equal(suspended.status, 'fulfilled');
    const standing = await house.directory.standing('gobank', client.id);
    if (registered.status === 'fulfilled') assert.equal(standing?.participant.status, 'suspended');
    else assert.equal(standing, undefined);
  }
});
