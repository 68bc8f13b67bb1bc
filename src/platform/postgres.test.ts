import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import pg from 'pg';
import { openPostgres } from './postgres.ts';

// Set by test/run.ts, which starts a server for the run.
const SERVER = process.env.PORTCULLIS_TEST_POSTGRES_URL;

/** A wire to the server that can be cut, or can swallow what is sent. */
async function wire(context: TestContext, server: string) {
  const target = new URL(server);
  const sockets = new Set<Socket>();
  let swallow = false;
  const proxy = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.on('data', (octets) => swallow || far.write(octets)).on('close', () => far.destroy());
    far.on('data', (octets) => swallow || near.write(octets)).on('close', () => near.destroy());
  });
  const listen = async (port: number) => {
    proxy.listen(port, '127.0.0.1');
    await once(proxy, 'listening');
    const address = proxy.address();
    assert.ok(address !== null && typeof address === 'object');
    return address.port;
  };
  const port = await listen(0);
  const cut = async () => {
    proxy.close();
    for (const socket of sockets) socket.destroy();
    await once(proxy, 'close');
  };
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const url = new URL(server);
  url.port = String(port);
  return { url: url.href, cut, mend: () => listen(port), swallow: (on: boolean) => (swallow = on) };
}

async function say(server: string, payload: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query("SELECT pg_notify('things', $1)", [payload]);
  await client.end();
}

/** Waits for a state that a driver reaches by itself. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((again) => setTimeout(again, 10));
}

if (SERVER !== undefined) {
  test('a server that cannot be reached ends the opening, and nothing goes on behind it', async () => {
    await assert.rejects(openPostgres('postgres://nobody@127.0.0.1:1/none'), /ECONNREFUSED/);
  });

  test('a lost connection is told, and told again when it is back; what was said meanwhile is missed', async (context) => {
    const line = await wire(context, SERVER);
    const database = await openPostgres(line.url);
    context.after(() => database.close());
    const received: string[] = [];
    let lost = 0;
    await database.listen(
      'things',
      (payload) => received.push(payload),
      () => (lost += 1),
    );
    await say(SERVER, 'before');
    await until(() => received.length === 1);
    await line.cut();
    await until(() => lost >= 1);
    assert.equal(database.notificationsAlive(), false);
    await assert.rejects(database.query('SELECT 1'));
    await say(SERVER, 'unheard');
    const before = lost;
    await line.mend();
    await until(() => database.notificationsAlive());
    await until(() => lost > before);
    await say(SERVER, 'after');
    await until(() => received.length === 2);
    assert.deepEqual(received, ['before', 'after']);
    assert.equal((await database.query('SELECT 1 AS one')).length, 1);
  });

  test('a network that swallows everything counts as lost within seconds', async (context) => {
    const line = await wire(context, SERVER);
    const database = await openPostgres(line.url);
    let lost = 0;
    await database.listen(
      'things',
      () => undefined,
      () => (lost += 1),
    );
    line.swallow(true);
    await until(() => lost === 1);
    assert.equal(database.notificationsAlive(), false);
    line.swallow(false);
    await line.cut();
    await database.close();
  });

  test('a server that falls silent: what was asked of it is refused in time, and it works again when it speaks', async (context) => {
    const line = await wire(context, SERVER);
    const database = await openPostgres(line.url, 800);
    context.after(() => database.close());
    const one = { text: 'SELECT $1::int AS one', values: [1] };
    assert.deepEqual(await database.together([one]), [[{ one: 1 }]]);
    line.swallow(true);
    await assert.rejects(database.together([one, one]));
    line.swallow(false);
    assert.deepEqual(await database.together([one]), [[{ one: 1 }]]);
    line.swallow(true);
    await assert.rejects(database.query(one.text, one.values));
    line.swallow(false);
    assert.deepEqual(await database.query(one.text, one.values), [{ one: 1 }]);
    line.swallow(true);
    await assert.rejects(database.transaction(({ query }) => query(one.text, one.values)));
    line.swallow(false);
    const later = database.transaction(async ({ query }) => {
      await query(one.text, one.values);
      line.swallow(true);
      await query(one.text, one.values);
    });
    await assert.rejects(later);
    line.swallow(false);
    const commit = database.transaction(async ({ query }) => {
      await query(one.text, one.values);
      line.swallow(true);
    });
    await assert.rejects(commit);
    line.swallow(false);
    assert.deepEqual(await database.transaction(({ query }) => query(one.text, one.values)), [{ one: 1 }]);
  });

  test('a connection the server ends in the middle of a transaction fails it, and the next one works', async (context) => {
    const database = await openPostgres(SERVER);
    context.after(() => database.close());
    const killed = database.transaction((statements) =>
      statements.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    );
    await assert.rejects(killed);
    assert.equal((await database.query('SELECT 1 AS one')).length, 1);
  });
}
