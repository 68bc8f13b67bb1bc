import type { Watch } from './observation.ts';
import { Unusable } from './unusable.ts';

/** Time passes for every answer; anything else wrong with one that was verified before it was kept is worth an alarm. */
const AGED: ReadonlySet<string> = new Set(['ocsp_time', 'crl_time', 'crl_rollback']);

/** An answer from the database did not count: the authority is asked instead. @throws whatever is no such problem */
export function noteLeft(watch: Watch, cause: unknown, url: string): void {
  if (!(cause instanceof Unusable)) throw cause;
  if (!AGED.has(cause.code)) {
    watch.unusable({ code: cause.code, source: `the database, for ${url}`, message: cause.message });
  }
}
