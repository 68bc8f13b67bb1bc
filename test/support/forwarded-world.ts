import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type Agent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import type { Settings } from '../../src/main/settings.ts';
import { createAuthority, type Issued } from './certificates.ts';
import { integer } from './der.ts';
import { form } from './http.ts';
import { connect } from './journey.ts';
import { startPlatform, type TestPlatform } from './platform.ts';
import { PROXY_ADDRESS, PROXY_SECRET } from './proxies.ts';
import { crl } from './revocation.ts';
import type { Registered, ThirdParty } from './third-party.ts';

export type Forwarded = NonNullable<Settings['doors']['mtls']['forwarded']>;
export type Headers = Readonly<Record<string, string | string[]>>;

const BANK = 'gobank';
const DAY_MS = 86_400_000;
/** The one serial number that the authority's list has. */
const REVOKED = 4_711n;

/** Status and code of an answer, in the gateway's form or in OAuth's. */
export interface Outcome {
  readonly status: number;
  readonly code: string;
}

/** The whole answer to one call, and how the trail knows it. */
export interface Answer extends Outcome {
  readonly description: string;
  readonly interaction: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Over which connection, and from where. */
export interface Caller {
  readonly agent: Agent;
  readonly localAddress: string;
  /** Another port than the door's: that of a proxy. */
  readonly port?: number;
}

/** A participant with its client, and the way it proves itself. */
export interface Member {
  readonly party: ThirdParty;
  readonly client: Registered;
  readonly access: string;
}

/** One certificate as nginx's `$ssl_client_escaped_cert` has it. */
export const escaped = ({ certificatePem }: Issued): string => encodeURIComponent(certificatePem);
/** What the proxy sends: its secret and the certificate. */
export const proxied = (value: string | string[]): Headers => ({
  'x-proxy-secret': PROXY_SECRET,
  'x-client-cert': value,
});

/** One request with a fresh interaction id. */
export function send(
  url: string,
  { agent, localAddress, port }: Caller,
  method: string,
  headers: Headers,
  body = '',
): Promise<Answer> {
  const interaction = randomUUID();
  const { host } = new URL(url);
  const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const all = { host, ...length, 'x-fapi-interaction-id': interaction, ...headers };
  const where = { method, agent, localAddress, servername: 'localhost', headers: all };
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, { ...where, ...(port === undefined ? {} : { port }) }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      response.on('end', () => {
        const body = text === '' ? {} : JSON.parse(text);
        const { error, error_description: description } = body;
        const code = typeof error === 'object' ? String(error.reason) : String(error ?? 'none');
        resolve({ status: response.statusCode ?? 0, code, description: String(description), interaction, body });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** The four endpoints that authenticate clients, and what a good request to each is. */
export const ENDPOINTS = {
  '/token': { good: 200, fields: { grant_type: 'client_credentials', scope: 'payments.create' } },
  '/par': {
    good: 201,
    fields: {
      response_type: 'code',
      redirect_uri: 'https://localhost:8091/callback',
      scope: 'openid accounts',
      state: 'state-of-this-request',
      nonce: 'nonce-of-this-request',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
    },
  },
  '/introspect': { good: 200, fields: { token: 'unknown' } },
  '/revoke': { good: 200, fields: { token: 'unknown' } },
} as const;
export type Endpoint = keyof typeof ENDPOINTS;

/** A platform whose bank asks its authority's list, with or without a proxy before its door, and one member of each method. */
export async function openWorld(forwarded: Forwarded | undefined) {
  const lists = await startLists();
  const platform = await startPlatform({
    prepare: async (authority, directory) => {
      lists.serve(authority);
      const revocation = { order: 'crl-only', allowPrivateAddresses: true } as const;
      return [{ id: BANK, trust: { anchors: [join(directory, 'root.pem')], revocation } }];
    },
    ...(forwarded === undefined ? {} : { forwarded }),
  });
  const certificate = { crlUrls: [lists.url] };
  const join_ = async (id: string, method: string): Promise<Member> => {
    const party = await platform.thirdParty(id, ['AISP', 'PISP'], { certificate });
    const client = await party.register(BANK, method);
    return { party, client, access: (await connect(platform, party, client)).access };
  };
  const members = [await join_('tpp-a', 'private_key_jwt'), await join_('tpp-t', 'tls_client_auth')] as const;
  const [{ party, access }] = members;
  const fromProxy: Caller = { agent: party.agentOf(), localAddress: PROXY_ADDRESS };
  const brief = async (answer: Promise<Answer>): Promise<Outcome> => {
    const { status, code } = await answer;
    return { status, code };
  };
  const post = async (
    { party: own, client }: Member,
    path: Endpoint,
    headers: Headers,
    caller: Caller,
    change: Readonly<Record<string, string>> = {},
  ) => {
    // The first word of the body names the client where no assertion does.
    const body = form({
      client_id: client.id,
      ...(await own.credentials(client)),
      ...ENDPOINTS[path].fields,
      ...change,
    });
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return send(`${own.mtls(BANK)}${path}`, caller, 'POST', { ...type, ...headers }, body);
  };
  return {
    platform,
    party,
    members,
    fromProxy,
    /** A participant, or anybody, past the proxy. */
    direct: (agent: Agent = party.agentOf()): Caller => ({ agent, localAddress: '127.0.0.1' }),
    post,
    api: (headers: Headers, caller = fromProxy) =>
      brief(send(`${party.mtls(BANK)}/accounts`, caller, 'GET', { authorization: `Bearer ${access}`, ...headers })),
    token: (headers: Headers, caller = fromProxy) => brief(post(members[0], '/token', headers, caller)),
    reasons: (interaction: string) => reasonsOf(platform, interaction),
    close: async () => {
      await platform.close();
      lists.close();
    },
  };
}

/** An open world. */
export type World = Awaited<ReturnType<typeof openWorld>>;

/** A list that has one serial number, by an authority that is known later. */
async function startLists() {
  let authority = createAuthority('Nobody yet');
  const server = createServer((_request, response) => {
    const [thisUpdate, nextUpdate] = [new Date(Date.now() - 60_000), new Date(Date.now() + DAY_MS)];
    response.setHeader('content-type', 'application/pkix-crl');
    response.end(crl(authority, [REVOKED], { thisUpdate, nextUpdate }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/list.crl`,
    serve: (real: typeof authority) => {
      authority = real;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Reason and finer code of every refusal that the trail has of a request. */
async function reasonsOf(platform: TestPlatform, interaction: string): Promise<readonly string[]> {
  const records = await platform.rooms.audit.search({ interaction, outcome: 'refused' });
  return records.map(({ reason, detail }) => `${reason}/${detail}`);
}

/** What a caller may show instead of its own certificate, the reason that the trail must have, and what the caller hears. */
export interface Case {
  readonly name: string;
  /** Undefined: no certificate at all. */
  readonly show: (own: ThirdParty, others: ThirdParty) => Issued | undefined;
  readonly reason: string;
  /** The certificate is a good one, of somebody else or not enrolled: only authentication can fail. */
  readonly good?: boolean;
}

const inDays = (days: number): Date => new Date(Date.now() + days * DAY_MS);

/** Everything but the enrolled certificate of the client. */
export const CASES: readonly Case[] = [
  { name: 'no certificate', show: () => undefined, reason: 'certificate_missing/certificate_absent' },
  {
    name: 'invalid',
    show: (own) => own.issue({ raw: { serial: integer(0n) } }),
    reason: 'certificate_malformed/serial',
  },
  {
    name: 'expired',
    show: (own) => own.issue({ notBefore: inDays(-2), notAfter: inDays(-1) }),
    reason: 'certificate_expired/expired',
  },
  {
    name: 'not yet valid',
    show: (own) => own.issue({ notBefore: inDays(1), notAfter: inDays(2) }),
    reason: 'certificate_not_yet_valid/not_yet_valid',
  },
  { name: 'revoked', show: (own) => own.issue({ serial: REVOKED }), reason: 'certificate_revoked/revoked' },
  {
    name: 'unknown issuer',
    show: ({ id }) => createAuthority('Somebody').issue({ commonName: id, dnsNames: [`${id}.example`] }),
    reason: 'certificate_untrusted/issuer_unknown',
  },
  {
    name: 'wrong purpose',
    show: (own) => own.issue({ extendedKeyUsages: ['serverAuth'] }),
    reason: 'certificate_wrong_purpose/eku',
  },
  { name: 'unbound', show: (own) => own.issue(), reason: 'certificate_not_enrolled/binding_mismatch', good: true },
  {
    name: 'another client’s',
    show: (_own, other) => other.transport,
    reason: 'certificate_not_enrolled/binding_mismatch',
    good: true,
  },
];
