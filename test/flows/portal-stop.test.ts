import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { Refusal } from '../../src/platform/refusal.ts';
import { finishRevocations } from '../../src/web/index.ts';
import { type Browser, formOf } from '../support/browser.ts';
import { call } from '../support/http.ts';
import { connect, PASSWORD } from '../support/journey.ts';
import { startPlatform } from '../support/platform.ts';
import { portalOf } from '../support/portal.ts';

const platform = await startPlatform();
after(() => platform.close());
const { party, client, at, pathOf, signedIn, alive } = await portalOf(platform);

describe('stopping', () => {
  let browser: Browser;
  beforeEach(async () => {
    browser = await signedIn();
  });

  test('CLD-47 CLD-48 two steps: what will stop, then what has stopped; GET changes nothing', async () => {
    const one = await connect(platform, party, client);
    const other = await connect(platform, party, client);
    const detail = await browser.get(pathOf(one.consent));
    assert.ok(detail.text.includes(one.consent));
    const ask = await browser.get(pathOf(one.consent, '/stop'));
    assert.match(ask.text, /Nothing has been stopped yet/);
    assert.equal((await platform.rooms.consents.find('gobank', one.consent))?.state, 'Authorised');
    assert.ok(await alive(one.access));
    const done = await browser.submit(ask, formOf(ask, '/stop'), {});
    assert.equal(done.url, pathOf(one.consent));
    assert.match(done.text, /role="status"><p>Sharing has stopped\. .*One access key was ended/);
    assert.match(done.text, /data-state="Revoked">Stopped/);
    assert.match(done.text, /Stopped<\/strong> by you/);
    const refused = await party.api('gobank', '/accounts', one.access);
    assert.ok([401, 403].includes(refused.status));
    assert.deepEqual((await party.refresh(client, one.refresh)).json().error, 'invalid_grant');
    assert.deepEqual((await party.introspect(client, one.access)).json(), { active: false });
    assert.ok(await alive(other.access));
    await platform.rooms.audit.flush();
    const [record] = await platform.rooms.audit.search({ consent: one.consent, action: 'consent.revoked' });
    assert.equal(record?.facts?.actor, 'customer');
    assert.ok(!(await browser.get(pathOf(one.consent))).text.includes('role="status"'));
  });

  test('CLD-47 stopping twice is no error and changes nothing more', async () => {
    const { consent } = await connect(platform, party, client);
    const ask = await browser.get(pathOf(consent, '/stop'));
    await browser.submit(ask, formOf(ask, '/stop'), {});
    const changed = (await platform.rooms.consents.find('gobank', consent))?.changedAt;
    const again = await browser.submit(ask, formOf(ask, '/stop'), {});
    assert.equal(again.status, 200);
    assert.match(again.text, /had been stopped before/);
    assert.deepEqual((await platform.rooms.consents.find('gobank', consent))?.changedAt, changed);
  });

  test('N-206 stopped while a call is running: that call ends, the next is refused', async () => {
    const { consent, access } = await connect(platform, party, client);
    const ask = await browser.get(pathOf(consent, '/stop'));
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = platform.core.calls.length;
    platform.core.hold = promise;
    try {
      const running = party.api('gobank', '/accounts', access);
      while (platform.core.calls.length === before) await new Promise((later) => setImmediate(later));
      await browser.submit(ask, formOf(ask, '/stop'), {});
      const next = await party.api('gobank', '/accounts', access);
      assert.ok([401, 403].includes(next.status));
      assert.equal(platform.core.calls.length, before + 1);
      resolve();
      const ended = await running;
      assert.ok([200, 401, 403].includes(ended.status), ended.text);
    } finally {
      resolve();
      platform.core.hold = undefined;
    }
  });

  test('N-205 N-215 a token of another consent’s page, another method, a foreign field: refused', async () => {
    const one = await connect(platform, party, client);
    const other = await connect(platform, party, client);
    const ask = await browser.get(pathOf(one.consent, '/stop'));
    const form = formOf(ask, '/stop');
    const wrong = await browser.submit(ask, { ...form, action: `/gobank/consents/${other.consent}/stop` }, {});
    assert.equal(wrong.status, 403);
    assert.equal((await browser.submit(ask, form, { customer: 'user2' })).status, 400);
    assert.equal((await browser.submit(ask, form, { csrf: [form.fields.csrf ?? '', 'x'] })).status, 400);
    const put = await call(pathOf(one.consent, '/stop'), { method: 'PUT', agent: platform.browserAgent });
    assert.deepEqual([put.status, put.headers.allow], [405, 'GET, HEAD, POST']);
    for (const { access } of [one, other]) assert.ok(await alive(access));
  });

  test('N-202 what ended otherwise is not undone', async () => {
    const { consent } = await connect(platform, party, client);
    const ask = await browser.get(pathOf(consent, '/stop'));
    await platform.rooms.database.query('UPDATE consent.consents SET expires_at = $2 WHERE id = $1', [
      consent,
      new Date(Date.now() - 1_000),
    ]);
    const refused = await browser.submit(ask, formOf(ask, '/stop'), {});
    assert.deepEqual([refused.status, refused.text.includes('consent_status_invalid')], [400, true]);
  });

  test('N-201 while tokens of a revoked consent live it says so, and asking again ends them', async () => {
    const { consent, access } = await connect(platform, party, client);
    await platform.rooms.consents.revoke('gobank', consent, { kind: 'customer', reference: 'test' });
    assert.ok(!(await alive(access)));
    const page = await browser.get(pathOf(consent));
    assert.match(page.text, /data-state="revoking">Being stopped/);
    assert.match(page.text, /still confirming it everywhere/);
    assert.match(page.text, /<dt>Being stopped since<.*Asked to stop<\/strong> by you/s);
    assert.doesNotMatch(page.text, /Nothing has been stopped yet|>Ended on<|>Stopped</);
    const ask = await browser.get(pathOf(consent, '/stop'));
    const done = await browser.submit(ask, formOf(ask, '/stop'), {});
    assert.match(done.text, /data-state="Revoked">Stopped/);
  });

  test('N-201 tokens cannot be ended at once: refused all the same, shown as being stopped, and done in the background', async () => {
    const { consent, access } = await connect(platform, party, client);
    const ask = await browser.get(pathOf(consent, '/stop'));
    const { deny } = platform.rooms.tokens;
    const failing = { deny: () => Promise.reject(new Refusal('token_store_unavailable', 503, 'away')) };
    Object.assign(platform.rooms.tokens, failing);
    try {
      for (let round = 0; round < 2; round += 1) {
        const done = await browser.submit(ask, formOf(ask, '/stop'), {});
        assert.equal(done.status, 200);
        assert.match(done.text, /data-state="revoking">Being stopped/);
        assert.match(done.text, /still confirming/);
      }
      assert.ok(!(await alive(access)));
      await makeDue(consent);
      assert.equal(await finishRevocations(platform.rooms), 0);
      // The next attempt waits: nobody takes it twice at once.
      assert.deepEqual(await platform.rooms.consents.takeEndings(), []);
    } finally {
      Object.assign(platform.rooms.tokens, { deny });
    }
    await makeDue(consent);
    assert.equal(await finishRevocations(platform.rooms), 1);
    assert.match((await browser.get(pathOf(consent))).text, /data-state="Revoked">Stopped/);
    assert.deepEqual(await platform.rooms.tokens.list({ bank: 'gobank', consent }), []);
    await makeDue(consent);
    assert.deepEqual(await platform.rooms.consents.takeEndings(), []);
  });

  test('the consent page names the portal as the place to stop', async () => {
    const pushed = await party.push(client);
    const start = await browser.get(pushed.authorizationUrl);
    const page = await browser.submit(start, formOf(start, '/sign-in'), { username: 'user', password: PASSWORD });
    assert.ok(page.text.includes(`href="${at('')}"`), page.text.slice(0, 400));
  });
});

/** Lets the next attempt to end the tokens of every revoked consent be due; what other tests left is done as well. */
async function makeDue(consent: string): Promise<void> {
  const { database } = platform.rooms;
  await database.query('DELETE FROM consent.endings WHERE consent <> $1', [consent]);
  await database.query('UPDATE consent.endings SET next_attempt_at = $1', [new Date(0)]);
}
