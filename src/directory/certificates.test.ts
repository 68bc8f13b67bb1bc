import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { certificateNamed, ITSELF, newParticipant, openDirectories, STAFF } from '../../test/support/directory.ts';
import { secondsAfter } from '../platform/clock.ts';
import { sha256 } from '../platform/random.ts';
import type { ClientCertificate } from '../trust/index.ts';
import { insertCertificate } from './certificate-store.ts';

let house: Awaited<ReturnType<typeof openDirectories>>;
let serial = 0;
before(async () => {
  house = await openDirectories();
});
after(() => house.close());
afterEach(() => {
  house.refuse(false);
  house.events.length = 0;
});

const WINDOW_SECONDS = 3_600;

async function registered(given: Partial<ClientCertificate> = {}) {
  serial += 1;
  const id = `client-${serial}`;
  const { id: participant } = await house.directory.createParticipant(newParticipant(), STAFF);
  const certificate = certificateNamed(`first of ${id}`, given);
  const client = { bank: 'gobank', id, participant, softwareId: undefined, metadata: {}, certificate };
  await house.directory.registerClient(client, ITSELF);
  house.events.length = 0;
  const next = (name: string, more: Partial<ClientCertificate> = {}) => certificateNamed(`${name} of ${id}`, more);
  return { id, participant, certificate, next };
}

async function inForce(client: string): Promise<readonly string[] | undefined> {
  return (await house.directory.standing('gobank', client))?.certificates.map(({ thumbprint }) => thumbprint);
}

function rebind(client: string, certificate: ClientCertificate, overlapSeconds = 0, actor = ITSELF) {
  return house.directory.rebindCertificate('gobank', client, certificate, overlapSeconds, actor);
}

test('CA-02 N-171 attack 73 a renewal with a certificate of another client is refused naming nobody, and changes nothing', async () => {
  const [owner, thief] = [await registered(), await registered()];
  for (const overlap of [0, WINDOW_SECONDS]) {
    await assert.rejects(
      rebind(thief.id, owner.certificate, overlap),
      (error: Error & { code?: string; status?: number }) => {
        assert.deepEqual([error.code, error.status], ['certificate_already_bound', 409]);
        assert.doesNotMatch(error.message, new RegExp(`${owner.id}|${owner.participant}`));
        return true;
      },
    );
  }
  assert.deepEqual(await inForce(owner.id), [owner.certificate.thumbprint]);
  assert.deepEqual(await inForce(thief.id), [thief.certificate.thumbprint]);
  assert.deepEqual(
    house.events.map(({ action, client }) => [action, client]),
    [
      ['certificate.claim_refused', thief.id],
      ['certificate.claim_refused', thief.id],
    ],
  );
});

test('CA-02 a certificate in its rotation window still belongs to its client', async () => {
  const [owner, thief] = [await registered(), await registered()];
  await rebind(owner.id, owner.next('second'), WINDOW_SECONDS);
  await assert.rejects(rebind(thief.id, owner.certificate), { code: 'certificate_already_bound' });
});

test('CA-02 the active certificate is not renewed by itself', async () => {
  const { id, certificate } = await registered();
  await assert.rejects(rebind(id, certificate), { code: 'certificate_already_bound' });
  await assert.rejects(rebind(id, certificate, WINDOW_SECONDS), { code: 'certificate_already_bound' });
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
});

test('CA-02 a second active certificate is refused by the unique key, whatever the code does', async () => {
  const { id, next } = await registered();
  const { thumbprint, subject, issuer, serial, notBefore, notAfter } = next('second');
  const relation = {
    ...{ bank: 'gobank', client: id, thumbprint, subject, issuer, serial, notBefore, notAfter },
    ...{ organizationIdentifier: undefined, boundAt: house.clock.now(), endsAt: undefined },
  };
  assert.equal(await insertCertificate(house.database, relation), false);
});

