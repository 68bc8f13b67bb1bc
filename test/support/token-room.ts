import { after, before, beforeEach } from 'node:test';
import type { Actor } from '../../src/audit/index.ts';
import { epochSeconds, secondsAfter } from '../../src/platform/clock.ts';
import type { Database } from '../../src/platform/database.ts';
import { randomToken, uuid } from '../../src/platform/random.ts';
import { Refusal } from '../../src/platform/refusal.ts';
import { createTokens, type TokenFacts, type TokenResolution, type Tokens } from '../../src/tokens/index.ts';
import { createVault, type Vault } from '../../src/vault/index.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { createMemoryKeyStore } from './memory-key-store.ts';
import { createRecordingAudit } from './recording-audit.ts';

export const BANK = 'gobank';
export const ISSUER = 'https://localhost:8443/gobank';
export const START = new Date('2026-01-01T10:00:00.000Z');
export const END = secondsAfter(START, 300);
export const STAFF: Actor = { kind: 'staff', reference: 'staff-1', interaction: 'interaction-1' };
export const PARTICIPANT = {
  kind: 'participant',
  customer: undefined,
  subject: 'client-1',
  consent: undefined,
} as const;

type Format = TokenFacts['format'];

/** A customer's opaque token, with whatever a test changes. */
export function factsOf(changes: Partial<TokenFacts> = {}): TokenFacts {
  return {
    bank: BANK,
    format: 'opaque',
    kind: 'customer',
    client: 'client-1',
    participant: 'financroo',
    customer: 'customer-1',
    subject: 'pairwise-1',
    scopes: ['accounts'],
    consent: 'consent-1',
    audience: 'https://localhost:8444/gobank',
    thumbprint: 'x'.repeat(43),
    issuedAt: START,
    expiresAt: END,
    ...changes,
  };
}

/** The claims of a JWT that says what its facts say. */
export function claimsOf(jti: string, facts: TokenFacts): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: facts.audience,
    sub: facts.subject,
    jti,
    iat: epochSeconds(facts.issuedAt),
    exp: epochSeconds(facts.expiresAt),
    client_id: facts.client,
    ...(facts.scopes.length === 0 ? {} : { scope: facts.scopes.join(' ') }),
    ...(facts.consent === undefined ? {} : { consent_id: facts.consent }),
    ...(facts.thumbprint === undefined ? {} : { cnf: { 'x5t#S256': facts.thumbprint } }),
  };
}

/** Matches a refusal with this code and status. */
export function refuses(code: string, status: number) {
  return (error: unknown): boolean => error instanceof Refusal && error.code === code && error.status === status;
}

/** The room of tokens on a database of its own, opened before the tests of a file and closed after them. */
export function openTokenRoom() {
  const audit = createRecordingAudit();
  const clock = { current: START, now: (): Date => clock.current };
  const warnings: string[] = [];
  const log = { warn: (_facts: unknown, message: string) => void warnings.push(message) };
  const failing: { vault: Error | undefined } = { vault: undefined };
  let queries = 0;
  let verifications = 0;
  let opened: { database: TestDatabase; vault: Vault; tokens: Tokens } | undefined;
  const open = () => {
    if (opened === undefined) throw new Error('the room opens before the first test');
    return opened;
  };
  /** The room's own part of the vault, counted and made to fail. */
  const judge: Pick<Vault, 'verifyJwt' | 'hasher'> = {
    hasher: (bank, purpose) => open().vault.hasher(bank, purpose),
    verifyJwt: async (bank, token, expected) => {
      verifications += 1;
      if (failing.vault !== undefined) throw failing.vault;
      return open().vault.verifyJwt(bank, token, expected);
    },
  };
  /** The same room as another process has it. */
  const another = (database: Database) => createTokens({ audit, clock, log, database, vault: judge });
  before(async () => {
    const database = await openTestDatabase();
    const counting = counted(database, () => {
      queries += 1;
    });
    const vault = await createVault({ database, audit, clock, keyStore: createMemoryKeyStore() });
    opened = { database, vault, tokens: await another(counting) };
    for (const bank of [BANK, 'albion']) await vault.keyring(bank);
  });
  after(async () => {
    await open().tokens.close();
    await open().vault.close();
    await open().database.close();
  });
  beforeEach(() => {
    clock.current = START;
    audit.events.length = 0;
    audit.failure = undefined;
    failing.vault = undefined;
    warnings.length = 0;
  });
  const resolve = async (token: string, tokens = open().tokens): Promise<TokenResolution> =>
    tokens.resolve(BANK, ISSUER, token);
  const { issueOpaque, issueJwt } = issuersOf(open);
  return {
    audit,
    clock,
    warnings,
    failing,
    another,
    vault: () => open().vault,
    verifications: () => verifications,
    resolve,
    issueOpaque,
    issueJwt,
    tokens: () => open().tokens,
    database: () => open().database,
    queries: () => queries,
    stateOf: async (token: string, tokens = open().tokens) => (await resolve(token, tokens)).state,
    issue: async (format: Format, changes: Partial<TokenFacts> = {}): Promise<string> =>
      format === 'opaque' ? issueOpaque(changes) : (await issueJwt(changes)).token,
    /** Waits until everything told so far has arrived at `database`: notifications come in order, on their own time. */
    delivered: (database: Database) => delivered(open().database, database),
  };
}

/** The database, telling each query. */
function counted(database: TestDatabase, count: () => void): Database {
  return {
    ...database,
    query: (text, values) => {
      count();
      return database.query(text, values);
    },
  };
}

/** Tokens as the engine issues them: an opaque one, and a JWT that may say something else than its row. */
function issuersOf(open: () => { readonly vault: Vault; readonly tokens: Tokens }) {
  const issueOpaque = async (changes: Partial<TokenFacts> = {}): Promise<string> => {
    const token = randomToken();
    await open().tokens.save(token, factsOf(changes), { jti: token, kind: 'AccessToken', clientId: 'client-1' });
    return token;
  };
  const issueJwt = async (
    changes: Partial<TokenFacts> = {},
    claims: Readonly<Record<string, unknown>> = {},
    type = 'at+jwt',
  ) => {
    const jti = randomToken();
    const facts = factsOf({ format: 'jwt', ...changes });
    await open().tokens.save(jti, facts, undefined);
    return { jti, token: await open().vault.signJwt(facts.bank, type, { ...claimsOf(jti, facts), ...claims }) };
  };
  return { issueOpaque, issueJwt };
}

async function delivered(from: Database, at: Database): Promise<void> {
  const mark = uuid();
  const { promise, resolve } = Promise.withResolvers<void>();
  const unlisten = await at.listen('tokens_denied', (payload) => payload.includes(mark) && resolve());
  await from.query('SELECT pg_notify($1, $2)', ['tokens_denied', JSON.stringify({ bank: mark })]);
  await promise;
  await unlisten();
}
