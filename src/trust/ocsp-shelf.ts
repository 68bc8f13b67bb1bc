import { randomBytes } from 'node:crypto';
import { createCache } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { AlgorithmPolicy } from './algorithms.ts';
import { noteLeft } from './left-answer.ts';
import { earliest } from './moments.ts';
import type { Watch } from './observation.ts';
import { evaluateOcsp, type OcspAnswer } from './ocsp.ts';
import { encodeCertId, encodeOcspRequest } from './ocsp-identity.ts';
import type { RevocationFetch } from './revocation-fetch.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import { type AnswerSharing, answerKey } from './sharing.ts';
import { Unusable } from './unusable.ts';
import { type Certificate, issuerSerial } from './x509.ts';

/** Answers remembered: one per certificate that called lately. */
const MAXIMUM_ANSWERS = 10_000;
/** "No answer" is kept briefly, so that neither a herd nor a dead responder stalls requests. */
const NEGATIVE_SECONDS = 30;
const REFRESH_AT = 0.75;
/** RFC 9654 §2.1. */
const NONCE_OCTETS = 32;

/** An answer at hand, or why there is none. */
export type HeldAnswer =
  | { readonly answer: OcspAnswer; readonly usableUntil: Date; readonly refreshAt: Date }
  | { readonly problem: Unusable; readonly usableUntil: Date };

/** What is needed to ask about a certificate. */
export interface OcspQuestion {
  readonly url: string;
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly policy: AlgorithmPolicy;
  readonly settings: CompiledRevocation;
  /** Says whether a delegated signer that is not exempt was itself withdrawn. @throws Unusable */
  readonly checkSigner: (signer: Certificate) => Promise<void>;
}

/** The answers this process holds. */
export interface OcspShelf {
  ask(question: OcspQuestion): Promise<HeldAnswer>;
  /** The answer at hand. */
  peek(question: Omit<OcspQuestion, 'checkSigner'>): HeldAnswer | undefined;
  /** Another process has a newer one under this key. */
  drop(key: string): void;
  clear(): void;
}

/** What the shelf is made with. */
export interface ShelfParts {
  readonly clock: Clock;
  readonly fetch: RevocationFetch;
  readonly sharing: AnswerSharing;
  readonly watch: Watch;
  /** Called when a newer answer may say something else than the one before. */
  readonly changed: () => void;
}

