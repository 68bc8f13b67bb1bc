import type { Trust } from './contract.ts';
import { compileDenyList, type DenyList, sameDenials } from './deny-list.ts';
import { type AnchorChange, type CompiledScheme, compileAnchors, compileScheme, type TrustScheme } from './scheme.ts';

/** The scheme of a bank as it is now. */
export interface VersionedScheme {
  readonly bank: string;
  readonly version: number;
  readonly source: TrustScheme;
  /** Denied beside the scheme. */
  readonly denied: DenyList;
  readonly scheme: CompiledScheme;
}

/** The schemes of all banks, which change while the platform runs. */
export interface BankSchemes extends Pick<Trust, 'replaceScheme' | 'replaceAnchors' | 'replaceDenied'> {
  find(bank: string): VersionedScheme | undefined;
}

/** `changed` is called when verdicts of a bank are worth nothing any more. @throws Error naming bank and entry that is not sound */
export function createBankSchemes(
  schemes: ReadonlyMap<string, TrustScheme>,
  changed: (bank: string) => void,
): BankSchemes {
  const compiled = new Map<string, VersionedScheme>();
  for (const [bank, scheme] of schemes) compiled.set(bank, versionOf(bank, scheme, undefined));
  const put = (bank: string, next: VersionedScheme): void => {
    compiled.set(bank, next);
    changed(bank);
  };
  return {
    find: (bank) => compiled.get(bank),
    replaceScheme: (bank, scheme) => put(bank, versionOf(bank, scheme, compiled.get(bank))),
    replaceAnchors: (bank, change) => put(bank, withAnchors(bank, compiled.get(bank), change)),
    replaceDenied: (bank, denied) => {
      const versioned = known(bank, compiled.get(bank));
      const list = namingBank(bank, () => compileDenyList(denied));
      // Looked at regularly: a list that did not change costs nobody a verdict.
      if (!sameDenials(list, versioned.denied)) put(bank, withDenied(versioned, list));
    },
  };
}

function versionOf(bank: string, source: TrustScheme, former: VersionedScheme | undefined): VersionedScheme {
  const compiled = namingBank(bank, () => compileScheme(source));
  const { version = -1, denied = new Set<string>() } = former ?? {};
  return withDenied({ bank, version, source, denied, scheme: compiled }, denied);
}

function withAnchors(bank: string, former: VersionedScheme | undefined, change: AnchorChange): VersionedScheme {
  const versioned = known(bank, former);
  const source = { ...versioned.source, ...change };
  const anchors = namingBank(bank, () => compileAnchors(source));
  const scheme = { ...versioned.scheme, anchors, missingLists: source.missingLists };
  return { ...versioned, version: versioned.version + 1, source, scheme };
}

function withDenied(versioned: VersionedScheme, denied: DenyList): VersionedScheme {
  const own = compileDenyList(versioned.source.denied ?? []);
  const scheme = { ...versioned.scheme, denied: new Set([...own, ...denied]) };
  return { ...versioned, version: versioned.version + 1, denied, scheme };
}

function known(bank: string, versioned: VersionedScheme | undefined): VersionedScheme {
  if (versioned !== undefined) return versioned;
  throw new Error(`bank ${bank}: trusts no certificates that could be replaced`);
}

function namingBank<T>(bank: string, compile: () => T): T {
  try {
    return compile();
  } catch (cause) {
    throw new Error(`bank ${bank}: ${cause instanceof Error ? cause.message : 'trust scheme'}`, { cause });
  }
}