test('CA-02 CA-18 a third certificate is refused while a rotation is under way', async () => {
  const { id, certificate, next } = await registered();
  await rebind(id, next('second'), WINDOW_SECONDS);
  await assert.rejects(rebind(id, next('third'), WINDOW_SECONDS), { code: 'rotation_in_progress', status: 409 });
  assert.deepEqual(await inForce(id), [next('second').thumbprint, certificate.thumbprint]);
});

test('CA-18 of 20 parallel renewals of one client exactly one starts a rotation', async () => {
  const { id, next } = await registered();
  const settled = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => rebind(id, next(`racing ${index}`), WINDOW_SECONDS)),
  );
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal((await inForce(id))?.length, 2);
});

test('CA-18 a renewal that names another organisation, or none any more, is refused', async () => {
  const { id, next } = await registered({ organizationIdentifier: 'PSDGB-FCA-1' });
  for (const organizationIdentifier of ['PSDGB-FCA-2', undefined])
    await assert.rejects(rebind(id, next('other', { organizationIdentifier })), {
      code: 'authorisation_number_mismatch',
      status: 403,
    });
  await rebind(id, next('same', { organizationIdentifier: 'PSDGB-FCA-1' }));
});

test('CA-18 a renewal of nobody, with a bad overlap or a malformed thumbprint is refused', async () => {
  const { id, certificate, next } = await registered();
  await assert.rejects(rebind('nobody', next('second')), { code: 'client_unknown', status: 404 });
  await assert.rejects(rebind(id, next('second'), -1), { code: 'field_invalid', status: 400 });
  await assert.rejects(rebind(id, next('second'), 366 * 86_400), { code: 'field_invalid', status: 400 });
  await assert.rejects(rebind(id, next('second', { thumbprint: 'short' })), {
    code: 'field_invalid',
    detail: 'thumbprint',
  });
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
});

test('CA-18 a renewal that cannot be recorded is not made', async () => {
  const { id, certificate, next } = await registered();
  house.refuse(true);
  await assert.rejects(rebind(id, next('second')), /cannot be written/);
  await assert.rejects(rebind(id, next('second'), WINDOW_SECONDS), /cannot be written/);
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
});

test('CA-14 CA-15 a renewal without overlap ends the old certificate at once, audited with old and new value', async () => {
  const { id, participant, certificate, next } = await registered();
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
  const bound = await rebind(id, next('second'));
  assert.deepEqual([bound.thumbprint, bound.endsAt], [next('second').thumbprint, undefined]);
  assert.deepEqual(await inForce(id), [bound.thumbprint]);
  const [event] = house.events;
  assert.deepEqual([event?.action, event?.client, event?.participant], ['certificate.rebound', id, participant]);
  assert.deepEqual([event?.facts?.from, event?.facts?.to], [certificate.thumbprint, bound.thumbprint]);
});

test('CA-18 attack 71 inside the window both certificates work; when it closes only the new one, by the clock alone', async () => {
  const { id, certificate, next } = await registered();
  await rebind(id, next('second'), WINDOW_SECONDS);
  const both = [next('second').thumbprint, certificate.thumbprint];
  assert.deepEqual(await inForce(id), both);
  const endsAt = (await house.directory.standing('gobank', id))?.certificates[1]?.endsAt;
  assert.deepEqual(endsAt, secondsAfter(house.clock.now(), WINDOW_SECONDS));
  house.clock.forward(WINDOW_SECONDS - 1);
  assert.deepEqual(await inForce(id), both);
  house.clock.forward(1);
  assert.deepEqual(await inForce(id), both.slice(0, 1));
});

test('CA-18 a certificate whose window has closed is nobody’s: another client may enrol it', async () => {
  const [former, next] = [await registered(), await registered()];
  await rebind(former.id, former.next('second'), WINDOW_SECONDS);
  house.clock.forward(WINDOW_SECONDS);
  await rebind(next.id, former.certificate);
  assert.deepEqual(await inForce(next.id), [former.certificate.thumbprint]);
  assert.deepEqual(await inForce(former.id), [former.next('second').thumbprint]);
});

