import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { agreement, later, MINUTE_MS, refused, tagOf, type Visitor } from './store-visitor.ts';

const RACERS = 5;

/** Changes of a consent: versions, races, ends. */
export function changeTests(visitor: Visitor): void {
  allowedChangeTests(visitor);
  endedTests(visitor);
  refusedChangeTests(visitor);
}

function allowedChangeTests(visitor: Visitor): void {
  test('CLD-50 an agreement keeps exactly what was agreed, and is a new version', async () => {
    const waiting = await visitor.made();
    const wanted = agreement();
    const answer = await visitor.change(waiting.json().id, tagOf(waiting), wanted);
    assert.equal(answer.status, 200, answer.text);
    const { changedAt: before, ...same } = waiting.json();
    const { changedAt, ...consent } = answer.json();
    assert.deepEqual(consent, { ...same, ...wanted });
    assert.ok(Date.parse(String(changedAt)) >= Date.parse(String(before)));
    assert.notEqual(tagOf(answer), tagOf(waiting));
  });

  test('a change names the version it was decided on: none is 428, an old one is 412, and nothing happens', async () => {
    const waiting = await visitor.made();
    const { id } = waiting.json();
    refused(await visitor.change(id, undefined, agreement()), 428);
    refused(await visitor.change(id, '"another"', agreement()), 412);
    await visitor.change(id, tagOf(waiting), agreement());
    refused(await visitor.change(id, tagOf(waiting), { state: 'Revoked' }), 412);
    assert.equal((await visitor.send('GET', `/consents/${id}`)).json().state, 'Authorised');
  });

  test(`N-194 of ${RACERS} changes at once, one wins`, async () => {
    const waiting = await visitor.made();
    const { id } = waiting.json();
    const bodies = Array.from({ length: RACERS }, (_, index) =>
      index % 2 === 0 ? agreement() : { state: 'Rejected' },
    );
    const answers = await Promise.all(bodies.map((body) => visitor.change(id, tagOf(waiting), body)));
    assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    for (const answer of answers) if (answer.status !== 200) refused(answer, 409, 412);
    const steps = (await visitor.send('GET', `/consents/${id}/history`)).json().steps;
    assert.ok(Array.isArray(steps) && steps.length === 2);
  });
}

function endedTests(visitor: Visitor): void {
  const endings = ['Rejected', 'Revoked', 'Consumed'] as const;
  for (const state of endings)
    test(`ASK-09 N-194 what is ${state} stays ${state}`, async () => {
      const consent = state === 'Rejected' ? await visitor.made() : await visitor.agreed();
      const { id } = consent.json();
      let last = await visitor.change(id, tagOf(consent), { state });
      assert.deepEqual([last.status, last.json().state], [200, state]);
      for (const next of [agreement(), ...endings.map((other) => ({ state: other }))]) {
        const answer = await visitor.change(id, tagOf(last), next);
        if (state === 'Revoked' && next.state === 'Revoked') {
          assert.deepEqual([answer.status, answer.json()], [200, last.json()], 'revoking twice is the same answer');
          last = answer;
        } else refused(answer, 409);
      }
      assert.equal((await visitor.send('GET', `/consents/${id}`)).json().state, state);
    });
}

function refusedChangeTests(visitor: Visitor): void {
  test('an Awaiting consent is not consumed, and no state that nobody can bring about is taken', async () => {
    const waiting = await visitor.made();
    refused(await visitor.change(waiting.json().id, tagOf(waiting), { state: 'Consumed' }), 409);
    for (const state of ['Expired', 'Awaiting', 'Allowed', '', 7, null])
      refused(await visitor.change(waiting.json().id, tagOf(waiting), { state }), 400);
  });

  test('N-195 agreeing to more than was asked, or for another customer, or until yesterday, changes nothing', async () => {
    const waiting = await visitor.made();
    const { id } = waiting.json();
    for (const wrong of [
      { scopes: ['accounts', 'everything'] },
      { customer: 'another' },
      { customer: null },
      { customer: undefined },
      { accounts: ['a', 'a'] },
      { accounts: undefined },
      { expiresAt: later(-MINUTE_MS) },
      { unknown: true },
    ])
      refused(await visitor.change(id, tagOf(waiting), { ...agreement(), ...wrong }), 400);
    assert.deepEqual((await visitor.send('GET', `/consents/${id}`)).json(), waiting.json());
  });

  test('N-192 a consent ends by itself at its time', async () => {
    const waiting = await visitor.made();
    const end = Date.now() + 300;
    const body = { ...agreement(), expiresAt: new Date(end).toISOString() };
    const answer = await visitor.change(waiting.json().id, tagOf(waiting), body);
    assert.equal(answer.status, 200, answer.text);
    // The store's own clock decides; this test has to let it go on.
    await new Promise((resolve) => setTimeout(resolve, end - Date.now() + 50));
    const over = await visitor.send('GET', `/consents/${waiting.json().id}`);
    assert.equal(over.json().state, 'Expired');
    refused(await visitor.change(waiting.json().id, tagOf(over), { state: 'Consumed' }), 409);
    refused(await visitor.change(waiting.json().id, tagOf(over), { state: 'Revoked' }), 409);
  });

  test('N-191 CLD-54 a change of an unknown id is 404', async () => {
    refused(await visitor.change(`unknown-${randomUUID()}`, '"1"', { state: 'Revoked' }), 404);
  });
}