/** Answers come from memory, from what another process left, and from the responder, in this order; all are verified here. */
export function createOcspShelf({ clock, fetch, sharing, watch, changed }: ShelfParts): OcspShelf {
  const answers = createCache<HeldAnswer>({ maximum: MAXIMUM_ANSWERS, clock });
  const refreshing = new Set<string>();
  /** Counts what was forgotten: a refresh that began before fills nothing. */
  let epoch = 0;

  /** Undefined: nobody left an answer that can be used beyond `after`. */
  async function answerLeft(octets: Uint8Array | undefined, question: OcspQuestion, after: Date) {
    if (octets === undefined) return undefined;
    try {
      const answer = await judge(octets, question, undefined, true);
      const held = heldOf(answer, question.settings.ocspMaximumAgeSeconds, clock.now(), answer.producedAt);
      if (held.usableUntil <= clock.now() || held.refreshAt <= after) return undefined;
      watch.observe({ kind: 'fetch', protocol: 'ocsp', outcome: 'shared' });
      return held;
    } catch (cause) {
      noteLeft(watch, cause, question.url);
      return undefined;
    }
  }

  async function judge(response: Uint8Array, question: OcspQuestion, nonce: Uint8Array | undefined, left: boolean) {
    const { certificate, issuer, policy, settings } = question;
    const answer = evaluateOcsp(response, {
      certificate,
      issuer,
      nonce,
      nonceRequired: settings.nonce === 'require',
      askedElsewhere: left,
      maximumAgeSeconds: settings.ocspMaximumAgeSeconds,
      policy,
      now: clock.now(),
    });
    if (answer.signerToCheck !== undefined) await question.checkSigner(answer.signerToCheck);
    return answer;
  }

  async function exchange(
    question: OcspQuestion,
  ): Promise<{ readonly answer: OcspAnswer; readonly octets: Uint8Array }> {
    const { url, certificate, issuer, settings } = question;
    const nonce = settings.nonce === 'off' ? undefined : randomBytes(NONCE_OCTETS);
    const request = encodeOcspRequest(encodeCertId(certificate, issuer, settings.certIdHash), nonce);
    const octets = await fetch.ocsp(url, request, settings);
    return { octets, answer: await judge(octets, question, nonce, false) };
  }

  /** `former`: what was known until now, of which a newer answer may say the opposite. */
  async function find(key: string, question: OcspQuestion, former: HeldAnswer | undefined): Promise<HeldAnswer> {
    const { url, settings } = question;
    // Who requires a nonce believes nobody who cannot show his own.
    const shares = settings.nonce !== 'require';
    try {
      const left = shares ? await sharing.find(key) : undefined;
      const found = await answerLeft(left?.answer, question, clock.now());
      if (found !== undefined) return found;
      const { answer, octets } = await exchange(question);
      const held = heldOf(answer, settings.ocspMaximumAgeSeconds, clock.now());
      const { producedAt: signedAt } = answer;
      const usefulUntil = earliest(held.usableUntil, secondsAfter(signedAt, settings.ocspMaximumAgeSeconds));
      const news =
        answer.status !== 'good' || (former !== undefined && 'answer' in former && former.answer.status !== 'good');
      if (usefulUntil > clock.now()) {
        const row = { key, protocol: 'ocsp', source: url, answer: octets, signedAt, usefulUntil } as const;
        sharing.keep(row, left?.generation, news);
      }
      return held;
    } catch (cause) {
      if (!(cause instanceof Unusable)) throw cause;
      return { problem: cause, usableUntil: secondsAfter(clock.now(), NEGATIVE_SECONDS) };
    }
  }

  async function refresh(key: string, question: OcspQuestion, former: HeldAnswer): Promise<void> {
    if (refreshing.has(key)) return;
    refreshing.add(key);
    const began = epoch;
    try {
      const fresh = await find(key, question, former);
      // Without a new answer the old one serves to its end.
      if (!('answer' in fresh) || began !== epoch) return;
      answers.drop(key);
      await answers.load(key, async () => ({ value: fresh, validUntil: fresh.usableUntil }));
      if (fresh.answer.status !== 'good') changed();
    } finally {
      refreshing.delete(key);
    }
  }

  return {
    peek: (question) => answers.get(keyOf(question)),
    clear: () => {
      epoch += 1;
      answers.clear();
    },
    drop: (key) => {
      if (answers.get(key) === undefined) return;
      answers.drop(key);
      changed();
    },
    ask: async (question) => {
      const key = keyOf(question);
      const held = await answers.load(key, async () => {
        const value = await find(key, question, undefined);
        return { value, validUntil: value.usableUntil };
      });
      if (held === undefined) throw new Error('an answer that is none');
      const due = 'answer' in held && held.refreshAt <= clock.now();
      if (due) refresh(key, question, held).catch(() => undefined);
      return held;
    },
  };
}

/** The issuer is part of the key: the same serial of another issuer is another certificate. So are the rules. */
function keyOf({ url, certificate, issuer, policy, settings }: Omit<OcspQuestion, 'checkSigner'>): string {
  const rules = `${JSON.stringify(policy)} ${settings.rules}`;
  return answerKey(`ocsp ${issuer.spkiSha256} ${issuerSerial(certificate)} ${rules} ${url}`);
}

/**
 * An answer that another process asked for is as old as its signer says: what the database claims about it proves nothing, so
 * that whoever can write there replays no answer for longer than a process believes its own.
 */
function heldOf(answer: OcspAnswer, maximumAgeSeconds: number, now: Date, signedAt = now) {
  const bound = earliest(secondsAfter(signedAt, maximumAgeSeconds), secondsAfter(now, maximumAgeSeconds));
  const usableUntil = earliest(answer.nextUpdate ?? bound, bound);
  const begin = signedAt.getTime();
  const refreshAt = new Date(begin + (usableUntil.getTime() - begin) * REFRESH_AT);
  return { answer, usableUntil, refreshAt };
}