test('CA-18 after the window another rotation may start', async () => {
  const { id, next } = await registered();
  await rebind(id, next('second'), WINDOW_SECONDS);
  house.clock.forward(WINDOW_SECONDS);
  await rebind(id, next('third'), WINDOW_SECONDS);
  assert.deepEqual(await inForce(id), [next('third').thumbprint, next('second').thumbprint]);
});

test('CA-18 finishing a rotation ends the old certificate at once, and only once', async () => {
  const { id, certificate, next } = await registered();
  assert.equal(await house.directory.finishRotation('gobank', id, ITSELF), false);
  assert.equal(await house.directory.finishRotation('gobank', 'nobody', ITSELF), false);
  await rebind(id, next('second'), WINDOW_SECONDS);
  await inForce(id);
  house.events.length = 0;
  assert.equal(await house.directory.finishRotation('gobank', id, ITSELF), true);
  assert.deepEqual(await inForce(id), [next('second').thumbprint]);
  assert.equal(await house.directory.finishRotation('gobank', id, ITSELF), false);
  assert.deepEqual(
    house.events.map(({ action, facts }) => [action, facts?.from]),
    [['certificate.rotation_finished', certificate.thumbprint]],
  );
});

test('CA-18 a renewal without overlap also ends a rotation under way', async () => {
  const { id, next } = await registered();
  await rebind(id, next('second'), WINDOW_SECONDS);
  await rebind(id, next('third'));
  assert.deepEqual(await inForce(id), [next('third').thumbprint]);
});

test('CA-19 a removed relation refuses from the next question on, audited', async () => {
  const { id, certificate } = await registered();
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
  assert.equal(await house.directory.unbindCertificate('gobank', id, certificate.thumbprint, STAFF), true);
  assert.deepEqual(await inForce(id), []);
  assert.equal(await house.directory.unbindCertificate('gobank', id, certificate.thumbprint, STAFF), false);
  assert.deepEqual(
    house.events.map(({ action, facts }) => [action, facts?.from, facts?.to]),
    [['certificate.unbound', certificate.thumbprint, null]],
  );
});

test('CA-19 what is not related is not removed, and a malformed thumbprint is refused', async () => {
  const [one, other] = [await registered(), await registered()];
  assert.equal(await house.directory.unbindCertificate('gobank', one.id, other.certificate.thumbprint, STAFF), false);
  assert.equal(await house.directory.unbindCertificate('albion', one.id, one.certificate.thumbprint, STAFF), false);
  assert.equal(await house.directory.unbindCertificate('gobank', 'nobody', sha256('x'), STAFF), false);
  await assert.rejects(house.directory.unbindCertificate('gobank', one.id, 'x', STAFF), {
    code: 'field_invalid',
    status: 400,
  });
  assert.deepEqual(await inForce(other.id), [other.certificate.thumbprint]);
});

test('CA-19 a removal that cannot be recorded is not made', async () => {
  const { id, certificate } = await registered();
  house.refuse(true);
  await assert.rejects(
    house.directory.unbindCertificate('gobank', id, certificate.thumbprint, STAFF),
    /cannot be written/,
  );
  house.refuse(false);
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
});

test('CA-19 a removed certificate is enrolled again only through review by staff', async () => {
  const [former, other] = [await registered(), await registered()];
  await house.directory.unbindCertificate('gobank', former.id, former.certificate.thumbprint, STAFF);
  house.events.length = 0;
  const refused = { code: 'certificate_review_required', status: 403 };
  await assert.rejects(rebind(former.id, former.certificate), refused);
  await assert.rejects(rebind(other.id, former.certificate), refused);
  await assert.rejects(rebind(other.id, former.certificate, 0, { kind: 'system', reference: 'job' }), refused);
  assert.deepEqual(new Set(house.events.map(({ reason }) => reason)), new Set(['certificate_review_required']));
  assert.deepEqual(await inForce(former.id), []);
  await rebind(former.id, former.certificate, 0, STAFF);
  assert.deepEqual(await inForce(former.id), [former.certificate.thumbprint]);
});

