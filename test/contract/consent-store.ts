import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { changeTests } from './store-changes.ts';
import {
  ACTOR,
  type Body,
  creation,
  type Identity,
  later,
  MINUTE_MS,
  openVisitor,
  refused,
  type StoreUnderTest,
  tagOf,
  type Visitor,
} from './store-visitor.ts';

/** The contract of docs/integrate/consent-store.md, as tests: what any bank's consent store must do (CLD-50 to CLD-54, N-235). */
export function consentStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the consent store contract: ${name}`, () => {
    const visitor = openVisitor(open);
    callerTests(visitor);
    creationTests(visitor);
    refusedCreationTests(visitor);
    changeTests(visitor);
    readingTests(visitor);
    recordTests(visitor);
    bankTests(visitor);
  });
}

function callerTests(visitor: Visitor): void {
  test('N-235 without certificate nobody is served', async () => {
    const ask = visitor.as(undefined)('GET', '/consents');
    // Either the handshake ends, or the answer is 401.
    const answer = await ask.catch(() => undefined);
    if (answer !== undefined) refused(answer, 401);
  });

  test("N-235 somebody else's certificate is not served", async (t) => {
    const { stranger } = visitor.target();
    if (stranger === undefined) return t.skip('no such certificate was given');
    for (const [method, path] of [
      ['GET', '/consents'],
      ['GET', '/consents/unknown'],
      ['POST', '/consents'],
    ] as const) {
      const answer = await visitor
        .as(stranger)(method, path, method === 'POST' ? creation() : undefined)
        .catch(() => undefined);
      if (answer !== undefined) refused(answer, 401, 403);
    }
  });

  test('N-235 GET revokes nothing, and unknown paths are not found', async () => {
    const consent = await visitor.agreed();
    refused(await visitor.send('GET', `/consents/${consent.json().id}/status`), 404, 405);
    refused(await visitor.send('DELETE', `/consents/${consent.json().id}`), 404, 405);
    refused(await visitor.send('GET', '/unknown'), 404);
    assert.equal((await visitor.send('GET', `/consents/${consent.json().id}`)).json().state, 'Authorised');
  });

  test('every answer names the call it belongs to', async () => {
    for (const path of ['/health', '/consents?limit=1', '/consents/unknown']) {
      const id = randomUUID();
      const answer = await visitor.send('GET', path, undefined, { 'x-request-id': id });
      assert.equal(answer.headers['x-request-id'], id, path);
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
    }
  });

  test('CLD-50 health answers 200 while the store works', async () => {
    assert.equal((await visitor.send('GET', '/health')).status, 200);
  });
}

function creationTests(visitor: Visitor): void {
  test('CLD-51 CLD-54 a consent is kept exactly as asked, Awaiting, under the id that was asked', async () => {
    const wanted = creation();
    const answer = await visitor.send('POST', '/consents', wanted, { 'idempotency-key': randomUUID() });
    assert.equal(answer.status, 201, answer.text);
    const consent = answer.json();
    for (const member of ['id', 'participant', 'client', 'customer', 'scopes', 'authorizationDetails', 'expiresAt'])
      assert.deepEqual(consent[member], wanted[member], member);
    assert.deepEqual([consent.state, consent.accounts], ['Awaiting', []]);
    const read = await visitor.send('GET', `/consents/${wanted.id}`);
    assert.deepEqual(read.json(), consent);
    assert.equal(tagOf(read), tagOf(answer));
  });

  test('a consent may wait for nobody in particular', async () => {
    assert.equal((await visitor.made({ customer: null })).json().customer, null);
  });

  test('CLD-50 the same request under the same key is one consent; another one under it is refused', async () => {
    const [wanted, key] = [creation(), randomUUID()];
    const post = (body: Body) => visitor.send('POST', '/consents', body, { 'idempotency-key': key });
    const answers = [await post(wanted), await post(wanted)];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 201],
    );
    assert.deepEqual(answers[1]?.json(), answers[0]?.json());
    refused(await post({ ...wanted, client: 'another' }), 409, 422);
    const steps = (await visitor.send('GET', `/consents/${wanted.id}/history`)).json().steps;
    assert.ok(Array.isArray(steps) && steps.length === 1);
  });

  test('CLD-54 a taken id is refused, and whose consent it is does not change', async () => {
    const { id } = (await visitor.made()).json();
    refused(await visitor.create({ id, client: 'another' }), 409);
    refused(await visitor.create({ id }), 409);
    assert.equal((await visitor.send('GET', `/consents/${id}`)).json().client, 'contract-client');
  });
}

function refusedCreationTests(visitor: Visitor): void {
  test('N-198 a consent without id, or with a member that is wrong, missing or unknown, is not made', async () => {
    const wrongs: readonly Body[] = [
      { id: '' },
      { id: 7 },
      { id: null },
      { participant: '' },
      { client: ' ' },
      { customer: '' },
      { scopes: 'accounts' },
      { scopes: ['a', 'a'] },
      { authorizationDetails: ['text'] },
      { expiresAt: 'tomorrow' },
      { expiresAt: later(-MINUTE_MS) },
      { actor: { kind: 'nobody', reference: 'x' } },
      { unknown: true },
    ];
    for (const changes of wrongs) refused(await visitor.create(changes), 400);
    for (const name of ['id', 'client', 'expiresAt', 'actor']) {
      const body = { ...creation(), [name]: undefined };
      refused(await visitor.send('POST', '/consents', body, { 'idempotency-key': randomUUID() }), 400);
    }
    refused(await visitor.send('POST', '/consents', creation()), 400);
    refused(await visitor.send('POST', '/consents', '{"id":', { 'idempotency-key': randomUUID() }), 400);
    const typed = { 'idempotency-key': randomUUID(), 'content-type': 'text/plain' };
    refused(await visitor.send('POST', '/consents', JSON.stringify(creation()), typed), 415);
  });

  test('CLD-51 an attribute that is not in the schema, or not as declared, is refused', async (t) => {
    refused(await visitor.create({ attributes: { [`not-declared-${randomUUID()}`]: 'x' } }), 400);
    const { attribute } = visitor.target();
    if (attribute === undefined) return t.diagnostic('no declared attribute was given');
    refused(await visitor.create({ attributes: { [attribute.name]: attribute.wrong } }), 400);
    const made = await visitor.made({ attributes: { [attribute.name]: attribute.right } });
    assert.deepEqual(made.json().attributes, { [attribute.name]: attribute.right });
  });
}

function readingTests(visitor: Visitor): void {
  test('N-191 CLD-54 an unknown id is 404, for its history as well', async () => {
    for (const path of ['', '/history'])
      refused(await visitor.send('GET', `/consents/unknown-${randomUUID()}${path}`), 404);
  });

  test('CLD-46 CLD-52 lists are newest first, narrowed by every member given, and paged', async () => {
    const participant = `participant-${randomUUID()}`;
    const ids: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      const customer = index % 2 === 0 ? 'customer-1' : 'customer-2';
      ids.push(String((await visitor.agreed({ participant, customer })).json().id));
      // Within one millisecond the order of two consents is the store's own affair.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const list = async (query: Record<string, string>) => {
      const answer = await visitor.send('GET', `/consents?${new URLSearchParams({ participant, ...query })}`);
      assert.equal(answer.status, 200, answer.text);
      const { consents } = answer.json();
      assert.ok(Array.isArray(consents));
      return consents;
    };
    const places = async (query: Record<string, string>) =>
      (await list(query)).map((consent: { id: string }) => ids.indexOf(consent.id));
    assert.deepEqual(await places({}), [3, 2, 1, 0]);
    assert.deepEqual(await places({ customer: 'customer-1' }), [2, 0]);
    assert.deepEqual(await places({ customer: 'customer-1', state: 'Revoked' }), []);
    assert.deepEqual(await places({ state: 'Authorised', limit: '2' }), [3, 2]);
    const [, last] = await list({ limit: '2' });
    assert.deepEqual(await places({ limit: '2', afterCreatedAt: last.createdAt, afterId: last.id }), [1, 0]);
  });

  test('N-205 N-237 a blank, unknown, repeated or malformed parameter is refused, never a wildcard', async () => {
    for (const query of [
      'customer=',
      'client=%20',
      'unknown=1',
      'client=a&client=b',
      'state=Allowed',
      'limit=0',
      'limit=x',
      'afterId=a',
    ])
      refused(await visitor.send('GET', `/consents?${query}`), 400);
  });
}

function recordTests(visitor: Visitor): void {
  test('CLD-47 CLD-56 history tells each step, by whom, when and why', async () => {
    const consent = await visitor.agreed();
    const { id } = consent.json();
    const actor = { kind: 'staff', reference: 'staff-1', reason: 'asked by telephone' };
    await visitor.change(id, tagOf(consent), { state: 'Revoked', actor });
    const { steps } = (await visitor.send('GET', `/consents/${id}/history`)).json();
    assert.ok(Array.isArray(steps));
    assert.deepEqual(
      steps.map(({ action, state, actor: kind }) => [action, state, kind]),
      [
        ['create', 'Awaiting', 'system'],
        ['authorise', 'Authorised', 'system'],
        ['revoke', 'Revoked', 'staff'],
      ],
    );
    assert.deepEqual([steps[2].actorReference, steps[2].reason], ['staff-1', 'asked by telephone']);
    assert.ok(!Number.isNaN(Date.parse(steps[2].at)));
  });

  test('uses are noted, the latest counts, unknown ids are passed over', async () => {
    const { id } = (await visitor.agreed()).json();
    const [early, late] = [later(-2 * MINUTE_MS), later(-MINUTE_MS)];
    const note = (at: string) =>
      visitor.send('POST', '/uses', {
        uses: [
          { id, at },
          { id: `unknown-${randomUUID()}`, at },
        ],
      });
    assert.equal((await note(late)).status, 204);
    assert.equal((await note(early)).status, 204);
    assert.equal((await visitor.send('GET', `/consents/${id}`)).json().lastUsedAt, late);
  });
}

function bankTests(visitor: Visitor): void {
  test('CLD-52 the bank’s own staff list and filter, and revoke; they neither make nor agree', async (t) => {
    const { bank } = visitor.target();
    if (bank === undefined) return t.skip('no certificate of the bank was given');
    const participant = `participant-${randomUUID()}`;
    const consent = await visitor.agreed({ participant });
    const { id, createdAt } = consent.json();
    const ask = visitor.as(bank);
    const query = new URLSearchParams({ participant, createdFrom: String(createdAt), createdTo: String(createdAt) });
    const { consents } = (await ask('GET', `/consents?${query}`)).json();
    assert.ok(Array.isArray(consents) && consents.length === 1);
    refused(await ask('POST', '/consents', creation(), { 'idempotency-key': randomUUID() }), 403);
    const put = (body: Body) =>
      ask('PUT', `/consents/${id}/status`, { actor: ACTOR, ...body }, { 'if-match': tagOf(consent) });
    refused(await put({ state: 'Consumed' }), 403);
    const revoked = await put({ state: 'Revoked' });
    assert.deepEqual([revoked.status, revoked.json().state], [200, 'Revoked']);
    assert.equal((await visitor.send('GET', `/consents/${id}`)).json().state, 'Revoked');
  });

  test('CLD-51 CLD-54 the bank writes declared attributes, and nothing else', async (t) => {
    const { bank, attribute } = visitor.target();
    if (bank === undefined || attribute === undefined) return t.skip('no certificate of the bank, or no attribute');
    const consent = await visitor.agreed();
    const { id } = consent.json();
    const patch = (who: Identity, body: Body, version = tagOf(consent)) =>
      visitor.as(who)('PATCH', `/consents/${id}/attributes`, body, { 'if-match': version });
    refused(await patch(visitor.target().platform, { attributes: { [attribute.name]: attribute.right } }), 403);
    refused(await patch(bank, { attributes: { [`not-declared-${randomUUID()}`]: 1 } }), 400);
    refused(await patch(bank, { attributes: { [attribute.name]: attribute.wrong } }), 400);
    refused(await patch(bank, { attributes: {}, id: 'another' }), 400);
    const changed = await patch(bank, { attributes: { [attribute.name]: attribute.right } });
    assert.equal(changed.status, 200, changed.text);
    assert.deepEqual(changed.json(), { ...consent.json(), attributes: { [attribute.name]: attribute.right } });
    refused(await patch(bank, { attributes: {} }), 412);
  });
}
