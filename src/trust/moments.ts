/** The first of several moments. */
export function earliest(first: Date, ...others: readonly Date[]): Date {
  return new Date(Math.min(first.getTime(), ...others.map((date) => date.getTime())));
}

/** A newer answer is looked for when this part of the time is over, while the old one still serves. */
const REFRESH_AT = 0.75;

/** From when on a newer answer, or list, is looked for than the one that is believed from `begin` to `end`. */
export function refreshMoment(begin: Date, end: Date): Date {
  return new Date(begin.getTime() + (end.getTime() - begin.getTime()) * REFRESH_AT);
}
