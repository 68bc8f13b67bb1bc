import { Buffer } from 'node:buffer';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { AuditEvent } from '../../src/audit/index.ts';
import type { Consent } from '../../src/consent/index.ts';
import type { BoundCertificate, Participant, Standing } from '../../src/directory/index.ts';
import type { GatewayBank } from '../../src/gateway/bank.ts';
import { type Call, type Evidence, noEvidence, type Rooms } from '../../src/gateway/call.ts';
import type { Check } from '../../src/gateway/check.ts';
import { createRouteTable } from '../../src/gateway/routes.ts';
import { Refusal } from '../../src/platform/refusal.ts';
import { generic } from '../../src/regimes/generic/index.ts';
import type { TokenFacts, TokenResolution } from '../../src/tokens/index.ts';
import type { CertificateVerdict, ClientCertificate } from '../../src/trust/index.ts';

/** The moment at which gateway tests begin. */
export const start = new Date('2026-11-21T10:00:00Z');
const longAgo = new Date('2026-01-01T00:00:00Z');
const farAhead = new Date('2027-01-01T00:00:00Z');

function unexpected(name: string): never {
  throw new Error(`the gateway has no business with ${name}`);
}

/** A bank of the generic market with a FAPI profile. */
export function bankOf(changes: Partial<GatewayBank> = {}): GatewayBank {
  return {
    id: 'gobank',
    issuer: 'https://localhost:8443/gobank',
    audience: 'https://localhost:8444/gobank',
    regime: generic,
    upstream: {
      origin: 'https://localhost:1',
      get dispatcher(): never {
        return unexpected('the upstream');
      },
      get: () => unexpected('the upstream'),
      close: async () => undefined,
    },
    accountNumber: async () => 'DE02120300000000201234',
    requireBoundTokens: true,
    routesByScopeAlone: false,
    requireClientCertificate: true,
    ...changes,
  };
}

/** A certificate as trust reads it; the thumbprint tells them apart. */
export function certificateOf(thumbprint: string, changes: Partial<ClientCertificate> = {}): ClientCertificate {
  return {
    der: new Uint8Array(),
    pem: '',
    thumbprint,
    subject: 'CN=test',
    issuer: 'CN=authority',
    serial: '01',
    notBefore: longAgo,
    notAfter: farAhead,
    dnsNames: [],
    uris: [],
    emails: [],
    ipAddresses: [],
    spkiSha256: '',
    organizationIdentifier: 'PSDXX-SANDBOX-1',
    commonName: 'test',
    roles: ['AISP', 'PISP'],
    ...changes,
  };
}

/** A customer's token of client `app-a` of participant `tpp-a`, bound to `cert-a`. */
export function tokenOf(changes: Partial<TokenFacts> = {}): TokenFacts {
  return {
    bank: 'gobank',
    format: 'opaque',
    kind: 'customer',
    client: 'app-a',
    participant: 'tpp-a',
    customer: 'psu-1',
    subject: 'pairwise-1',
    scopes: ['accounts'],
    consent: 'consent-1',
    audience: 'https://localhost:8444/gobank',
    thumbprint: 'cert-a',
    issuedAt: start,
    expiresAt: new Date(start.getTime() + 300_000),
    ...changes,
  };
}

/** A participant's own token for payments. */
export function participantToken(changes: Partial<TokenFacts> = {}): TokenFacts {
  const own = { kind: 'participant', customer: undefined, subject: 'app-a', consent: undefined } as const;
  return tokenOf({ ...own, scopes: ['payments.create'], ...changes });
}

/** An approved participant with the account and payment roles. */
export function participantOf(changes: Partial<Participant> = {}): Participant {
  return {
    id: 'tpp-a',
    name: 'TPP A',
    registrationNumber: 'PSDXX-SANDBOX-1',
    email: 'ops@tpp-a.example',
    phone: undefined,
    roles: ['AISP', 'PISP'],
    status: 'approved',
    statusReason: undefined,
    requestsPerMinute: undefined,
    createdAt: longAgo,
    updatedAt: longAgo,
    ...changes,
  };
}

