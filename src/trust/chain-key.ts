import { sha256 } from '../platform/random.ts';
import type { PresentedChain } from './tls-source.ts';

/** The whole chain is the key: a leaf that arrives without its intermediate has another verdict than one with it. */
export function keyOfChain(chain: readonly Uint8Array[]): string {
  return chain.map((der) => sha256(der)).join('.');
}

const chainKeys = new WeakMap<PresentedChain, string>();

/** The same, reckoned once for each connection. */
export function keyOfPresented(presented: PresentedChain & { readonly chain: readonly Uint8Array[] }): string {
  const known = chainKeys.get(presented);
  if (known !== undefined) return known;
  const key = keyOfChain(presented.chain);
  chainKeys.set(presented, key);
  return key;
}
