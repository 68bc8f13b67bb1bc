import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** What a bank can do wrong, or differently; tests change it as they go. */
export interface Lies {
  /** Claims of the ID token. */
  idToken: Readonly<Record<string, unknown>>;
  /** Signs ID tokens with a key that is not published. */
  foreignKey: boolean;
  /** Answers instead of the honest ones, by path. */
  answers: Record<string, { readonly status: number; readonly body: unknown } | undefined>;
  /** Transactions come only when this is over. */
  hold: Promise<void>;
  /** Nobody is there. */
  down: boolean;
  /** The client it knows; undefined: none. */
  client: string | undefined;
}

/** A bank that speaks the protocol and can be told to lie. */
export interface LyingBank {
  readonly issuer: string;
  /** `METHOD path grant`, in order. */
  readonly calls: string[];
  readonly revoked: string[];
  /** Everything worth something that was sent to it or given by it: no page may show one of them. */
  readonly secrets: Set<string>;
  readonly lies: Lies;
  /** From now on it tells the truth, and knows of no call. */
  honestAgain(): void;
  readonly accounts: readonly string[];
  /** Where the bank would send the browser: with state and issuer of the last push. */
  callback(change?: Readonly<Record<string, string | undefined>>): string;
  close(): Promise<void>;
}

interface World extends Omit<LyingBank, 'callback' | 'close' | 'honestAgain'> {
  readonly key: CryptoKey;
  readonly foreign: CryptoKey;
  readonly jwk: JWK;
  readonly alive: Set<string>;
  pushed: URLSearchParams;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Starts it with a server certificate; account ids are random at each start. */
export async function startLyingBank(server: { readonly certificate: string; readonly key: string }, port: number) {
  const [own, foreign] = await Promise.all([generateKeyPair('PS256'), generateKeyPair('PS256')]);
  const world: World = {
    issuer: `https://localhost:${port}/bank`,
    calls: [],
    revoked: [],
    secrets: new Set(),
    lies: { idToken: {}, foreignKey: false, answers: {}, hold: Promise.resolve(), down: false, client: undefined },
    accounts: [randomUUID(), randomUUID()],
    key: own.privateKey,
    foreign: foreign.privateKey,
    jwk: { ...(await exportJWK(own.publicKey)), kid: 'one', alg: 'PS256', use: 'sig' },
    alive: new Set(),
    pushed: new URLSearchParams(),
  };
  const listener = createServer({ cert: server.certificate, key: server.key }, (request, response) => {
    if (world.lies.down) request.destroy();
    else void respond(world, request, response);
  });
  await new Promise<void>((resolve) => listener.listen(port, 'localhost', resolve));
  return {
    ...world,
    honestAgain: () => {
      world.calls.length = 0;
      world.revoked.length = 0;
      Object.assign(world.lies, { idToken: {}, foreignKey: false, answers: {}, down: false });
    },
    callback: (change: Readonly<Record<string, string | undefined>> = {}) => {
      const honest = { code: 'a-code', state: world.pushed.get('state') ?? '', iss: world.issuer, ...change };
      const given = Object.entries(honest).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
      return `${world.pushed.get('redirect_uri')}?${new URLSearchParams(Object.fromEntries(given))}`;
    },
    close: async () => {
      listener.closeAllConnections();
      await new Promise((resolve) => listener.close(resolve));
    },
  } satisfies LyingBank;
}

async function respond(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const path = new URL(request.url ?? '', world.issuer).pathname.slice('/bank'.length);
  const text = Buffer.concat(chunks).toString();
  const form = new URLSearchParams(text);
  world.calls.push([request.method, path, form.get('grant_type')].filter(Boolean).join(' '));
  if (path.endsWith('/transactions')) await world.lies.hold;
  const { status, body } = world.lies.answers[path] ?? (await honest(world, request.method ?? '', path, form));
  keepSecrets(world.secrets, request.headers.authorization, text, body);
  const interaction = request.headers['x-fapi-interaction-id'];
  const told = typeof interaction === 'string' ? { 'x-fapi-interaction-id': interaction } : {};
  response.writeHead(status, { 'content-type': 'application/json', ...told });
  response.end(body === undefined ? '' : JSON.stringify(body));
}

const SECRET_FIELDS = [
  ...['client_assertion', 'code', 'code_verifier', 'software_statement', 'token'],
  ...['access_token', 'id_token', 'refresh_token', 'registration_access_token'],
];

/** Of a JWT the signature alone: pages show header and claims. */
function keepSecrets(secrets: Set<string>, authorization: string | undefined, sent: string, answered: unknown): void {
  const json = sent.startsWith('{') ? Object.entries(JSON.parse(sent)) : [...new URLSearchParams(sent)];
  const given = typeof answered === 'object' && answered !== null ? Object.entries(answered) : [];
  const fields = [...json, ...given].filter(([name]) => SECRET_FIELDS.includes(name)).map(([, value]) => String(value));
  for (const value of [authorization?.split(' ')[1], ...fields]) {
    if (value !== undefined && value !== '') secrets.add(value.split('.').at(-1) ?? value);
  }
}

async function honest(world: World, method: string, path: string, form: URLSearchParams): Promise<Answer> {
  const { issuer, lies, accounts } = world;
  const ok = (body: unknown, status = 200): Answer => ({ status, body });
  if (path === '/.well-known/openid-configuration') return ok(metadataOf(issuer));
  if (path === '/jwks') return ok({ keys: [world.jwk] });
  if (path === '/register') {
    lies.client = `client-${randomUUID()}`;
    return ok(registrationOf(issuer, lies.client), 201);
  }
  if (path.startsWith('/register/')) {
    if (method === 'DELETE') {
      lies.client = undefined;
      return ok(undefined, 204);
    }
    return path.endsWith(`/${lies.client}`) ? ok({ client_id: lies.client }) : ok({ error: 'invalid_token' }, 401);
  }
  if (path === '/par') {
    if (form.get('client_id') !== lies.client) return ok({ error: 'invalid_client' }, 401);
    world.pushed = form;
    return ok({ request_uri: 'urn:ietf:params:oauth:request_uri:handle', expires_in: 60 }, 201);
  }
  if (path === '/token') return token(world, form);
  if (path === '/introspect') return ok(introspection(world, form.get('token') ?? ''));
  if (path === '/revoke') {
    world.revoked.push(form.get('token') ?? '');
    world.alive.delete(form.get('token') ?? '');
    return ok(undefined);
  }
  return api(accounts, path);
}

function metadataOf(issuer: string) {
  const endpoints = {
    token_endpoint: `${issuer}/token`,
    pushed_authorization_request_endpoint: `${issuer}/par`,
    registration_endpoint: `${issuer}/register`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
  };
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    jwks_uri: `${issuer}/jwks`,
    ...endpoints,
    mtls_endpoint_aliases: endpoints,
    id_token_signing_alg_values_supported: ['PS256'],
    authorization_response_iss_parameter_supported: true,
  };
}

