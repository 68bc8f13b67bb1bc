import { createHmac, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AuditEvent } from '../../src/audit/index.ts';
import type { Interaction, Interactions } from '../../src/authorization/index.ts';
import type { Account, BankConnector, Customer } from '../../src/bank/index.ts';
import type { Consent } from '../../src/consent/index.ts';
import type { Participant } from '../../src/directory/index.ts';
import type { Database } from '../../src/platform/database.ts';
import { Refusal } from '../../src/platform/refusal.ts';
import { createPages, type PageBank, type Pages } from '../../src/web/index.ts';
import { createAuthority } from './certificates.ts';

/** Requests that wait, customers, accounts and a third party, in memory; the pages in front of them are real. */
export interface PageWorld {
  readonly authorityPem: string;
  /** `https://localhost:port` of the pages. */
  readonly origin: string;
  /** `https://127.0.0.1:port` of the third party: another origin. */
  readonly tpp: string;
  readonly pages: Pages;
  readonly events: AuditEvent[];
  readonly defects: unknown[];
  readonly consents: Map<string, Consent>;
  readonly participants: Map<string, Participant>;
  readonly accounts: Map<string, readonly Account[]>;
  readonly users: Map<string, { readonly password: string; readonly customer: Customer }>;
  readonly decisions: { kind: 'agreed' | 'cancelled' | 'signed-in'; accounts?: readonly string[]; expiresAt?: Date }[];
  /** Set to make the bank fail. */
  bankRefusal: Refusal | undefined;
  signInCalls: number;
  now: Date;
  /** The address the third party sends the browser to. */
  start(changes?: Partial<Interaction>, bank?: string): string;
  /** The engine forgets every request that waits, as it does when their time is over. */
  forget(): void;
  close(): Promise<void>;
}

const INTERACTION_COOKIE = '__Secure-test-interaction';

/** Accounts as a bank has them. */
export const userAccounts: readonly Account[] = [
  { id: '22289', name: 'Everyday', type: 'Current account', currency: 'EUR', maskedNumber: '****2051' },
  { id: '31820', name: 'Rainy days', type: 'Savings account', currency: 'EUR', maskedNumber: '****7710' },
  { id: '40911', name: 'Travel', type: 'Currency account', currency: 'USD', maskedNumber: '****0042' },
];

/** A bank as its pages show it. */
export function pageBank(changes: Partial<PageBank> = {}): PageBank {
  return {
    id: 'gobank',
    name: 'Go Bank',
    issuer: 'https://localhost/gobank',
    colour: '#0b6e4f',
    addressLine: 'Go Bank plc, 1 Sandbox Street, Testville',
    consentDays: 90,
    portalUrl: 'https://localhost:8084/',
    showTestUsers: [
      { username: 'user', password: 'p@ssword!' },
      { username: 'user2', password: 'p@ssword!' },
    ],
    words: {
      accounts: {
        title: { en: 'See your accounts', de: 'Ihre Konten sehen' },
        items: {
          en: ['Name, number and kind of each account you tick', 'Balances', 'Transactions of the last 24 months'],
          de: ['Name, Nummer und Art jedes angekreuzten Kontos', 'Kontostände', 'Umsätze der letzten 24 Monate'],
        },
      },
      'payments.create': { title: { en: 'Pay from your account' }, items: { en: ['Payments you approve'] } },
    },
    ...changes,
  };
}

