/** The first of several moments. */
export function earliest(first: Date, ...others: readonly Date[]): Date {
  return new Date(Math.min(first.getTime(), ...others.map((date) => date.getTime())));
}
