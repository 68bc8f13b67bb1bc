import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Agent } from 'node:https';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { Settings } from '../../src/main/settings.ts';
import type { Authority, CertificateOptions, Issued } from './certificates.ts';
import { call, form, type Received } from './http.ts';
import type { StatementSigner } from './statements.ts';

export const REDIRECT_URI = 'https://localhost:8091/callback';
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A client as a bank registered it. */
export interface Registered {
  readonly bank: string;
  readonly id: string;
  readonly method: string;
  readonly managementToken: string;
  readonly managementUri: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A push and what belongs to it. */
export interface Pushed {
  readonly answer: Received;
  readonly verifier: string;
  readonly state: string;
  readonly nonce: string;
  readonly authorizationUrl: string;
}

interface Parts {
  readonly id: string;
  readonly roles: readonly string[];
  readonly authority: Authority;
  readonly statements: StatementSigner;
  readonly settings: Settings;
  readonly agentOf: (identity?: Issued) => Agent;
  /** What all its certificates have beside its names and roles. */
  readonly certificate?: CertificateOptions | undefined;
}

export type ThirdParty = Awaited<ReturnType<typeof createThirdParty>>;
type Core = Awaited<ReturnType<typeof coreOf>>;
type Fields = Readonly<Record<string, string | undefined>>;
type Bent = Readonly<Record<string, unknown>>;

/** A third party with certificate, signing key and software statement; every message can be bent by the test. */
export async function createThirdParty(parts: Parts) {
  const core = await coreOf(parts);
  return { ...core, ...registrationOf(core), ...tokensOf(core), ...authorizationOf(core), api: apiOf(core) };
}

/** Who it is: certificate, keys, statement, and how it proves itself. */
async function coreOf({ id, roles, authority, statements, settings, agentOf, certificate = {} }: Parts) {
  const registrationNumber = `PSDXX-TEST-${id.toUpperCase()}`;
  const subject = { commonName: id, organization: `${id} Ltd`, organizationIdentifier: registrationNumber };
  const issue = (change: Parameters<Authority['issue']>[0] = {}) =>
    authority.issue({ ...subject, roles, dnsNames: [`${id}.example`], ...certificate, ...change });
  const transport = issue();
  const { privateKey, publicKey } = await generateKeyPair('PS256');
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: `${id}-1`, alg: 'PS256', use: 'sig' };
  const agent = agentOf(transport);
  const mtls = (bank: string) => `${settings.doors.mtls.origin}/${bank}`;
  const issuer = (bank: string) => `${settings.doors.issuer.origin}/${bank}`;

  const statement = (change: Bent = {}) =>
    statements.sign({
      software_id: `software-${id}`,
      software_client_name: `${id} App`,
      org_id: id,
      org_name: `${id} Ltd`,
      software_roles: roles,
      software_redirect_uris: [REDIRECT_URI],
      software_jwks: { keys: [jwk] },
      ...change,
    });

  const assertion = (client: string, bank: string, change: Bent = {}, key: CryptoKey = privateKey) => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: client, sub: client, aud: issuer(bank), jti: randomUUID(), iat: now, exp: now + 60 };
    return new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'PS256', kid: `${id}-1` }).sign(key);
  };

  /** What proves the client at an OAuth endpoint. */
  const credentials = async (client: Registered): Promise<Record<string, string>> =>
    client.method === 'tls_client_auth'
      ? { client_id: client.id }
      : { client_assertion_type: ASSERTION_TYPE, client_assertion: await assertion(client.id, client.bank) };

  const post = (bank: string, path: string, fields: Fields, use: Agent = agent) =>
    call(`${mtls(bank)}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form(fields),
      agent: use,
    });

  const keys = { transport, agent, jwk, privateKey, agentOf, issue };
  return { id, registrationNumber, ...keys, mtls, issuer, statement, assertion, credentials, post };
}

/** Dynamic registration (RFC 7591). */
function registrationOf({ id, agent, mtls, statement }: Core) {
  const registration = async (method: string, change: Bent = {}) => ({
    software_statement: await statement(),
    token_endpoint_auth_method: method,
    ...(method === 'private_key_jwt'
      ? { token_endpoint_auth_signing_alg: 'PS256' }
      : { tls_client_auth_san_dns: `${id}.example` }),
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    ...change,
  });

  const sendRegistration = (
    bank: string,
    body: unknown,
    use: Agent = agent,
    headers: Readonly<Record<string, string>> = {},
  ) =>
    call(`${mtls(bank)}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      agent: use,
    });

  const register = async (bank: string, method = 'private_key_jwt', change: Bent = {}): Promise<Registered> => {
    const answer = await sendRegistration(bank, await registration(method, change));
    if (answer.status !== 201) throw new Error(`registration at ${bank}: ${answer.status} ${answer.text}`);
    const metadata = answer.json();
    return {
      bank,
      id: String(metadata.client_id),
      method,
      managementToken: String(metadata.registration_access_token),
      managementUri: String(metadata.registration_client_uri),
      metadata,
    };
  };
  return { registration, sendRegistration, register };
}

/** The token endpoint and what belongs to tokens. */
function tokensOf({ agent, post, credentials }: Core) {
  const send = async (client: Registered, path: string, fields: Fields, use: Agent = agent) =>
    post(client.bank, path, { ...(await credentials(client)), ...fields }, use);
  return {
    /** An access token of its own (client credentials). */
    clientToken: (client: Registered, scope = 'payments.create', use: Agent = agent) =>
      send(client, '/token', { grant_type: 'client_credentials', scope }, use),
    exchange: (client: Registered, code: string, verifier: string, use: Agent = agent, change: Fields = {}) => {
      const grant = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI, code_verifier: verifier };
      return send(client, '/token', { ...grant, ...change }, use);
    },
    refresh: (client: Registered, token: string, use: Agent = agent, change: Fields = {}) =>
      send(client, '/token', { grant_type: 'refresh_token', refresh_token: token, ...change }, use),
    introspect: (client: Registered, token: string, use: Agent = agent) => send(client, '/introspect', { token }, use),
    revoke: (client: Registered, token: string) => send(client, '/revoke', { token }),
  };
}

/** Pushed authorization requests (RFC 9126). */
function authorizationOf({ agent, post, credentials, issuer }: Core) {
  const push = async (client: Registered, change: Fields = {}, use: Agent = agent): Promise<Pushed> => {
    const verifier = randomBytes(32).toString('base64url');
    const [state, nonce] = [randomUUID(), randomUUID()];
    const request = {
      client_id: client.id,
      response_type: 'code',
      redirect_uri: REDIRECT_URI,
      scope: 'openid accounts',
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(await credentials(client)),
      ...change,
    };
    const answer = await post(client.bank, '/par', request, use);
    const uri = answer.status === 201 ? String(answer.json().request_uri) : '';
    const query = new URLSearchParams({ client_id: client.id, request_uri: uri });
    return { answer, verifier, state, nonce, authorizationUrl: `${issuer(client.bank)}/authorize?${query}` };
  };
  return { push };
}

interface ApiCall {
  readonly method?: string;
  readonly body?: string;
  readonly agent?: Agent;
  readonly headers?: Readonly<Record<string, string>>;
}

function apiOf({ agent, mtls }: Core) {
  return (bank: string, path: string, token: string | undefined, sent: ApiCall = {}) =>
    call(`${mtls(bank)}${path}`, {
      method: sent.method ?? 'GET',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...sent.headers,
      },
      ...(sent.body === undefined ? {} : { body: sent.body }),
      agent: sent.agent ?? agent,
    });
}
