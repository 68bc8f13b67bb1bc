import { createCache } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import { sha256 } from '../platform/random.ts';
import type { Trust } from './index.ts';
import { absent, type Judgement, judgeChain, refused } from './judge.ts';
import { type CompiledScheme, compileScheme, type TrustScheme } from './scheme.ts';
import { type PresentedChain, presentedChain } from './tls-source.ts';
import type { CertificateVerdict } from './verdict.ts';

/** Verdicts remembered: participants times certificates times banks stays far below. */
const MAXIMUM_VERDICTS = 10_000;
/** A good certificate is looked at again after this, whatever its dates say. */
const POSITIVE_SECONDS = 3_600;
/** A refused caller may have been helped meanwhile; a flood of bad certificates still costs little. */
const NEGATIVE_SECONDS = 10;

/** Where trust writes what operators should know; the platform's log fits. */
export interface TrustLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What trust needs from outside. */
export interface TrustOptions {
  readonly clock: Clock;
  /** By bank id. */
  readonly schemes: ReadonlyMap<string, TrustScheme>;
  readonly log?: TrustLog | undefined;
}

interface VersionedScheme {
  readonly version: number;
  readonly scheme: CompiledScheme;
}

/** Judges certificates for all banks. @throws Error naming bank and entry when a scheme is not sound */
export function createTrust({ clock, schemes }: TrustOptions): Trust {
  const verdicts = createCache<CertificateVerdict>({ maximum: MAXIMUM_VERDICTS, clock });
  const compiled = new Map(
    [...schemes].map(([bank, scheme]) => [bank, { version: 0, scheme: compileFor(bank, scheme) }]),
  );
  const judge = async (chain: readonly Uint8Array[], key: string, bank: string) => {
    const versioned = compiled.get(bank);
    if (versioned === undefined) return refused('scheme_missing', 'This bank trusts no certificates.').verdict;
    if (chain.length === 0) return absent('certificate_absent').verdict;
    const verdict = await verdicts.load(cacheKey(bank, versioned, key), async () => {
      const now = clock.now();
      return withEnd(judgeChain(chain, versioned.scheme, now), now);
    });
    if (verdict === undefined) throw new Error('a verdict that is none');
    return verdict;
  };
  return {
    clientCertificate: async (request, bank) => {
      const presented = presentedChain(request);
      if ('absent' in presented) return absent(presented.absent).verdict;
      return judge(presented.chain, keyOfPresented(presented), bank);
    },
    judge: async (chain, bank) => judge(chain, keyOfChain(chain), bank),
    replaceScheme: (bank, scheme) => {
      const next = { version: (compiled.get(bank)?.version ?? 0) + 1, scheme: compileFor(bank, scheme) };
      compiled.set(bank, next);
      verdicts.dropWhere((key) => key.startsWith(`${bank} `));
    },
  };
}

function compileFor(bank: string, scheme: TrustScheme): CompiledScheme {
  try {
    return compileScheme(scheme);
  } catch (cause) {
    throw new Error(`bank ${bank}: ${cause instanceof Error ? cause.message : 'trust scheme'}`, { cause });
  }
}

/** The version is part of the key: an evaluation that began under the old anchors cannot speak for the new ones. */
function cacheKey(bank: string, { version }: VersionedScheme, chain: string): string {
  return `${bank} ${version} ${chain}`;
}

/** The whole chain is the key: a leaf that arrives without its intermediate has another verdict than one with it. */
function keyOfChain(chain: readonly Uint8Array[]): string {
  return chain.map((der) => sha256(der)).join('.');
}

const chainKeys = new WeakMap<PresentedChain, string>();

function keyOfPresented(presented: PresentedChain & { readonly chain: readonly Uint8Array[] }): string {
  const known = chainKeys.get(presented);
  if (known !== undefined) return known;
  const key = keyOfChain(presented.chain);
  chainKeys.set(presented, key);
  return key;
}

function withEnd({ verdict }: Judgement, now: Date): { readonly value: CertificateVerdict; readonly validUntil: Date } {
  if (!verdict.ok) return { value: verdict, validUntil: secondsAfter(now, NEGATIVE_SECONDS) };
  return { value: verdict, validUntil: earliest(verdict.validUntil, secondsAfter(now, POSITIVE_SECONDS)) };
}

function earliest(...dates: readonly Date[]): Date {
  return new Date(Math.min(...dates.map((date) => date.getTime())));
}
