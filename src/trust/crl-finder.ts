import { secondsAfter } from '../platform/clock.ts';
import { type Crl, checkCrlTimes, openCrl } from './crl.ts';
import type { CrlRequest, HeldCrl } from './crl-shelf.ts';
import { noteLeft } from './left-answer.ts';
import { earliest, refreshMoment } from './moments.ts';
import type { ShelfParts } from './ocsp-shelf.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import { Unusable } from './unusable.ts';

const MAXIMUM_NUMBERS = 1_000;
/** A week: a list stays in the database beyond its end, so that a process that starts knows the last number. */
const NUMBER_SECONDS = 604_800;

/** Finds a list that is not at hand; `replaces`: another one of this address is. @throws Unusable */
export type CrlFinder = (key: string, request: CrlRequest, replaces: boolean) => Promise<HeldCrl>;

/** What another process left, else what the address gives; both are verified here. */
export function createCrlFinder({ clock, fetch, sharing, watch }: Omit<ShelfParts, 'changed'>): CrlFinder {
  const numbers = createNumberMemory();

  /** The number of a list that was left counts even when its time is over, so that nobody plays an older one to us. */
  async function listLeft(key: string, octets: Uint8Array | undefined, request: CrlRequest) {
    if (octets === undefined) return undefined;
    try {
      const crl = await openCrl(octets, request.issuer, request.policy);
      const now = clock.now();
      numbers.accept(key, crl);
      checkCrlTimes(crl, now);
      const held = heldOf(crl, request.settings, now, crl.thisUpdate);
      if (held.refreshAt <= now) return undefined;
      watch.observe({ kind: 'fetch', protocol: 'crl', outcome: 'shared' });
      return held;
    } catch (cause) {
      noteLeft(watch, cause, request.url);
      return undefined;
    }
  }

  return async (key, request, replaces) => {
    const { url, issuer, policy, settings } = request;
    const left = await sharing.find(key);
    const found = await listLeft(key, left.answer, request);
    if (found !== undefined) return found;
    const octets = await fetch.crl(url, settings);
    const crl = await openCrl(octets, issuer, policy);
    const now = clock.now();
    checkCrlTimes(crl, now);
    numbers.accept(key, crl);
    const { thisUpdate: signedAt, nextUpdate } = crl;
    const usefulUntil = secondsAfter(earliest(nextUpdate, secondsAfter(now, NUMBER_SECONDS)), NUMBER_SECONDS);
    sharing.keep(
      { key, protocol: 'crl', source: url, answer: octets, signedAt, usefulUntil },
      left.generation,
      replaces,
    );
    return heldOf(crl, settings, now);
  };
}

type Age = Pick<Crl, 'number' | 'thisUpdate'>;

/** CRL numbers never go back (§9.3); of lists with the same number, or with none, the date does not. */
function createNumberMemory() {
  const ages = new Map<string, Age>();
  return {
    accept: (key: string, { number, thisUpdate }: Crl) => {
      const last = ages.get(key);
      if (last !== undefined && isOlder({ number, thisUpdate }, last)) {
        throw new Unusable('crl_rollback', 'the list is older than the one before');
      }
      ages.delete(key);
      ages.set(key, { number, thisUpdate });
      for (const oldest of ages.keys()) {
        if (ages.size <= MAXIMUM_NUMBERS) break;
        ages.delete(oldest);
      }
    },
  };
}

function isOlder({ number, thisUpdate }: Age, last: Age): boolean {
  if (number === last.number) return thisUpdate < last.thisUpdate;
  return last.number !== undefined && (number === undefined || number < last.number);
}

/** A list that another process fetched is as old as its signer says: see the same for OCSP answers. */
function heldOf(crl: Crl, { crlMaximumAgeSeconds }: CompiledRevocation, now: Date, since = now): HeldCrl {
  const begin = earliest(since, now);
  const usableUntil = earliest(crl.nextUpdate, secondsAfter(begin, crlMaximumAgeSeconds));
  return { crl, usableUntil, refreshAt: refreshMoment(begin, usableUntil) };
}
