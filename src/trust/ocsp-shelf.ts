import { randomBytes } from 'node:crypto';
import { createCache } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { AlgorithmPolicy } from './algorithms.ts';
import { earliest } from './moments.ts';
import { evaluateOcsp, type OcspAnswer } from './ocsp.ts';
import { encodeCertId, encodeOcspRequest } from './ocsp-identity.ts';
import type { RevocationFetch } from './revocation-fetch.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
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
  clear(): void;
}

/** `changed` is called when a newer answer says something else than "good". */
export function createOcspShelf(clock: Clock, fetch: RevocationFetch, changed: () => void): OcspShelf {
  const answers = createCache<HeldAnswer>({ maximum: MAXIMUM_ANSWERS, clock });
  const refreshing = new Set<string>();

  async function exchange(question: OcspQuestion): Promise<HeldAnswer> {
    const { url, certificate, issuer, policy, settings } = question;
    const nonce = settings.nonce === 'off' ? undefined : randomBytes(NONCE_OCTETS);
    const request = encodeOcspRequest(encodeCertId(certificate, issuer, settings.certIdHash), nonce);
    try {
      const response = await fetch.ocsp(url, request, settings);
      const nonceRequired = settings.nonce === 'require';
      const maximumAgeSeconds = settings.ocspMaximumAgeSeconds;
      const now = clock.now();
      const answer = evaluateOcsp(response, {
        certificate,
        issuer,
        nonce,
        nonceRequired,
        maximumAgeSeconds,
        policy,
        now,
      });
      if (answer.signerToCheck !== undefined) await question.checkSigner(answer.signerToCheck);
      return heldOf(answer, maximumAgeSeconds, now);
    } catch (cause) {
      if (!(cause instanceof Unusable)) throw cause;
      return { problem: cause, usableUntil: secondsAfter(clock.now(), NEGATIVE_SECONDS) };
    }
  }

  async function refresh(key: string, question: OcspQuestion): Promise<void> {
    if (refreshing.has(key)) return;
    refreshing.add(key);
    try {
      const fresh = await exchange(question);
      // Without a new answer the old one serves to its end.
      if (!('answer' in fresh)) return;
      answers.drop(key);
      await answers.load(key, async () => ({ value: fresh, validUntil: fresh.usableUntil }));
      if (fresh.answer.status !== 'good') changed();
    } finally {
      refreshing.delete(key);
    }
  }

  return {
    peek: (question) => answers.get(keyOf(question)),
    clear: () => answers.clear(),
    ask: async (question) => {
      const key = keyOf(question);
      const held = await answers.load(key, async () => {
        const value = await exchange(question);
        return { value, validUntil: value.usableUntil };
      });
      if (held === undefined) throw new Error('an answer that is none');
      const due = 'answer' in held && held.refreshAt <= clock.now();
      if (due) refresh(key, question).catch(() => undefined);
      return held;
    },
  };
}

/** The issuer is part of the key: the same serial of another issuer is another certificate. So are the rules. */
function keyOf({ url, certificate, issuer, policy, settings }: Omit<OcspQuestion, 'checkSigner'>): string {
  const rules = `${JSON.stringify(policy)} ${settings.rules}`;
  return `${issuer.spkiSha256} ${issuerSerial(certificate)} ${rules} ${url}`;
}

function heldOf(answer: OcspAnswer, maximumAgeSeconds: number, now: Date): HeldAnswer {
  const bound = secondsAfter(now, maximumAgeSeconds);
  const usableUntil = earliest(answer.nextUpdate ?? bound, bound);
  const refreshAt = new Date(now.getTime() + (usableUntil.getTime() - now.getTime()) * REFRESH_AT);
  return { answer, usableUntil, refreshAt };
}
