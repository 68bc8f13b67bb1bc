import type { Issuers } from './issuer-fetch.ts';
import { judgeChain, readSurplus } from './judge.ts';
import type { CompiledScheme } from './scheme.ts';
import { MAXIMUM_CHAIN } from './tls-source.ts';

/** What a missing intermediate looks like. */
const LACKING: ReadonlySet<string> = new Set(['issuer_unknown', 'trusted_list_missing']);

/**
 * The chain as it was sent, followed by intermediates that it lacks, where the scheme lets them be fetched. They are judged
 * like everything that a caller sends: where a certificate comes from says nothing about it.
 */
export async function completedChain(
  chain: readonly Uint8Array[],
  scheme: CompiledScheme,
  issuers: Issuers,
  now: Date,
): Promise<readonly Uint8Array[]> {
  const settings = scheme.fetchIssuers;
  if (settings === undefined || chain.length >= MAXIMUM_CHAIN) return chain;
  const { verdict } = judgeChain(chain, scheme, now);
  if (verdict.ok || !LACKING.has(verdict.detail)) return chain;
  // The leaf is there: it was read before.
  const [leaf, ...others] = chain.flatMap(readSurplus);
  if (leaf === undefined) return chain;
  const anchors = scheme.anchors.map(({ certificate }) => certificate);
  const fetched = await issuers.complete({ leaf, others, anchors, settings });
  return [...chain, ...fetched.map(({ der }) => der)].slice(0, MAXIMUM_CHAIN);
}