/** Opens the pages over HTTPS on a free port, with everything behind them in memory but the database. */
export async function openPages(database: Database, banks: readonly PageBank[] = [pageBank()]): Promise<PageWorld> {
  const authority = createAuthority('Pages Test CA');
  const identity = authority.issueServer();
  const tls = { cert: identity.chainPem, key: identity.keyPem };
  const tppServer = createServer(tls, (_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><html lang="en"><title>Third party</title><h1>Back at the third party</h1>');
  });
  const server = createServer(tls, (request, response) => void serve(world, states, request, response));
  const [port, tppPort] = await Promise.all([listen(server), listen(tppServer)]);
  const states = new Map<string, State>();
  const origin = `https://localhost:${port}`;
  const world: PageWorld = {
    authorityPem: authority.certificatePem,
    origin,
    tpp: `https://127.0.0.1:${tppPort}`,
    events: [],
    defects: [],
    consents: new Map(),
    participants: new Map([['financroo', participantOf({})]]),
    accounts: new Map([
      ['c1', userAccounts],
      ['c2', [{ ...(userAccounts[0] ?? fail()), id: '99001', name: 'Household' }]],
    ]),
    users: new Map([
      ['user', { password: 'p@ssword!', customer: { id: 'c1', name: 'Uma User' } }],
      ['user2', { password: 'p@ssword!', customer: { id: 'c2', name: 'Ulf User' } }],
    ]),
    decisions: [],
    bankRefusal: undefined,
    signInCalls: 0,
    now: new Date('2026-05-01T10:00:00Z'),
    pages: createPages({
      banks: banks.map((bank) => ({ ...bank, issuer: `${origin}/${bank.id}` })),
      interactions: (bank) => fakeInteractions(() => world, states, bank),
      connector: () => fakeConnector(() => world),
      database,
      consents: { find: async (bank, id) => matching(world.consents.get(id), bank) },
      directory: { findParticipant: async (id) => world.participants.get(id) },
      audit: {
        record: async (_, event) => void world.events.push(event),
        enqueue: (event) => void world.events.push(event),
      },
      vault: {
        hasher: async (bank, purpose) => (value) =>
          createHmac('sha256', `${bank}/${purpose}`).update(value).digest('base64url'),
      },
      clock: { now: () => world.now },
      log: { error: (facts) => void world.defects.push(facts.err) },
    }),
    forget: () => states.clear(),
    start: (changes = {}, bank = 'gobank') => start(world, states, bank, changes),
    close: async () => {
      for (const each of [server, tppServer]) {
        each.closeAllConnections();
        await new Promise((resolve) => each.close(resolve));
      }
    },
  };
  return world;
}

interface State {
  interaction: Interaction;
  result: 'none' | 'signed-in' | 'agreed' | 'cancelled';
  customer: string | undefined;
}

function fail(): never {
  throw new Error('no account');
}

function matching(consent: Consent | undefined, bank: string): Consent | undefined {
  return consent?.bank === bank ? consent : undefined;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return address.port;
}

/** An approved participant. */
export function participantOf(changes: Partial<Participant>): Participant {
  return {
    id: 'financroo',
    name: 'Financroo Ltd',
    registrationNumber: 'PSDXX-SANDBOX-123456',
    email: 'hello@financroo.test',
    phone: undefined,
    roles: ['AISP'],
    status: 'approved',
    statusReason: undefined,
    requestsPerMinute: undefined,
    createdAt: new Date(0),
    updatedAt: new Date(0),
    ...changes,
  };
}

function start(world: PageWorld, states: Map<string, State>, bank: string, changes: Partial<Interaction>): string {
  const uid = randomUUID();
  const interaction: Interaction = {
    uid,
    bank,
    prompt: 'sign-in',
    client: 'client-a',
    participant: { id: 'financroo', name: 'not the registered name' },
    scopes: ['accounts'],
    customer: undefined,
    consent: undefined,
    redirectUri: `${world.tpp}/callback`,
    unanswered: `${world.tpp}/callback?error=access_denied&state=s-${uid}`,
    expiresAt: new Date(world.now.getTime() + 600_000),
    locales: [],
    ...changes,
  };
  states.set(uid, { interaction, result: 'none', customer: undefined });
  return `${world.origin}/${bank}/start/${uid}`;
}

/** The engine's part: sets its path-bound cookie, takes the browser on after each answer. */
async function serve(
  world: PageWorld,
  states: Map<string, State>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', world.origin);
  const [, bank = '', kind = '', uid = ''] = url.pathname.split('/');
  const state = states.get(uid);
  if (kind === 'start') return enter(response, bank, uid);
  if (kind === 'auth' && state !== undefined) return takeOn(world, states, state, bank, response);
  response.setHeader('x-fapi-interaction-id', randomUUID());
  await world.pages.handle(request, response, bank, `${url.pathname.slice(bank.length + 1)}${url.search}`);
}

