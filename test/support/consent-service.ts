import { type OpenConsentStore, openConsentStore } from '../../sandbox/consent-store/server.ts';
import { createFetcher, type Fetcher } from '../../src/platform/fetch.ts';
import type { Authority, Issued } from './certificates.ts';

const IDENTITIES = { platform: 'urn:test:platform', bank: 'urn:test:bank-staff' };
/** Short, so that a silent store does not hold up the tests; long enough for a loaded machine. */
export const STORE_TIMEOUT_MS = 1_000;

/** The sandbox's consent store on a free port, with everybody's identities. */
export interface ConsentService {
  readonly store: OpenConsentStore;
  readonly authority: Authority;
  readonly platform: Issued;
  readonly bank: Issued;
  /** What the bank shows when it calls the platform back. */
  readonly callback: Issued;
  /** Speaks to it as the platform does. */
  fetcher(): Fetcher;
  close(): Promise<void>;
}

/** Starts it; `now` is its clock, `file` its storage (in memory unless given). */
export async function startConsentService(
  authority: Authority,
  { now, file }: { readonly now?: () => Date; readonly file?: string } = {},
): Promise<ConsentService> {
  const server = authority.issueServer({ commonName: 'consent-store' });
  const platform = authority.issue({ commonName: 'platform', uris: [IDENTITIES.platform] });
  const bank = authority.issue({ commonName: 'bank-staff', uris: [IDENTITIES.bank] });
  const callback = authority.issue({ commonName: 'consent-store' });
  const store = await openConsentStore({
    host: '127.0.0.1',
    port: 0,
    certificate: server.chainPem,
    key: server.keyPem,
    authority: authority.certificatePem,
    identities: IDENTITIES,
    file,
    ...(now === undefined ? {} : { now }),
  });
  return {
    store,
    authority,
    platform,
    bank,
    callback,
    fetcher: () =>
      createFetcher({
        allowPrivateAddresses: true,
        authorities: [authority.certificatePem],
        certificate: platform.chainPem,
        key: platform.keyPem,
        timeoutMs: STORE_TIMEOUT_MS,
      }),
    close: () => store.close(),
  };
}
