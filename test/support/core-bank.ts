import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Issued } from './certificates.ts';

/** One account of a test customer. */
export interface CoreAccount {
  readonly id: string;
  readonly number: string;
  readonly balance: number;
}

/** The bank behind the platform, small but real: HTTPS with mutual TLS, signed facts checked on every data route. */
export interface CoreBank {
  readonly origin: string;
  /** Requests that reached a data route. */
  readonly calls: {
    readonly method: string;
    readonly path: string;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly headers: IncomingMessage['headers'];
  }[];
  /** The keys that sign facts, given once the platform runs. */
  trustKeys(bank: string, keys: () => Promise<JSONWebKeySet>): void;
  /** Set to make every question about customers fail. */
  fail: boolean;
  /** Set to let data routes wait for it before they answer. */
  hold: Promise<void> | undefined;
  close(): Promise<void>;
}

const PASSWORD = 'p@ssword!';

/** Customers of every test bank; `joint` belongs to both. */
export const customers: Readonly<Record<string, readonly CoreAccount[]>> = {
  user: [
    { id: 'u1-current', number: 'XX1000000000001234', balance: 1_000 },
    { id: 'u1-savings', number: 'XX1000000000005678', balance: 20_000 },
    { id: 'joint', number: 'XX1000000000009999', balance: 500 },
  ],
  user2: [
    { id: 'u2-current', number: 'XX2000000000004321', balance: 300 },
    { id: 'joint', number: 'XX1000000000009999', balance: 500 },
  ],
};

/** Starts the bank with a server certificate; only callers that `authorities` vouch for get in. */
export async function startCoreBank(server: Issued, authority: string): Promise<CoreBank> {
  const keys = new Map<string, () => Promise<JSONWebKeySet>>();
  const calls: CoreBank['calls'] = [];
  const listener = createServer(
    { cert: server.chainPem, key: server.keyPem, ca: authority, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      (bank.fail ? Promise.resolve({ status: 503, body: {} }) : answer(request, keys, calls, bank))
        .then((result) => send(response, result.status, result.body))
        .catch((cause: unknown) => send(response, 401, { error: String(cause) }));
    },
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const bank: CoreBank = {
    fail: false,
    hold: undefined,
    origin: `https://localhost:${port}`,
    calls,
    trustKeys: (bank, load) => keys.set(bank, load),
    close: async () => {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
  return bank;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

async function answer(
  request: IncomingMessage,
  keys: ReadonlyMap<string, () => Promise<JSONWebKeySet>>,
  calls: CoreBank['calls'],
  bank: Pick<CoreBank, 'hold'>,
): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'https://localhost');
  const body = await read(request);
  const connector = connectorAnswer(request.method ?? '', url.pathname, body);
  if (connector !== undefined) return connector;
  const facts = await factsOf(request, keys);
  calls.push({ method: request.method ?? '', path: url.pathname, facts, headers: request.headers });
  await bank.hold;
  return dataAnswer(request.method ?? '', url.pathname, body, facts);
}

function connectorAnswer(method: string, path: string, body: string): Answer | undefined {
  if (method === 'POST' && path === '/sign-in') {
    const { username, password } = JSON.parse(body);
    const known = typeof username === 'string' && username in customers && password === PASSWORD;
    return known ? { status: 200, body: { id: username, name: `Customer ${username}` } } : { status: 401, body: {} };
  }
  const [, customer = '', account] = /^\/customers\/([^/]+)\/accounts(?:\/([^/]+)\/number)?$/.exec(path) ?? [];
  const own = customers[customer];
  if (own === undefined) return path.startsWith('/customers/') ? { status: 404, body: {} } : undefined;
  if (account === undefined) {
    const shown = own.map(({ id, number }) => ({
      id,
      name: `Account ${id}`,
      type: 'current',
      currency: 'EUR',
      maskedNumber: `****${number.slice(-4)}`,
    }));
    return { status: 200, body: { accounts: shown } };
  }
  const found = own.find(({ id }) => id === account);
  return found === undefined ? { status: 404, body: {} } : { status: 200, body: { number: found.number } };
}

function dataAnswer(method: string, path: string, body: string, facts: Readonly<Record<string, unknown>>): Answer {
  if (method === 'POST' && path === '/payments') {
    const { account, amount } = JSON.parse(body);
    const found = Object.values(customers)
      .flat()
      .find(({ number }) => number === account);
    if (found === undefined) return { status: 200, body: { status: 'DECLINED', reason: 'unknown account' } };
    return {
      status: 200,
      body: amount > found.balance ? { status: 'DECLINED', reason: 'insufficient funds' } : { status: 'APPROVED' },
    };
  }
  const allowed = Array.isArray(facts.accounts) ? facts.accounts : [];
  const own = (customers[String(facts.customer)] ?? []).filter(({ id }) => allowed.includes(id));
  if (path === '/accounts')
    return { status: 200, body: { accounts: own.map(({ id }) => ({ id })), customer: facts.customer } };
  if (path === '/balances') return { status: 200, body: { balances: own.map(({ id, balance }) => ({ id, balance })) } };
  const [, id, part] = /^\/accounts\/([^/]+)(\/balances|\/transactions|\/funds-confirmations)?$/.exec(path) ?? [];
  const account = own.find((item) => item.id === id);
  if (account === undefined) return { status: 404, body: {} };
  if (part === '/funds-confirmations')
    return { status: 200, body: { fundsAvailable: account.balance >= Number(JSON.parse(body).amount) } };
  return { status: 200, body: { id, part: part ?? '', balance: account.balance } };
}

async function factsOf(request: IncomingMessage, keys: ReadonlyMap<string, () => Promise<JSONWebKeySet>>) {
  const header = request.headers['portcullis-facts'];
  if (typeof header !== 'string') throw new Error('no facts: this request did not come through the gateway');
  const claimed: unknown = JSON.parse(Buffer.from(header.split('.')[1] ?? '', 'base64url').toString());
  const bank = typeof claimed === 'object' && claimed !== null && 'aud' in claimed ? String(claimed.aud) : '';
  const load = keys.get(bank);
  if (load === undefined) throw new Error(`no keys for ${bank}`);
  const { payload } = await jwtVerify(header, createLocalJWKSet(await load()), {
    typ: 'portcullis-facts+jwt',
    audience: bank,
    algorithms: ['ES256'],
    requiredClaims: ['exp'],
  });
  return payload;
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}