function registrationOf(issuer: string, client: string) {
  return {
    client_id: client,
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'PS256',
    registration_client_uri: `${issuer}/register/${client}`,
    registration_access_token: 'manage',
    use_mtls_endpoint_aliases: true,
  };
}

async function token(world: World, form: URLSearchParams): Promise<Answer> {
  const { issuer, lies, pushed } = world;
  const grant = form.get('grant_type');
  if (grant === 'refresh_token' && !world.alive.has(form.get('refresh_token') ?? '')) {
    return { status: 400, body: { error: 'invalid_grant' } };
  }
  const refresh = form.get('refresh_token') ?? `refresh-${randomUUID()}`;
  world.alive.add(refresh);
  const body = { access_token: `access-${randomUUID()}`, token_type: 'Bearer', expires_in: 300 };
  if (grant !== 'authorization_code') return { status: 200, body: { ...body, refresh_token: refresh } };
  const now = Math.floor(Date.now() / 1000);
  const honest = { iss: issuer, aud: lies.client ?? '', sub: 's', iat: now, exp: now + 60, nonce: pushed.get('nonce') };
  const id_token = await new SignJWT({ ...honest, ...lies.idToken })
    .setProtectedHeader({ alg: 'PS256', kid: 'one' })
    .sign(lies.foreignKey ? world.foreign : world.key);
  return { status: 200, body: { ...body, refresh_token: refresh, id_token, scope: 'openid accounts offline_access' } };
}

function introspection({ alive }: World, value: string) {
  if (value.startsWith('refresh-') && !alive.has(value)) return { active: false };
  return { active: true, consent_id: 'consent-1', exp: Math.floor(Date.now() / 1000) + 86_400 };
}

function api(accounts: readonly string[], path: string): Answer {
  const currency = 'EUR';
  if (path === '/accounts') {
    const list = accounts.map((id, index) => ({ id, name: `Account ${index}`, type: 'current', currency }));
    return { status: 200, body: { accounts: list.map((one) => ({ ...one, maskedNumber: '****1234' })) } };
  }
  if (path === '/balances') {
    return { status: 200, body: { balances: accounts.map((account) => ({ account, amount: '100.00', currency })) } };
  }
  if (path.endsWith('/transactions')) return { status: 200, body: { transactions: [], pages: 1 } };
  if (path === '/tokenize') return { status: 201, body: { token: 'vault-token', account: '****1234' } };
  if (path === '/payments') return { status: 200, body: { status: 'APPROVED', account: '****1234' } };
  return { status: 404, body: {} };
}
