import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Agent, request as send } from 'undici';
import { openRegister } from '../authority/register.ts';
import { type Places, placesOf } from '../places.ts';
import { remoteKeys } from './facts.ts';
import { type BankOptions, type OpenBank, openBank } from './server.ts';

const NOW = new Date();
const ISSUER = 'https://localhost:8443/gobank';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

interface Answer {
  readonly status: number;
  readonly body: string;
}

describe('a bank of the sandbox', () => {
  let root: string;
  let places: Places;
  let bank: OpenBank;
  let gateway: Agent;
  let keys: KeyPair;
  let options: BankOptions;
  const agents: Agent[] = [];

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'portcullis-bank-'));
    places = placesOf(root);
    await openRegister(places, ['gobank'], NOW);
    keys = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256' };
    const file = (...parts: readonly string[]) => readFile(join(places.sandbox, ...parts), 'utf8');
    options = {
      id: 'gobank',
      host: '127.0.0.1',
      port: 0,
      certificate: await file('banks', 'gobank', 'server.pem'),
      key: await file('banks', 'gobank', 'server.key'),
      authority: await file('authority', 'internal.pem'),
      issuer: ISSUER,
      keys: createLocalJWKSet({ keys: [jwk] }),
      paymentsFile: join(root, 'payments.json'),
    };
    bank = await openBank(options);
    gateway = await agent(['platform', 'gateway']);
  });
  after(async () => {
    await Promise.all(agents.map((open) => open.close()));
    await bank.close();
    await rm(root, { recursive: true, force: true });
  });

  async function agent(identity: readonly string[] | undefined): Promise<Agent> {
    const ca = options.authority;
    const path = join(places.sandbox, ...(identity ?? []));
    const own =
      identity === undefined
        ? {}
        : { cert: await readFile(`${path}.pem`, 'utf8'), key: await readFile(`${path}.key`, 'utf8') };
    const made = new Agent({ connect: { ca, ...own } });
    agents.push(made);
    return made;
  }
  async function call(
    path: string,
    more: { readonly facts?: string; readonly body?: unknown; readonly agent?: Agent; readonly method?: string } = {},
  ): Promise<Answer> {
    const { statusCode, body } = await send(bank.origin + path, {
      dispatcher: more.agent ?? gateway,
      method: more.method ?? (more.body === undefined ? 'GET' : 'POST'),
      headers: {
        'x-fapi-interaction-id': 'trace-1',
        ...(more.facts === undefined ? {} : { 'portcullis-facts': more.facts }),
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(more.body === undefined ? {} : { body: JSON.stringify(more.body) }),
    });
    return { status: statusCode, body: await body.text() };
  }
  const reasonOf = ({ body }: Answer): unknown => JSON.parse(body).error?.reason;

  interface Wrong {
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly key?: KeyPair['privateKey'];
    readonly kid?: string;
    readonly type?: string;
    readonly algorithm?: string;
  }
  const seconds = Math.floor(NOW.getTime() / 1000);
  function facts(customer: string | undefined, accounts: readonly string[], wrong: Wrong = {}): Promise<string> {
    const claims = {
      iss: ISSUER,
      aud: 'gobank',
      iat: seconds,
      exp: seconds + 60,
      client: 'client',
      participant: 'financroo',
      ...(customer === undefined ? {} : { customer }),
      accounts: [...accounts],
      ...wrong.claims,
    };
    return new SignJWT(claims)
      .setProtectedHeader({
        alg: wrong.algorithm ?? 'ES256',
        typ: wrong.type ?? 'portcullis-facts+jwt',
        kid: wrong.kid ?? 'one',
      })
      .sign(wrong.key ?? keys.privateKey);
  }
  async function signIn(username: string): Promise<{ readonly id: string; readonly accounts: readonly string[] }> {
    const { body } = await call('/sign-in', { body: { username, password: 'p@ssword!' } });
    const { id } = JSON.parse(body);
    const listed = JSON.parse((await call(`/customers/${id}/accounts`)).body);
    return { id, accounts: listed.accounts.map((account: { readonly id: string }) => account.id) };
  }

  test('N-04 without a certificate the handshake ends', async () => {
    await assert.rejects(call('/sign-in', { agent: await agent(undefined), body: {} }));
  });

  test('N-04 a participant is not let in, whatever it asks', async () => {
    await assert.rejects(call('/accounts', { agent: await agent(['participants', 'financroo', 'transport']) }));
  });

  test('N-04 another identity of the internal authority is not let in', async () => {
    const other = await agent(['banks', 'gobank', 'server']);
    const outcome = await call('/sign-in', { agent: other, body: {} }).catch(() => undefined);
    assert.ok(outcome === undefined || outcome.status === 401);
  });

  test('data is refused without a statement of the platform', async () => {
    for (const path of ['/accounts', '/accounts/acc-30219729', '/accounts/acc-30219729/balances', '/balances']) {
      const answer = await call(path);
      assert.deepEqual([answer.status, reasonOf(answer)], [401, 'facts_missing'], path);
    }
    const payment = await call('/payments', { body: { account: '1', amount: 1 } });
    assert.deepEqual([payment.status, reasonOf(payment)], [401, 'facts_missing']);
  });

  test('data is refused with a statement that is expired, for another, by another or of another kind', async (t) => {
    const { id, accounts } = await signIn('user');
    const stranger = await generateKeyPair('ES256');
    const rsa = await generateKeyPair('PS256');
    const wrongs: Readonly<Record<string, readonly [Wrong, string]>> = {
      'expired an hour ago': [{ claims: { iat: seconds - 3660, exp: seconds - 3600 } }, 'facts_expired'],
      'without an end': [{ claims: { exp: undefined } }, 'facts_invalid'],
      'for another bank': [{ claims: { aud: 'labbank' } }, 'facts_invalid'],
      'by another issuer': [{ claims: { iss: 'https://localhost:8443/labbank' } }, 'facts_invalid'],
      'signed by a stranger': [{ key: stranger.privateKey }, 'facts_invalid'],
      'signed with an unknown key': [{ key: stranger.privateKey, kid: 'two' }, 'facts_invalid'],
      'of another type': [{ type: 'at+jwt' }, 'facts_invalid'],
      'of another algorithm': [{ key: rsa.privateKey, algorithm: 'PS256' }, 'facts_invalid'],
      'with accounts that are no list': [{ claims: { accounts: 'all' } }, 'facts_invalid'],
      'with a customer that is no text': [{ claims: { customer: 7 } }, 'facts_invalid'],
    };
    for (const [name, [wrong, reason]] of Object.entries(wrongs)) {
      await t.test(name, async () => {
        const answer = await call('/accounts', { facts: await facts(id, accounts, wrong) });
        assert.deepEqual([answer.status, reasonOf(answer)], [401, reason]);
      });
    }
    const unsigned = [
      { alg: 'none', typ: 'portcullis-facts+jwt' },
      { iss: ISSUER, aud: 'gobank', exp: seconds + 60 },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    assert.equal((await call('/accounts', { facts: `${unsigned}.` })).status, 401);
    assert.equal((await call('/accounts', { facts: 'nonsense' })).status, 401);
  });

  test('an account outside the consent, of somebody else, or of nobody is not there', async () => {
    const [mine, theirs] = [await signIn('user'), await signIn('user2')];
    const [agreed = '', ...unticked] = mine.accounts;
    const foreign = theirs.accounts.filter((id) => !mine.accounts.includes(id));
    assert.ok(unticked.length > 0 && foreign.length > 0);
    const statement = await facts(mine.id, [agreed, ...foreign]);
    for (const id of [...unticked, ...foreign, 'acc-1']) {
      for (const path of [`/accounts/${id}`, `/accounts/${id}/balances`, `/accounts/${id}/transactions`]) {
        assert.equal((await call(path, { facts: statement })).status, 404, path);
      }
    }
    const listed = JSON.parse((await call('/accounts', { facts: statement })).body);
    assert.deepEqual(
      listed.accounts.map((account: { readonly id: string }) => account.id),
      [agreed],
    );
    assert.equal(JSON.parse((await call('/balances', { facts: statement })).body).balances.length, 1);
  });

  test('N-213 an unknown customer has no accounts, and none is everybody’s', async () => {
    const { id, accounts } = await signIn('user');
    const stranger = await call('/accounts', { facts: await facts('cust-1', accounts) });
    assert.deepEqual(JSON.parse(stranger.body), { accounts: [] });
    const nobody = await call('/accounts', { facts: await facts(undefined, accounts) });
    assert.deepEqual([nobody.status, reasonOf(nobody)], [403, 'customer_missing']);
    assert.equal((await call('/customers/cust-1/accounts')).status, 404);
    assert.equal((await call(`/customers/cust-1/accounts/${accounts[0]}/number`)).status, 404);
    assert.deepEqual(JSON.parse((await call('/accounts', { facts: await facts(id, []) })).body), { accounts: [] });
  });

  test('N-237 a missing or misnamed user is no default user', async () => {
    const { id } = await signIn('user');
    for (const path of ['/customers/accounts', '/customers//accounts', '/customers']) {
      assert.equal((await call(path)).status, 404, path);
    }
    for (const path of [`/customers/${id}/accounts?user=${id}`, `/customers/${id}/accounts?customer=`]) {
      assert.equal((await call(path)).status, 400, path);
    }
    const statement = await facts(id, []);
    assert.equal((await call(`/accounts?customer=${id}`, { facts: statement })).status, 400);
    assert.equal((await call('/balances?user=user2', { facts: statement })).status, 400);
  });

  test('unknown paths are 404, wrong methods 405', async () => {
    assert.equal((await call('/')).status, 404);
    assert.equal((await call('/accounts/')).status, 404);
    assert.equal((await call('/accounts/%E0%A4%A')).status, 404);
    assert.equal((await call('/accounts', { method: 'DELETE' })).status, 405);
    assert.equal((await call('/sign-in')).status, 405);
  });

  test('CLD-24 every wrong sign-in gets the same answer, every malformed one 400', async () => {
    const answers = [
      await call('/sign-in', { body: { username: 'user', password: 'wrong' } }),
      await call('/sign-in', { body: { username: 'nobody', password: 'p@ssword!' } }),
      await call('/sign-in', { body: { username: '', password: '' } }),
    ];
    for (const answer of answers) assert.deepEqual([answer.status, answer.body], [401, answers[0]?.body]);
    const malformed = [
      {},
      [],
      'x',
      { username: 'user' },
      { username: 1, password: 2 },
      { user: 'user', password: 'x' },
    ];
    for (const body of malformed) assert.equal((await call('/sign-in', { body })).status, 400, JSON.stringify(body));
  });

  test('CLD-24 both customers sign in, hold accounts in several currencies and share one', async () => {
    const [one, two] = [await signIn('user'), await signIn('user2')];
    assert.notEqual(one.id, two.id);
    assert.equal(one.accounts.filter((id) => two.accounts.includes(id)).length, 1);
  });

  test('transactions: wrong parameters are refused', async () => {
    const { id, accounts } = await signIn('user');
    const path = `/accounts/${accounts[0]}/transactions`;
    const statement = await facts(id, accounts);
    const wrong = ['page=0', 'page=x', 'pageSize=501', 'pageSize=-1', 'from=2026-02-30', 'from=yesterday'];
    for (const query of [...wrong, 'from=2026-02-02&to=2026-02-01', 'limit=5', 'page=1&page=2']) {
      assert.equal((await call(`${path}?${query}`, { facts: statement })).status, 400, query);
    }
  });

  test('transactions: pages cover everything once, newest first, and end at the balance', async () => {
    const { id, accounts } = await signIn('user');
    const path = `/accounts/${accounts[0]}/transactions`;
    const statement = await facts(id, accounts);
    const get = async (query: string) => JSON.parse((await call(`${path}?${query}`, { facts: statement })).body);
    const first = await get('pageSize=200');
    const found = [...first.transactions];
    for (let page = 2; page <= first.pages; page++)
      found.push(...(await get(`pageSize=200&page=${page}`)).transactions);
    assert.equal(found.length, first.total);
    assert.equal(new Set(found.map((transaction) => transaction.id)).size, first.total);
    const days = found.map((transaction) => transaction.bookedOn);
    assert.deepEqual(days, days.toSorted().reverse());
    assert.match(found[0].amount, /^-?\d+\.\d\d$/);
    const { balances } = JSON.parse((await call(`/accounts/${accounts[0]}/balances`, { facts: statement })).body);
    assert.equal(balances[0].amount, found[0].balanceAfter);
    const [to, from] = [days[40], days[90]];
    const between = (await get(`from=${from}&to=${to}&pageSize=500`)).transactions;
    assert.deepEqual(
      between,
      found.filter((transaction) => transaction.bookedOn >= from && transaction.bookedOn <= to),
    );
    assert.ok(between.length >= 51);
    assert.deepEqual((await get(`page=${first.pages + 1}&pageSize=200`)).transactions, []);
  });

  test('LAB-28 a bad payment moves nothing; one beyond the balance is declined', async () => {
    const { id, accounts } = await signIn('user');
    const account = accounts[0] ?? '';
    const { number } = JSON.parse((await call(`/customers/${id}/accounts/${account}/number`)).body);
    const statement = await facts(id, [account]);
    const balance = async () =>
      (await call(`/accounts/${account}/balances`, { facts: statement })).body.split('asOf')[0];
    const before = await balance();
    const bodies = [{}, { account: number }, { account: number, amount: 0 }, { account: number, amount: -1 }];
    for (const body of [...bodies, { account: number, amount: 'x' }, { account: number, amount: 1, more: 1 }]) {
      assert.equal((await call('/payments', { facts: statement, body })).status, 400, JSON.stringify(body));
    }
    const others = [await facts(id, []), await facts('cust-1', [account])];
    for (const other of others) {
      assert.equal((await call('/payments', { facts: other, body: { account: number, amount: 1 } })).status, 404);
    }
    const declined = await call('/payments', { facts: statement, body: { account: number, amount: 10_000_000 } });
    assert.deepEqual(JSON.parse(declined.body), { status: 'DECLINED', reason: 'insufficient funds' });
    assert.equal(await balance(), before);
  });

  test('a payment is approved once paid for, seen in the transactions, and kept over a restart', async () => {
    const { id, accounts } = await signIn('user2');
    const account = accounts.at(-1) ?? '';
    const { number } = JSON.parse((await call(`/customers/${id}/accounts/${account}/number`)).body);
    const statement = await facts(id, [account]);
    const newest = async () => {
      const { body } = await call(`/accounts/${account}/transactions?pageSize=1`, { facts: statement });
      return JSON.parse(body).transactions[0];
    };
    const before = Number((await newest()).balanceAfter);
    const paid = await call('/payments', { facts: statement, body: { account: number, amount: 12.5 } });
    assert.equal(JSON.parse(paid.body).status, 'APPROVED');
    assert.equal((await newest()).amount, '-12.50');
    assert.equal((await newest()).balanceAfter, (before - 12.5).toFixed(2));
    await bank.close();
    bank = await openBank(options);
    assert.equal((await newest()).balanceAfter, (before - 12.5).toFixed(2));
  });

  test('keys: fetched over TLS when first needed, and again for a key id nobody knew', async () => {
    const [old, young] = [await generateKeyPair('ES256', { extractable: true }), keys];
    let published = [{ ...(await exportJWK(old.publicKey)), kid: 'old' }];
    let fetches = 0;
    const [cert, key, authority] = await Promise.all(
      ['platform/server.pem', 'platform/server.key', 'authority/root.pem'].map((path) =>
        readFile(join(places.sandbox, path), 'utf8'),
      ),
    );
    assert.ok(cert !== undefined && key !== undefined && authority !== undefined);
    const platform = createServer({ cert, key }, (_request, response) => {
      fetches += 1;
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published }));
    });
    await new Promise<void>((resolve) => platform.listen(0, '127.0.0.1', resolve));
    const address = platform.address();
    assert.ok(address !== null && typeof address === 'object');
    const jwks = `https://localhost:${address.port}/gobank/jwks`;
    const other = await openBank({ ...options, paymentsFile: undefined, keys: remoteKeys(jwks, authority) });
    try {
      const ask = async (statement: string) => {
        const { statusCode, body } = await send(`${other.origin}/accounts`, {
          dispatcher: gateway,
          headers: { 'portcullis-facts': statement },
        });
        await body.dump();
        return statusCode;
      };
      assert.equal(await ask(await facts('cust-1', [], { key: old.privateKey, kid: 'old' })), 200);
      assert.equal(await ask(await facts('cust-1', [], { key: old.privateKey, kid: 'old' })), 200);
      assert.equal(fetches, 1);
      published = [...published, { ...(await exportJWK(young.publicKey)), kid: 'young' }];
      const deadline = Date.now() + 10_000;
      let status = await ask(await facts('cust-1', [], { kid: 'young' }));
      while (status !== 200 && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        status = await ask(await facts('cust-1', [], { kid: 'young' }));
      }
      assert.equal(status, 200);
      assert.equal(fetches, 2);
    } finally {
      await other.close();
      platform.close();
      platform.closeAllConnections();
    }
    const deaf = await openBank({ ...options, paymentsFile: undefined, keys: remoteKeys(jwks, authority) });
    const unheard = await send(`${deaf.origin}/accounts`, {
      dispatcher: gateway,
      headers: { 'portcullis-facts': await facts('cust-1', []) },
    });
    assert.equal(unheard.statusCode, 503);
    await unheard.body.dump();
    await deaf.close();
  });
});
