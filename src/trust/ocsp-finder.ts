import { randomBytes } from 'node:crypto';
import { secondsAfter } from '../platform/clock.ts';
import { noteLeft } from './left-answer.ts';
import { earliest, refreshMoment } from './moments.ts';
import { evaluateOcsp, type OcspAnswer } from './ocsp.ts';
import { encodeCertId, encodeOcspRequest } from './ocsp-identity.ts';
import type { HeldAnswer, OcspQuestion, ShelfParts } from './ocsp-shelf.ts';
import { Unusable } from './unusable.ts';

/** "No answer" is kept briefly, so that neither a herd nor a dead responder stalls requests. */
const NEGATIVE_SECONDS = 30;
/** RFC 9654 §2.1. */
const NONCE_OCTETS = 32;

/** Finds an answer that is not at hand. */
export type OcspFinder = (key: string, question: OcspQuestion, former: HeldAnswer | undefined) => Promise<HeldAnswer>;

/**
 * What another process left, else what the responder says; both are verified here. The finder is told what was known until
 * now, so that the others hear of an answer that says the opposite.
 */
export function createOcspFinder(parts: Omit<ShelfParts, 'changed'>): OcspFinder {
  const { clock, sharing } = parts;
  return async (key, question, former) => {
    const { url, settings } = question;
    try {
      // Who requires a nonce believes nobody who cannot show his own.
      const left = settings.nonce === 'require' ? undefined : await sharing.find(key);
      const found = await answerLeft(parts, left?.answer, question);
      if (found !== undefined) return found;
      const { answer, octets } = await exchange(parts, question);
      const held = heldOf(answer, settings.ocspMaximumAgeSeconds, clock.now());
      const { producedAt: signedAt } = answer;
      const usefulUntil = earliest(held.usableUntil, secondsAfter(signedAt, settings.ocspMaximumAgeSeconds));
      const row = { key, protocol: 'ocsp', source: url, answer: octets, signedAt, usefulUntil } as const;
      if (usefulUntil > clock.now()) sharing.keep(row, left?.generation, isBad(held) || isBad(former));
      return held;
    } catch (cause) {
      if (!(cause instanceof Unusable)) throw cause;
      return { problem: cause, usableUntil: secondsAfter(clock.now(), NEGATIVE_SECONDS) };
    }
  };
}

function isBad(held: HeldAnswer | undefined): boolean {
  return held !== undefined && 'answer' in held && held.answer.status !== 'good';
}

type FinderParts = Omit<ShelfParts, 'changed'>;

/** Undefined: nobody left an answer that serves for a while. */
async function answerLeft(parts: FinderParts, octets: Uint8Array | undefined, question: OcspQuestion) {
  if (octets === undefined) return undefined;
  const { clock, watch } = parts;
  try {
    const answer = await judge(parts, octets, question, { askedElsewhere: true });
    const now = clock.now();
    const held = heldOf(answer, question.settings.ocspMaximumAgeSeconds, now, answer.producedAt);
    if (held.usableUntil <= now || held.refreshAt <= now) return undefined;
    watch.observe({ kind: 'fetch', protocol: 'ocsp', outcome: 'shared' });
    return held;
  } catch (cause) {
    noteLeft(watch, cause, question.url);
    return undefined;
  }
}

async function exchange(parts: FinderParts, question: OcspQuestion) {
  const { url, certificate, issuer, settings } = question;
  const nonce = settings.nonce === 'off' ? undefined : randomBytes(NONCE_OCTETS);
  const request = encodeOcspRequest(encodeCertId(certificate, issuer, settings.certIdHash), nonce);
  const octets = await parts.fetch.ocsp(url, request, settings);
  return { octets, answer: await judge(parts, octets, question, { nonce }) };
}

async function judge(
  { clock }: FinderParts,
  response: Uint8Array,
  question: OcspQuestion,
  asked: { readonly nonce?: Uint8Array | undefined; readonly askedElsewhere?: boolean },
): Promise<OcspAnswer> {
  const { certificate, issuer, policy, settings } = question;
  const answer = evaluateOcsp(response, {
    certificate,
    issuer,
    nonce: asked.nonce,
    nonceRequired: settings.nonce === 'require',
    askedElsewhere: asked.askedElsewhere,
    maximumAgeSeconds: settings.ocspMaximumAgeSeconds,
    policy,
    now: clock.now(),
  });
  if (answer.signerToCheck !== undefined) await question.checkSigner(answer.signerToCheck);
  return answer;
}

/**
 * An answer that another process asked for is as old as its signer says: what the database claims about it proves nothing, so
 * that whoever can write there replays no answer for longer than a process believes its own.
 */
function heldOf(answer: OcspAnswer, maximumAgeSeconds: number, now: Date, signedAt = now) {
  const bound = earliest(secondsAfter(signedAt, maximumAgeSeconds), secondsAfter(now, maximumAgeSeconds));
  // An answer that names no end is as old as it says, not as old as our knowledge of it.
  const usableUntil = earliest(answer.nextUpdate ?? secondsAfter(answer.thisUpdate, maximumAgeSeconds), bound);
  return { answer, usableUntil, refreshAt: refreshMoment(signedAt, usableUntil) };
}
