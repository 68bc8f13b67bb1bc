import { readFile } from 'node:fs/promises';
import type { Audit } from '../audit/index.ts';
import { type ConsentStore, createExternalConsentStore, createSqlConsentStore } from '../consent/index.ts';
import { type ConsentCallback, createConsentCallback } from '../gateway/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { createFetcher } from '../platform/fetch.ts';
import type { Log } from '../platform/log.ts';
import { sha256 } from '../platform/random.ts';
import { certificatesOfPem } from '../trust/index.ts';
import type { Rooms } from './rooms.ts';
import type { BankSettings, Settings } from './settings.ts';
import { readAll } from './text-files.ts';
import type { SchemeFiles } from './trust.ts';

/** A customer waits for it, on a page or at a third party's API. */
const STORE_TIMEOUT_MS = 3_000;
/** A page of a hundred consents, each with many accounts. */
const STORE_MAXIMUM_BYTES = 4 * 1024 * 1024;

/** What the stores of consents are made with. */
interface StoreParts {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly reference: (bank: string, customer: string) => string;
  readonly log: Log;
}

/** The store of each bank: the platform's database, or the bank's own service. */
export async function openConsentStores(settings: Settings, parts: StoreParts) {
  const builtIn = createSqlConsentStore(parts);
  const stores = new Map<string, ConsentStore>();
  for (const bank of settings.banks) stores.set(bank.id, (await openExternal(bank, parts)) ?? builtIn);
  return {
    storeOf: (bank: string): ConsentStore => {
      const store = stores.get(bank);
      if (store === undefined) throw new Error(`bank ${bank} has no consent store`);
      return store;
    },
    /** Also those that nobody used: an external one looks for work by itself. */
    expireDue: () => builtIn.expireDue(),
    close: async () => {
      for (const store of new Set([...stores.values(), builtIn])) await store.close();
    },
  };
}

async function openExternal(bank: BankSettings, parts: StoreParts): Promise<ConsentStore | undefined> {
  const { consentStore: own } = bank;
  if (own === undefined) return undefined;
  const [certificate, key] = await Promise.all([readFile(own.certificate, 'utf8'), readFile(own.key, 'utf8')]);
  const fetcher = createFetcher({
    // The operator names the bank's own address: it usually is a private one.
    allowPrivateAddresses: true,
    authorities: await readAll(own.authorities),
    certificate,
    key,
    timeoutMs: STORE_TIMEOUT_MS,
    maximumBytes: STORE_MAXIMUM_BYTES,
  });
  return createExternalConsentStore({
    ...parts,
    bank: bank.id,
    fetcher,
    origin: own.origin,
    maximumAgeSeconds: own.maximumAgeSeconds,
    report: (message, cause) => parts.log.warn({ cause, bank: bank.id }, message),
  });
}

/** The trust scheme by which a bank's store is known when it calls back; no bank's id has a slash. */
function schemeIdOf(bank: BankSettings): string {
  return `${bank.id}/consent-store`;
}

/** The schemes of every store that calls back: as strict about withdrawn certificates as its bank, unless it has a rule of its own. */
export function callbackSchemes(settings: Settings): readonly SchemeFiles[] {
  return settings.banks.flatMap((bank) => {
    const { consentStore: store, trust } = bank;
    if (store === undefined) return [];
    const revocation = store.revocation ?? trust.revocation ?? {};
    const scheme = { extendedKeyUsages: ['clientAuth'], revocation, denied: trust.denied };
    return [{ id: schemeIdOf(bank), bank: bank.id, paths: store.authorities, scheme }];
  });
}

/** The ids of these schemes: the mTLS door lets in whom one of them knows. */
export function callbackSchemeIds(settings: Settings): readonly string[] {
  return settings.banks.filter((bank) => bank.consentStore !== undefined).map(schemeIdOf);
}

/** The endpoint where banks' own stores tell of changes. @throws Error when a configured certificate cannot be read */
export async function openConsentCallback(settings: Settings, rooms: Rooms, log: Log): Promise<ConsentCallback> {
  const identities = new Map<string, { readonly scheme: string; readonly thumbprint: string }>();
  for (const bank of settings.banks) {
    const path = bank.consentStore?.callbackCertificate;
    if (path === undefined) continue;
    const [certificate] = certificatesOfPem(await readFile(path, 'utf8'));
    if (certificate === undefined) throw new Error(`bank ${bank.id}: ${path} holds no certificate`);
    identities.set(bank.id, { scheme: schemeIdOf(bank), thumbprint: sha256(certificate) });
  }
  return createConsentCallback({ ...rooms, identities, log });
}
