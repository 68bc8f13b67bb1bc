import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import { createFetcher, type Fetcher, type FetchRequest } from '../platform/fetch.ts';
import { Refusal } from '../platform/refusal.ts';
import { MAXIMUM_CRL_OCTETS } from './crl-syntax.ts';
import type { Watch } from './observation.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import { Unusable } from './unusable.ts';

/** A responder that needs longer has no answer: a request is waiting. */
const OCSP_TIMEOUT_MS = 3_000;
const OCSP_MAXIMUM_OCTETS = 64 * 1024;
/** Lists are loaded beside the requests that wait for them, and may take longer. */
const CRL_TIMEOUT_MS = 30_000;
/** One more try, for connections that the other side closed while we began. */
const TRIES = 2;
/** After so many failures in a row a host is left alone for a while. */
const FAILURES_BEFORE_PAUSE = 3;
const PAUSE_SECONDS = 30;
const MAXIMUM_HOSTS = 1_000;

const CRL_TYPES = new Set([
  'application/pkix-crl',
  'application/x-pkcs7-crl',
  'application/x-x509-crl',
  'application/octet-stream',
]);

/** The way to responders and lists. */
export interface RevocationFetch {
  /** @throws Unusable `fetch_…` */
  ocsp(url: string, request: Uint8Array, settings: CompiledRevocation): Promise<Uint8Array>;
  /** @throws Unusable `fetch_…` */
  crl(url: string, settings: CompiledRevocation): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Two fetchers by size and patience, each once for public and once for all addresses. */
export function createRevocationFetch(clock: Clock, watch: Watch): RevocationFetch {
  const fetchers = new Map<string, Fetcher>();
  const pauses = createPauses(clock);
  const fetcherFor = (protocol: 'ocsp' | 'crl', allowPrivateAddresses: boolean) => {
    const key = `${protocol} ${allowPrivateAddresses}`;
    const known = fetchers.get(key);
    if (known !== undefined) return known;
    const limits =
      protocol === 'ocsp'
        ? { timeoutMs: OCSP_TIMEOUT_MS, maximumBytes: OCSP_MAXIMUM_OCTETS }
        : { timeoutMs: CRL_TIMEOUT_MS, maximumBytes: MAXIMUM_CRL_OCTETS };
    const fetcher = createFetcher({ allowPrivateAddresses, allowPlainHttp: true, ...limits });
    fetchers.set(key, fetcher);
    return fetcher;
  };
  const call = async (
    protocol: 'ocsp' | 'crl',
    request: FetchRequest,
    settings: CompiledRevocation,
    types: ReadonlySet<string>,
  ) => {
    const host = checkHost(request.url, settings);
    try {
      pauses.check(host);
      const body = await exchange(fetcherFor(protocol, settings.allowPrivateAddresses), request, types);
      pauses.succeeded(host);
      watch.observe({ kind: 'fetch', protocol, outcome: 'answered' });
      return body;
    } catch (cause) {
      if (!(cause instanceof Unusable)) throw cause;
      if (cause.code === 'fetch_failed') pauses.failed(host);
      watch.observe({ kind: 'fetch', protocol, outcome: cause.code });
      throw cause;
    }
  };
  return {
    ocsp: (url, body, settings) => {
      const headers = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' };
      return call('ocsp', { method: 'POST', url, headers, body }, settings, new Set(['application/ocsp-response']));
    },
    crl: (url, settings) => {
      const headers = { accept: 'application/pkix-crl' };
      return call('crl', { method: 'GET', url, headers }, settings, CRL_TYPES);
    },
    close: async () => {
      await Promise.all([...fetchers.values()].map((fetcher) => fetcher.close()));
    },
  };
}

function checkHost(text: string, { hosts }: CompiledRevocation): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const allowed = url !== undefined && (hosts === undefined || hosts.has(url.hostname));
  if (!allowed) throw new Unusable('fetch_forbidden', 'the address is not one that may be asked');
  return url.host;
}

/** One question, asked again once when the connection broke. @throws Unusable `fetch_…` for anything but a plain answer of one of these types */
export async function exchange(
  fetcher: Fetcher,
  request: FetchRequest,
  types: ReadonlySet<string>,
): Promise<Uint8Array> {
  const { status, headers, body } = await transport(fetcher, request);
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const encoding = headers['content-encoding'] ?? 'identity';
  // A redirect is an answer like any other, and not the one that was asked for.
  if (status !== 200) throw new Unusable('fetch_answer', `status ${status}`);
  if (!types.has(type)) throw new Unusable('fetch_answer', 'the answer is of another type');
  if (encoding.toLowerCase() !== 'identity') throw new Unusable('fetch_answer', 'the answer is compressed');
  return body;
}

async function transport(fetcher: Fetcher, request: FetchRequest): ReturnType<Fetcher['request']> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await fetcher.request(request);
    } catch (cause) {
      if (!(cause instanceof Refusal)) throw cause;
      if (cause.code !== 'upstream_unavailable') throw new Unusable('fetch_forbidden', cause.message, cause);
      const slow = /timeout/i.test(cause.detail ?? '');
      if (left === 0 || slow) throw new Unusable('fetch_failed', `${cause.message} (${cause.detail})`, cause);
    }
  }
}

/** A host that fails again and again is not asked for a while: nobody waits for it, and it can recover. */
function createPauses(clock: Clock) {
  const hosts = new Map<string, { failures: number; until: Date }>();
  return {
    check: (host: string) => {
      const state = hosts.get(host);
      if (state === undefined || state.failures < FAILURES_BEFORE_PAUSE || state.until <= clock.now()) return;
      throw new Unusable('fetch_paused', 'the host failed several times and is left alone for a while');
    },
    succeeded: (host: string) => {
      hosts.delete(host);
    },
    failed: (host: string) => {
      const failures = (hosts.get(host)?.failures ?? 0) + 1;
      if (hosts.size >= MAXIMUM_HOSTS) hosts.clear();
      hosts.set(host, { failures, until: secondsAfter(clock.now(), PAUSE_SECONDS) });
    },
  };
}
