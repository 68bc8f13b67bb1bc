import { createCache } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import { createFetcher, type Fetcher } from '../platform/fetch.ts';
import { Malformed } from './malformed.ts';
import type { Watch } from './observation.ts';
import { certificatesOfPem } from './pem.ts';
import { exchange } from './revocation-fetch.ts';
import { Unusable } from './unusable.ts';
import { type Certificate, parseCertificate } from './x509.ts';

/**
 * Where intermediates that a caller did not send may be fetched from. The address stands in a certificate that nobody has
 * verified yet, so that without this setting nothing is fetched (attack 43), and with it nothing but what the operator wrote.
 */
export interface IssuerFetchSettings {
  /** Whole addresses, or beginnings that end in a slash. */
  readonly addresses: readonly string[];
  /** True: private and loopback addresses may be asked, for authorities inside the house. Default false. */
  readonly allowPrivateAddresses?: boolean | undefined;
}

/** Settings with every address in the form that URLs are compared in. */
export interface CompiledIssuerFetch {
  readonly addresses: readonly string[];
  readonly allowPrivateAddresses: boolean;
}

/** The way to one address; only tests give another than the network. */
export type IssuerGet = (url: string, allowPrivateAddresses: boolean) => Promise<Uint8Array>;

/** What completes a chain. */
export interface Issuers {
  /** Certificates that the chain lacks, as far as they can be had; never throws for what the other side does. */
  complete(search: IssuerSearch): Promise<readonly Certificate[]>;
  clear(): void;
  close(): Promise<void>;
}

/** A chain that ends nowhere. */
export interface IssuerSearch {
  readonly leaf: Certificate;
  readonly others: readonly Certificate[];
  readonly anchors: readonly Certificate[];
  readonly settings: CompiledIssuerFetch;
}

/** Fetched for one chain: no path is longer than five, and leaf and anchor are never fetched. */
const MAXIMUM_FETCHES = 3;
/** One certificate of 16 KiB (§5.3), as PEM. */
const MAXIMUM_OCTETS = 24 * 1024;
/** A request is waiting. */
const TIMEOUT_MS = 3_000;
const MAXIMUM_REMEMBERED = 500;
const POSITIVE_SECONDS = 86_400;
const NEGATIVE_SECONDS = 300;
/** Strangers decide when something is fetched: never more often than this, whatever they send. */
const FETCHES_PER_MINUTE = 60;
const MINUTE_SECONDS = 60;
const TYPES = new Set([
  'application/pkix-cert',
  'application/x-x509-ca-cert',
  'application/x-pem-file',
  'application/octet-stream',
]);

/** @throws Error naming an address that is none */
export function compileIssuerFetch({ addresses, allowPrivateAddresses }: IssuerFetchSettings): CompiledIssuerFetch {
  if (addresses.length === 0) throw new Error('trust scheme: fetchIssuers names no address');
  const compiled = addresses.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.hash === '';
    if (!plain) throw new Error(`trust scheme: fetchIssuers: ${text} is no http or https address`);
    return url.href;
  });
  return { addresses: compiled, allowPrivateAddresses: allowPrivateAddresses ?? false };
}

/** The address as it may be fetched, or undefined when the operator did not name it. */
function permitted(text: string, { addresses }: CompiledIssuerFetch): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { href } = new URL(text);
  return addresses.some((one) => href === one || (one.endsWith('/') && href.startsWith(one))) ? href : undefined;
}

