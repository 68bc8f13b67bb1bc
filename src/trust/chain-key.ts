import { sha256 } from '../platform/random.ts';
import type { PresentedChain } from './tls-source.ts';

/** The whole chain is the key: a leaf that arrives without its intermediate has another verdict than one with it. */
export function keyOfChain(chain: readonly Uint8Array[]): string {
  return chain.map((der) => sha256(der)).join('.');
}

const chainKeys = new WeakMap<PresentedChain, string>();

/** The same, reckoned once for each connection. */
function keyOfPresented(presented: PresentedChain & { readonly chain: readonly Uint8Array[] }): string {
  const known = chainKeys.get(presented);
  if (known !== undefined) return known;
  const key = keyOfChain(presented.chain);
  chainKeys.set(presented, key);
  return key;
}

/** Under which rules a verdict is reckoned: a bank's scheme in one version. */
export interface PlaceRules {
  readonly bank: string;
  readonly version: number;
}

/** Where verdicts are kept. The version is part of it: an evaluation that began under the old anchors cannot speak for the new ones. */
export function placeOf({ bank, version }: PlaceRules, chainKey: string): string {
  return `${bank} ${version} ${chainKey}`;
}

interface Known {
  readonly rules: PlaceRules;
  readonly place: string;
}

const places = new WeakMap<PresentedChain, Known>();

/**
 * The same for what a request presented, reckoned anew only when the rules changed or another bank is called over the
 * connection. What the proxy vouches for has a place of its own.
 */
export function placeOfPresented(
  rules: PlaceRules,
  presented: PresentedChain & { readonly chain: readonly Uint8Array[]; readonly vouched?: boolean },
): string {
  const known = places.get(presented);
  if (known !== undefined && known.rules === rules) return known.place;
  const place = placeOf(rules, `${presented.vouched === true ? 'vouched ' : ''}${keyOfPresented(presented)}`);
  places.set(presented, { rules, place });
  return place;
}