/** A stored relation of a certificate to client `app-a`. */
export function boundCertificate(thumbprint: string, endsAt?: Date): BoundCertificate {
  const validity = { notBefore: longAgo, notAfter: farAhead, boundAt: longAgo, endsAt };
  return {
    bank: 'gobank',
    client: 'app-a',
    thumbprint,
    subject: 'CN=test',
    issuer: 'CN=a',
    serial: '01',
    organizationIdentifier: undefined,
    ...validity,
  };
}

/** Client `app-a` of `tpp-a` with `cert-a`. */
export function standingOf(changes: Partial<Standing> = {}): Standing {
  const client = { softwareId: undefined, metadata: {}, secretHashes: [], createdAt: longAgo };
  return {
    client: { id: 'app-a', bank: 'gobank', participant: 'tpp-a', ...client },
    participant: participantOf(),
    certificates: [boundCertificate('cert-a')],
    ...changes,
  };
}

/** An authorised consent of `psu-1` to `app-a` for two accounts. */
export function consentOf(changes: Partial<Consent> = {}): Consent {
  return {
    id: 'consent-1',
    bank: 'gobank',
    participant: 'tpp-a',
    client: 'app-a',
    customer: 'psu-1',
    state: 'Authorised',
    scopes: ['accounts'],
    accounts: ['acc-1', 'acc-2'],
    authorizationDetails: [],
    createdAt: longAgo,
    changedAt: longAgo,
    expiresAt: farAhead,
    lastUsedAt: undefined,
    ...changes,
  };
}

/** What a test can turn while the gateway runs. */
export interface World {
  now: Date;
  verdict: (request: IncomingMessage) => CertificateVerdict;
  readonly tokens: Map<string, TokenResolution>;
  readonly standings: Map<string, Standing>;
  readonly consents: Map<string, Consent>;
  /** Seconds to wait by participant. */
  readonly limits: Map<string, number>;
  readonly vaultTokens: Map<string, { number: string; customer: string; account: string; consent: string | undefined }>;
  trailWorks: boolean;
  /** What the trail holds, as JSON cannot hide it. */
  readonly events: AuditEvent[];
  /** Every question the gateway asked a room, in order. */
  readonly asked: string[];
  readonly touched: string[];
  readonly signed: Record<string, unknown>[];
  rotated: () => void;
}

/** A world in which everything is in order, with the tokens `customer` and `participant`. */
export function createWorld(): World {
  const tokens = new Map<string, TokenResolution>([
    ['customer', { state: 'active', facts: tokenOf() }],
    ['participant', { state: 'active', facts: participantToken() }],
  ]);
  return {
    now: start,
    verdict: () => trusted(certificateOf('cert-a')),
    tokens,
    standings: new Map([['app-a', standingOf()]]),
    consents: new Map([['consent-1', consentOf()]]),
    limits: new Map(),
    vaultTokens: new Map(),
    trailWorks: true,
    events: [],
    asked: [],
    touched: [],
    signed: [],
    rotated: () => undefined,
  };
}

/** A verdict that trusts. */
export function trusted(certificate: ClientCertificate): CertificateVerdict {
  return { ok: true, certificate, validUntil: farAhead };
}

function auditUnavailable(): Refusal {
  return new Refusal('audit_unavailable', 503, 'The trail takes no records.');
}

/** In-memory rooms over a world. */
export function roomsOf(world: World): Rooms {
  return {
    clock: { now: () => world.now },
    database: { transaction: (work) => work({ query: async () => [] }) },
    trust: trustOf(world),
    tokens: tokensOf(world),
    directory: directoryOf(world),
    consents: consentsOf(world),
    vault: vaultOf(world),
    audit: {
      enqueue(event) {
        world.events.push(event);
        if (!world.trailWorks) throw auditUnavailable();
      },
      checkWritable() {
        if (!world.trailWorks) throw auditUnavailable();
      },
      flush: async () => void world.asked.push('audit.flush'),
    },
  };
}

function trustOf(world: World): Rooms['trust'] {
  return {
    async clientCertificate(request) {
      world.asked.push('trust');
      return world.verdict(request);
    },
  };
}

