/** What a test can make the store do wrong; everything off is a good store. */
export interface Faults {
  /** Answers that many milliseconds late, the work being done at once. */
  delayMs: number;
  /** `refuse`: the connection ends without an answer, nothing is done. `after`: the same once the work is done. A number: that status, nothing is done. */
  down: 'refuse' | 'after' | number | undefined;
  /** What an answer about one consent becomes before it is sent: a lie. */
  lie: ((consent: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>) | undefined;
  /** `body`: the same JSON twice in one answer. `wire`: a second answer right behind the first, over the same connection. */
  twice: 'body' | 'wire' | undefined;
  /** The body as it is sent instead of the right one. */
  body: string | undefined;
  /** The content type as it is sent instead of the right one. */
  contentType: string | undefined;
  /** The entity tag as it is sent instead of the right one; null: none. */
  version: string | null | undefined;
  /** Call-backs to the platform are lost for good. */
  loseCallbacks: boolean;
  /** Which requests the faults are for; undefined: all. */
  only: ((method: string, path: string) => boolean) | undefined;
}

const good: Faults = {
  delayMs: 0,
  down: undefined,
  lie: undefined,
  twice: undefined,
  body: undefined,
  contentType: undefined,
  version: undefined,
  loseCallbacks: false,
  only: undefined,
};

/** No fault. */
export function noFaults(): Faults {
  return { ...good };
}

/** Mends everything. */
export function mend(faults: Faults): void {
  Object.assign(faults, good);
}

/** The faults that hold for a request. */
export function faultsFor(faults: Faults, method: string, path: string): Faults {
  return faults.only === undefined || faults.only(method, path) ? faults : good;
}
