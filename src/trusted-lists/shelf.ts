import { anchorsOf } from './anchors.ts';
import type { ApplyAnchors, ConfiguredList, ListedBank, ListState } from './contract.ts';
import type { TrustedList } from './list.ts';

interface Place {
  readonly configured: ConfiguredList;
  list: TrustedList | undefined;
  /** Of the document of the list. */
  sha256: string | undefined;
  problem: string | undefined;
  /** The stored document that did not count, so that it is not read again and again. */
  refused: string | undefined;
  /** The document that this process is about to put here itself. */
  expected: string | undefined;
}

/** The lists of this process, verified, by bank and territory. */
export interface Shelf {
  readonly banks: readonly ListedBank[];
  /** The place of a configured list; undefined when the bank does not use it. */
  find(bank: string, territory: string): Readonly<Place> | undefined;
  /** Puts a list in its place; its anchors are in force at once. */
  put(bank: string, list: TrustedList, sha256: string): void;
  /** Says that the document is read already and comes, so that nobody reads it again; undefined: it does not come. */
  expect(bank: string, territory: string, sha256: string | undefined): void;
  /** Notes that getting a newer list failed, or that it did not. */
  note(bank: string, territory: string, problem: string | undefined): void;
  /** Notes that the stored document does not count, and why. */
  refuse(bank: string, territory: string, sha256: string, problem: string): void;
  statesOf(bank: string): readonly ListState[];
  endsAt(): Date | undefined;
}

/** An empty shelf: every configured list is missing until it is put there. */
export function createShelf(banks: readonly ListedBank[], apply: ApplyAnchors): Shelf {
  const places = new Map<string, Map<string, Place>>();
  for (const { bank, lists } of banks) {
    const own = lists.map(
      (configured) =>
        [
          configured.territory,
          {
            configured,
            list: undefined,
            sha256: undefined,
            problem: undefined,
            refused: undefined,
            expected: undefined,
          },
        ] as const,
    );
    places.set(bank, new Map<string, Place>(own));
  }
  const placesOf = (bank: string) => [...(places.get(bank)?.values() ?? [])];
  const find = (bank: string, territory: string) => places.get(bank)?.get(territory);
  const put = (bank: string, list: TrustedList, sha256: string) => {
    const place = find(bank, list.territory);
    const use = banks.find((item) => item.bank === bank)?.use;
    if (place === undefined || use === undefined) return;
    // Two may have been read at the same time; the older one is not put over the newer.
    if (place.list !== undefined && place.list.sequence > list.sequence) return;
    Object.assign(place, { list, sha256, problem: undefined });
    const own = placesOf(bank);
    apply(bank, {
      grantedAnchors: own.flatMap((item) => (item.list === undefined ? [] : anchorsOf(item.list, use))),
      missingLists: own.flatMap((item) => (item.list === undefined ? [item.configured.territory] : [])),
    });
  };
  return {
    banks,
    find,
    put,
    expect: (bank, territory, expected) => {
      const place = find(bank, territory);
      if (place !== undefined) place.expected = expected;
    },
    note: (bank, territory, problem) => {
      const place = find(bank, territory);
      if (place !== undefined) place.problem = problem;
    },
    refuse: (bank, territory, refused, problem) => {
      const place = find(bank, territory);
      if (place !== undefined) Object.assign(place, { refused, problem });
    },
    statesOf: (bank) =>
      placesOf(bank).map(({ configured, list, problem }) => ({ territory: configured.territory, list, problem })),
    endsAt: () => {
      const ends = banks.flatMap(({ bank }) => placesOf(bank)).map(({ list }) => list?.nextUpdate);
      const known = ends.flatMap((end) => end ?? []);
      if (known.length === 0 || known.length < ends.length) return undefined;
      return new Date(Math.min(...known.map((end) => end.getTime())));
    },
  };
}