test('CA-02 CA-18 an update with a renewed certificate changes both or neither', async () => {
  const [owner, thief] = [await registered(), await registered()];
  const update = (client: string, renewed: ClientCertificate) =>
    house.directory.replaceClient('gobank', client, { client_name: 'New' }, ITSELF, renewed);
  await assert.rejects(update(thief.id, owner.certificate), { code: 'certificate_already_bound', status: 409 });
  house.refuse(true);
  await assert.rejects(update(thief.id, thief.next('second')), /cannot be written/);
  house.refuse(false);
  const standing = await house.directory.standing('gobank', thief.id);
  assert.deepEqual(standing?.client.metadata, {});
  assert.deepEqual(await inForce(thief.id), [thief.certificate.thumbprint]);
  house.events.length = 0;
  const second = owner.next('second');
  await update(owner.id, second);
  await update(owner.id, second);
  assert.deepEqual(await inForce(owner.id), [second.thumbprint]);
  assert.deepEqual((await house.directory.standing('gobank', owner.id))?.client.metadata, { client_name: 'New' });
  assert.deepEqual(
    house.events.map(({ action }) => action),
    ['client.replaced', 'certificate.rebound', 'client.replaced'],
  );
});

/** The same certificate with its ECDSA signature altered into another valid one (F7): only the thumbprint differs. */
function twinOf(certificate: ClientCertificate): ClientCertificate {
  return { ...certificate, thumbprint: sha256(`twin of ${certificate.thumbprint}`) };
}

test('CA-02 F7 a certificate with an altered signature still belongs to its client, in force and in its window', async () => {
  const [owner, thief] = [await registered(), await registered()];
  const refused = { code: 'certificate_already_bound', status: 409 };
  await assert.rejects(rebind(thief.id, twinOf(owner.certificate)), refused);
  await assert.rejects(rebind(owner.id, twinOf(owner.certificate)), refused);
  await rebind(owner.id, owner.next('second'), WINDOW_SECONDS);
  await assert.rejects(rebind(thief.id, twinOf(owner.certificate)), refused);
  assert.deepEqual(await inForce(thief.id), [thief.certificate.thumbprint]);
  house.clock.forward(WINDOW_SECONDS);
  await rebind(thief.id, twinOf(owner.certificate));
  assert.deepEqual(await inForce(thief.id), [twinOf(owner.certificate).thumbprint]);
});

test('CA-02 F7 of a certificate and its twin in parallel exactly one is enrolled', async () => {
  const [one, other] = [await registered(), await registered()];
  const fresh = certificateNamed('fresh');
  const outcomes = await Promise.allSettled([rebind(one.id, fresh), rebind(other.id, twinOf(fresh))]);
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
});

test('CA-02 the same serial of another issuer, and the same certificate at another bank, are no twins', async () => {
  const [one, other] = [await registered(), await registered()];
  await rebind(other.id, { ...twinOf(one.certificate), issuer: 'CN=Another CA' });
  assert.equal((await inForce(other.id))?.length, 1);
});

test('CA-19 F7 a removed certificate with an altered signature waits for review as well, and the review counts for both', async () => {
  const { id, certificate } = await registered();
  await house.directory.unbindCertificate('gobank', id, certificate.thumbprint, STAFF);
  const twin = twinOf(certificate);
  const refused = { code: 'certificate_review_required', status: 403 };
  await assert.rejects(rebind(id, twin), refused);
  await rebind(id, twin, 0, STAFF);
  assert.deepEqual(await inForce(id), [twin.thumbprint]);
  await rebind(id, certificateNamed('in between'));
  await rebind(id, certificate);
  assert.deepEqual(await inForce(id), [certificate.thumbprint]);
});