/** Fetches issuers, remembers them, and bounds how often anything is fetched. */
export function createIssuers(clock: Clock, watch: Watch, get?: IssuerGet): Issuers {
  const known = createCache<Certificate>({ maximum: MAXIMUM_REMEMBERED, clock });
  const network = createNetwork();
  const takeTurn = createBudget(clock);

  async function fetchIssuer(url: string, allowPrivateAddresses: boolean): Promise<Certificate | undefined> {
    try {
      if (!takeTurn()) throw new Unusable('fetch_paused', 'too many issuers were fetched in the last minute');
      const certificate = readIssuer(await (get ?? network.get)(url, allowPrivateAddresses));
      watch.observe({ kind: 'fetch', protocol: 'issuer', outcome: 'answered' });
      return certificate;
    } catch (cause) {
      if (!(cause instanceof Unusable)) throw cause;
      watch.observe({ kind: 'fetch', protocol: 'issuer', outcome: cause.code });
      return undefined;
    }
  }

  const load = (url: string, { allowPrivateAddresses }: CompiledIssuerFetch) =>
    known.load(`${allowPrivateAddresses} ${url}`, async () => {
      const value = await fetchIssuer(url, allowPrivateAddresses);
      const validUntil = secondsAfter(clock.now(), value === undefined ? NEGATIVE_SECONDS : POSITIVE_SECONDS);
      return { value, validUntil };
    });

  return {
    complete: async (search) => {
      const fetched: Certificate[] = [];
      while (fetched.length < MAXIMUM_FETCHES) {
        const child = orphanOf(search, fetched);
        const [url] = child?.caIssuersUrls.flatMap((text) => permitted(text, search.settings) ?? []) ?? [];
        const issuer = url === undefined ? undefined : await load(url, search.settings);
        if (child === undefined || issuer === undefined || !issues(issuer, child)) break;
        fetched.push(issuer);
      }
      return fetched;
    },
    clear: () => known.clear(),
    close: network.close,
  };
}

function issues(issuer: Certificate, child: Certificate): boolean {
  return Buffer.compare(issuer.subject.der, child.issuer.der) === 0;
}

/** The first certificate on the way up from the leaf whose issuer is not there; undefined where a way ends, or goes round. */
function orphanOf({ leaf, others, anchors }: IssuerSearch, fetched: readonly Certificate[]): Certificate | undefined {
  const candidates = [...fetched, ...others];
  const passed = new Set<string>();
  for (let child = leaf; !passed.has(child.thumbprint); ) {
    if (anchors.some((anchor) => issues(anchor, child))) return undefined;
    passed.add(child.thumbprint);
    const next = candidates.find((item) => issues(item, child) && !passed.has(item.thumbprint));
    if (next === undefined) return candidates.some((item) => issues(item, child)) ? undefined : child;
    child = next;
  }
  return undefined;
}

/** One certificate, DER or PEM; bundles (PKCS#7) are not read. @throws Unusable */
function readIssuer(octets: Uint8Array): Certificate {
  try {
    const pem = octets[0] === 0x2d;
    const [der, ...more] = pem ? certificatesOfPem(Buffer.from(octets).toString('latin1')) : [octets];
    if (der === undefined || more.length > 0) throw new Unusable('fetch_answer', 'the answer is not one certificate');
    return parseCertificate(der);
  } catch (cause) {
    if (cause instanceof Malformed) throw new Unusable('fetch_answer', cause.message, cause);
    throw cause;
  }
}

/** At most so many fetches in every minute, over all callers. */
function createBudget(clock: Clock): () => boolean {
  let [count, until] = [0, clock.now()];
  return () => {
    const now = clock.now();
    if (now >= until) [count, until] = [0, secondsAfter(now, MINUTE_SECONDS)];
    count += 1;
    return count <= FETCHES_PER_MINUTE;
  };
}

function createNetwork(): { readonly get: IssuerGet; readonly close: () => Promise<void> } {
  const fetchers = new Map<boolean, Fetcher>();
  const fetcherFor = (allowPrivateAddresses: boolean): Fetcher => {
    const limits = { timeoutMs: TIMEOUT_MS, maximumBytes: MAXIMUM_OCTETS };
    const fetcher =
      fetchers.get(allowPrivateAddresses) ?? createFetcher({ allowPrivateAddresses, allowPlainHttp: true, ...limits });
    fetchers.set(allowPrivateAddresses, fetcher);
    return fetcher;
  };
  return {
    get: (url, allowPrivateAddresses) => {
      const headers = { accept: 'application/pkix-cert' };
      return exchange(fetcherFor(allowPrivateAddresses), { method: 'GET', url, headers }, TYPES);
    },
    close: async () => {
      await Promise.all([...fetchers.values()].map((fetcher) => fetcher.close()));
    },
  };
}
