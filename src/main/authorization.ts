import { readFile } from 'node:fs/promises';
import {
  type Authorization,
  type AuthorizationBank,
  createAuthorization,
  profiles,
  type StatementSource,
} from '../authorization/index.ts';
import type { BankConnector } from '../bank/index.ts';
import { createBankConnector } from '../bank/index.ts';
import { createFetcher, type Fetcher } from '../platform/fetch.ts';
import { regimes } from '../regimes/index.ts';
import { limitsOf } from './limits.ts';
import type { Rooms } from './rooms.ts';
import { addressesOf, type BankSettings, type Settings } from './settings.ts';
import { readAll } from './text-files.ts';

/** Outbound calls that a participant's data can cause: strict limits, no private addresses. */
const OUTBOUND_TIMEOUT_MS = 5_000;
const OUTBOUND_BYTES = 512 * 1024;

/** A fetcher that reaches the bank behind us with this platform's identity. */
export async function bankFetcher(bank: BankSettings): Promise<Fetcher> {
  const [certificate, key, ...authorities] = await readAll([
    bank.connector.certificate,
    bank.connector.key,
    ...bank.connector.authorities,
  ]);
  if (certificate === undefined || key === undefined) throw new Error(`bank ${bank.id}: the connector has no identity`);
  // The operator names the bank's own address: it usually is a private one.
  return createFetcher({ allowPrivateAddresses: true, authorities, certificate, key });
}

/** The connector of a bank. */
export async function openConnector(bank: BankSettings): Promise<BankConnector> {
  return createBankConnector({ fetcher: await bankFetcher(bank), origin: bank.connector.origin });
}

/** What an authorization server asks of the process around it. */
export interface AuthorizationSurroundings {
  readonly connector: BankConnector;
  readonly renderError: AuthorizationBank['renderError'];
  readonly report: (message: string, cause: unknown) => void;
}

/** Opens a bank's authorization server over open rooms. */
export async function openAuthorization(
  bank: BankSettings,
  settings: Settings,
  rooms: Rooms,
  surroundings: AuthorizationSurroundings,
): Promise<Authorization> {
  const regime = regimes.get(bank.regime);
  const profile = profiles.get(bank.profile);
  if (regime === undefined || profile === undefined) throw new Error(`bank ${bank.id}: unknown regime or profile`);
  const outbound = createFetcher({
    allowPrivateAddresses: false,
    timeoutMs: OUTBOUND_TIMEOUT_MS,
    maximumBytes: OUTBOUND_BYTES,
  });
  return createAuthorization(
    {
      id: bank.id,
      ...addressesOf(bank, settings),
      management: managementOf(bank, settings),
      profile,
      accessTokens: bank.accessTokens,
      scopes: Object.keys(regime.scopes),
      rolesByScope: regime.rolesByScope,
      consentDays: regime.consentDays,
      takeUpSeconds: (bank.takeUpMinutes ?? DEFAULT_TAKE_UP_MINUTES) * 60,
      rolesFromDirectory: bank.trust.rolesFrom === 'directory',
      register: rooms.registers.get(bank.id),
      requestsPerMinute: limitsOf(settings).oauthRequestsPerMinute,
      statements: bank.registration === false ? undefined : await statementsOf(settings),
      allowLoopbackRedirects: settings.sandbox === true,
      renderError: surroundings.renderError,
    },
    { ...rooms, connector: surroundings.connector, fetch: outbound.asWebFetch(), report: surroundings.report },
  );
}

/** Far longer than a code lives, and short enough that no customer sees for long what nobody can use. */
const DEFAULT_TAKE_UP_MINUTES = 15;

function managementOf(bank: BankSettings, settings: Settings): AuthorizationBank['management'] {
  const { managementBase } = addressesOf(bank, settings);
  if (managementBase === undefined || bank.management === undefined) return undefined;
  return { audience: managementBase, participant: bank.management.participant };
}

const DEFAULT_STATEMENT_DAYS = 30;
const DAY_SECONDS = 86_400;

/** The directory that signs software statements; its keys come from a file of the configuration alone (N-124). */
async function statementsOf(settings: Settings): Promise<StatementSource | undefined> {
  const { statementIssuer, statementKeys, statementMaximumAgeDays } = settings.directory;
  if (statementIssuer === undefined || statementKeys === undefined) return undefined;
  const parsed: unknown = JSON.parse(await readFile(statementKeys, 'utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('keys' in parsed) || !Array.isArray(parsed.keys)) {
    throw new Error('directory.statementKeys: the file holds no JWK set');
  }
  const keys = parsed.keys.map((key: unknown) => {
    if (typeof key !== 'object' || key === null || !('kty' in key) || typeof key.kty !== 'string') {
      throw new Error('directory.statementKeys: the file holds something that is no key');
    }
    return { ...key, kty: key.kty };
  });
  return {
    issuer: statementIssuer,
    keys: { keys },
    maximumAgeSeconds: (statementMaximumAgeDays ?? DEFAULT_STATEMENT_DAYS) * DAY_SECONDS,
  };
}
