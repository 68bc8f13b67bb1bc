import { isIPv6 } from 'node:net';
import type { Clock } from './clock.ts';

/** Requests counted per caller and minute, in this process. */
export interface RateLimit {
  /** Counts one request; over the limit, gives the whole seconds until the next minute and counts nothing. */
  take(key: string): number | undefined;
}

/** Limits are on requests a minute: the window in which they are counted, in milliseconds. */
export const WINDOW_MS = 60_000;
/** Callers told apart in one minute; those beyond share one count, so that memory stays bounded and nobody goes uncounted. */
const MAXIMUM_KEYS = 50_000;
const OTHERS = '\n';

/** A limit per caller on requests a minute, held in memory alone: what it protects is this process. */
export function createRateLimit(clock: Clock, perMinute: number, maximumKeys = MAXIMUM_KEYS): RateLimit {
  let window = 0;
  const counts = new Map<string, number>();
  return {
    take: (caller) => {
      const now = clock.now();
      const present = Math.floor(now.getTime() / WINDOW_MS);
      if (present !== window) {
        window = present;
        counts.clear();
      }
      const key = counts.has(caller) || counts.size < maximumKeys ? caller : OTHERS;
      const used = counts.get(key) ?? 0;
      if (used >= perMinute) return secondsLeft(now);
      counts.set(key, used + 1);
      return undefined;
    },
  };
}

/** Whole seconds until the next window, as `Retry-After` wants them (RFC 9110 §10.2.3). */
export function secondsLeft(now: Date): number {
  return Math.max(1, Math.ceil((WINDOW_MS - (now.getTime() % WINDOW_MS)) / 1000));
}

/** Groups of an IPv6 address that name a network: whoever has one address has all of its network (RFC 6177). */
const NETWORK_GROUPS = 4;

/** Who an address is to a limit: an IPv4 address, or an IPv6 network of 64 bits. */
export function sourceOf(address: string | undefined): string {
  const plain = (address ?? 'unknown').split('%')[0] ?? '';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1];
  if (mapped !== undefined || !isIPv6(plain)) return mapped ?? plain;
  const [head = '', tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  const rest = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - groups.length - rest.length;
  const all = [...groups, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...rest];
  return `${all
    .slice(0, NETWORK_GROUPS)
    .map((group) => group.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`;
}
