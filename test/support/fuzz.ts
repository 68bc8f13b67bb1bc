/** A source of chance that gives the same again for the same seed. */
export interface Chance {
  /** A whole number from zero on, below `below`. */
  next(below: number): number;
  pick<T>(items: readonly T[]): T;
}

/** The seed of this run: `PORTCULLIS_FUZZ_SEED` tries another one; what a test finds can be seen again with its seed. */
export function seedOf(usual: number): number {
  const wanted = Number(process.env.PORTCULLIS_FUZZ_SEED);
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : usual;
}

/** Deterministic: a failure can be seen again. */
export function chanceOf(seed: number): Chance {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <T>(items: readonly T[]): T => {
    const item = items[next(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  };
  return { next, pick };
}

/** Flips, sets, increments or copies octets, in one to three places. */
export function mutated(octets: Uint8Array, { next, pick }: Chance): Buffer {
  const copy = Buffer.from(octets);
  for (let round = next(3); round >= 0; round -= 1) {
    const place = next(copy.length);
    const action = pick(['flip', 'set', 'increment', 'copy'] as const);
    if (action === 'flip') copy[place] = (copy[place] ?? 0) ^ (1 << next(8));
    if (action === 'set') copy[place] = pick([0x00, 0x01, 0x30, 0x7f, 0x80, 0x82, 0xa0, 0xff]);
    if (action === 'increment') copy[place] = ((copy[place] ?? 0) + 1) & 0xff;
    if (action === 'copy') copy.copy(copy, place, next(copy.length), next(copy.length));
  }
  return copy;
}