function tokensOf(world: World): Rooms['tokens'] {
  return {
    async resolve(_bank, _issuer, token) {
      world.asked.push('tokens');
      return world.tokens.get(token) ?? { state: 'invalid', detail: 'unknown' };
    },
  };
}

function directoryOf(world: World): Rooms['directory'] {
  return {
    async standing(_bank, client) {
      world.asked.push('directory');
      return world.standings.get(client);
    },
    takeRequest(participant) {
      world.asked.push('limit');
      return world.limits.get(participant.id);
    },
  };
}

function consentsOf(world: World): Rooms['consents'] {
  return {
    async current(_bank, id) {
      world.asked.push('consents');
      return world.consents.get(id);
    },
    touch: (_bank, id) => void world.touched.push(id),
  };
}

function vaultOf(world: World): Rooms['vault'] {
  return {
    async signJwt(_bank, type, claims) {
      world.signed.push({ type, ...claims });
      return `signed.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${world.signed.length}`;
    },
    onRotation(changed) {
      world.rotated = () => changed('gobank');
    },
    async tokenize(statements, entry, actor) {
      await statements.query('');
      world.asked.push(`tokenize ${entry.customer} ${entry.account} ${entry.participant} ${actor.interaction}`);
      const { bank, customer, account, number, consent } = entry;
      const token = `vt-${world.vaultTokens.size + 1}`;
      world.vaultTokens.set(token, { number, customer, account, consent });
      return { token, bank, customer, account, maskedNumber: `****${number.slice(-4)}`, createdAt: world.now };
    },
    async detokenize(_bank, token, actor) {
      const entry = world.vaultTokens.get(token);
      const outcome = entry === undefined ? 'refused' : 'allowed';
      const { participant, client, interaction } = actor;
      const who = { participant, client, interaction };
      world.events.push({ ...who, family: 'handler', action: 'vault.lookup', outcome });
      if (entry === undefined) throw new Refusal('not_found', 404, 'Nothing here.');
      world.events.push({ ...who, family: 'key', action: 'key.used', outcome: 'allowed' });
      return entry;
    },
  };
}

/** What a test wants different in a call. */
export interface CallOptions {
  readonly bank?: Partial<GatewayBank>;
  readonly method?: string;
  readonly path?: string;
  readonly door?: Call['door'];
  /** Names and values in turn, as they came over the wire. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
  /** True: the body is still under way. */
  readonly unfinished?: boolean;
  readonly evidence?: Partial<Evidence>;
}

/** A call as it stands before a check, for tests of one check alone. */
export function callOf(options: CallOptions = {}): Call {
  const { method = 'GET', path = '/accounts/acc-1', door = 'mtls', headers = [], body } = options;
  const bank = bankOf(options.bank);
  const match = createRouteTable(bank).match(method, path);
  const request = requestOf(method, path, headers, body);
  if (options.unfinished !== true) request.push(null);
  const response = new ServerResponse(request);
  const evidence: Evidence = { ...noEvidence(), ...options.evidence };
  const interaction = 'b7b3ab48-5d1c-4dc9-9f0c-0d3f3c0d4d8a';
  return { request, response, bank, door, ...match, target: match.path, interaction, evidence };
}

function requestOf(method: string, url: string, raw: readonly string[], body?: string | Uint8Array): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.method = method;
  request.url = url;
  request.rawHeaders = [...raw];
  for (let index = 0; index < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    request.headers[name] ??= raw[index + 1];
  }
  if (body !== undefined) request.push(body);
  return request;
}

/** Runs one check, expecting a refusal, and gives it for further assertions. */
export async function refusalOf(check: Check, call: Call, world: World = createWorld()): Promise<Refusal> {
  try {
    await check.run(call, roomsOf(world));
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error(`${check.id} did not refuse`);
}

/** Runs one check, expecting it to pass. */
export async function passes(check: Check, call: Call, world: World = createWorld()): Promise<void> {
  await check.run(call, roomsOf(world));
}

/** Puts everything in order again, for stages that several tests share. */
export function resetWorld(world: World): void {
  const { rotated: _kept, ...fresh } = createWorld();
  Object.assign(world, fresh);
}