function enter(response: ServerResponse, bank: string, uid: string): void {
  const path = `/${bank}/interaction/${uid}`;
  response.appendHeader('set-cookie', `${INTERACTION_COOKIE}=${uid}; Path=${path}; Secure; HttpOnly; SameSite=Lax`);
  response.writeHead(303, { location: path }).end();
}

function takeOn(
  world: PageWorld,
  states: Map<string, State>,
  state: State,
  bank: string,
  response: ServerResponse,
): void {
  const { interaction, result, customer } = state;
  states.delete(interaction.uid);
  if (result === 'agreed') return void response.writeHead(303, { location: `${interaction.redirectUri}?code=c` }).end();
  if (result === 'cancelled')
    return void response.writeHead(303, { location: `${interaction.redirectUri}?error=access_denied` }).end();
  const uid = randomUUID();
  const consent = consentOf(world, interaction, customer);
  world.consents.set(consent.id, consent);
  const next: Interaction = { ...interaction, uid, prompt: 'consent', customer, consent: consent.id };
  states.set(uid, { interaction: next, result: 'none', customer });
  enter(response, bank, uid);
}

function consentOf(world: PageWorld, interaction: Interaction, customer: string | undefined): Consent {
  return {
    id: `consent-${randomUUID()}`,
    bank: interaction.bank,
    participant: interaction.participant.id,
    client: interaction.client,
    customer,
    state: 'Awaiting',
    scopes: interaction.scopes,
    accounts: [],
    authorizationDetails: [],
    createdAt: world.now,
    changedAt: world.now,
    expiresAt: interaction.expiresAt,
    lastUsedAt: undefined,
  };
}

function fakeInteractions(worldOf: () => PageWorld, states: Map<string, State>, bank: string): Interactions {
  const find = (request: IncomingMessage): State => {
    const uid = new RegExp(`${INTERACTION_COOKIE}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1] ?? '';
    const state = states.get(uid);
    if (state === undefined || state.interaction.bank !== bank)
      throw new Refusal('interaction_expired', 400, 'This request is over or was started in another browser.');
    return state;
  };
  const finish = (response: ServerResponse, state: State, result: State['result']) => {
    state.result = result;
    response.writeHead(303, { location: `/${bank}/auth/${state.interaction.uid}`, 'content-length': 0 }).end();
  };
  return {
    load: async (request) => {
      const { interaction, result } = find(request);
      return result === 'none' ? interaction : { ...interaction, resume: `/${bank}/auth/${interaction.uid}` };
    },
    signedIn: async (request, response, customer) => {
      const state = find(request);
      state.customer = customer.id;
      worldOf().decisions.push({ kind: 'signed-in' });
      finish(response, state, 'signed-in');
    },
    agreed: async (request, response, decision) => {
      const state = find(request);
      change(worldOf(), state.interaction.consent, { state: 'Authorised', ...decision });
      worldOf().decisions.push({ kind: 'agreed', ...decision });
      finish(response, state, 'agreed');
    },
    cancelled: async (request, response) => {
      const state = find(request);
      if (state.interaction.consent !== undefined) change(worldOf(), state.interaction.consent, { state: 'Rejected' });
      worldOf().decisions.push({ kind: 'cancelled' });
      finish(response, state, 'cancelled');
    },
  };
}

function change({ consents }: PageWorld, id: string | undefined, changes: Partial<Consent>): void {
  const consent = consents.get(id ?? '');
  if (consent?.state !== 'Awaiting') throw new Refusal('consent_status_invalid', 400, 'The consent was decided.');
  consents.set(consent.id, { ...consent, ...changes });
}

function fakeConnector(worldOf: () => PageWorld): BankConnector {
  const available = (): PageWorld => {
    const world = worldOf();
    if (world.bankRefusal !== undefined) throw world.bankRefusal;
    return world;
  };
  return {
    signIn: async (username, password) => {
      const world = available();
      world.signInCalls += 1;
      const user = world.users.get(username);
      return user?.password === password ? user.customer : undefined;
    },
    accounts: async (customer) => available().accounts.get(customer) ?? [],
    accountNumber: async () => undefined,
  };
}
