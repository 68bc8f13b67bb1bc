import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import type { AlgorithmPolicy } from './algorithms.ts';
import { CERTIFICATE_HOLD, checkCrlScope, findInCrl } from './crl.ts';
import { type CrlRequest, createCrlShelf, type HeldCrl } from './crl-shelf.ts';
import { earliest } from './moments.ts';
import type { Watch } from './observation.ts';
import { createOcspShelf, type OcspQuestion } from './ocsp-shelf.ts';
import { createRevocationFetch, type RevocationFetch } from './revocation-fetch.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import { Unusable } from './unusable.ts';
import type { Certificate } from './x509.ts';

/** Whether a certificate was withdrawn, and how that is known (§9.1). Everything but `good` is refused. */
export interface RevocationStatus {
  readonly state: 'good' | 'revoked' | 'unknown' | 'unavailable' | 'info_missing';
  readonly method: 'ocsp' | 'crl' | undefined;
  /** False while a certificate is only on hold. */
  readonly permanent: boolean;
  readonly thisUpdate: Date | undefined;
  readonly nextUpdate: Date | undefined;
  readonly nonce: 'matched' | 'absent' | undefined;
  /** Until when nothing new is to be expected. */
  readonly validUntil: Date;
  /** Answers that did not count, by code. */
  readonly problems: readonly string[];
}

/** One question: a certificate and the authority above it in a valid path. */
export interface RevocationQuestion {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly policy: AlgorithmPolicy;
  readonly settings: CompiledRevocation;
}

/** Asks responders and lists. */
export interface Revocation {
  check(question: RevocationQuestion): Promise<RevocationStatus>;
  /** Forgets every answer: a revocation push takes effect at once. */
  clear(): void;
  close(): Promise<void>;
}

/** What the engine needs; `fetch` is replaced in tests of the decision table. */
export interface RevocationOptions {
  readonly clock: Clock;
  readonly watch: Watch;
  /** Called when something that was good may no longer be. */
  readonly changed: () => void;
  readonly fetch?: RevocationFetch;
}

/** More addresses of one kind in one certificate are not tried: one request must not cause many. */
const MAXIMUM_ADDRESSES = 3;
/** While an answer is being refreshed, verdicts look again after this. */
const LOOK_AGAIN_SECONDS = 30;
/** Without an answer the verdict is worth little, and the next one may come soon. */
const NEGATIVE_SECONDS = 10;

/** The engine of §9.1: OCSP, then CRL, and refusal when neither answers. */
export function createRevocation({ clock, watch, changed, fetch }: RevocationOptions): Revocation {
  const way = fetch ?? createRevocationFetch(clock, watch);
  const lists = createCrlShelf(clock, way, changed);
  const answers = createOcspShelf(clock, way, changed);

  function note(problems: string[], cause: unknown, source: string): void {
    if (!(cause instanceof Unusable)) throw cause;
    problems.push(cause.code);
    watch.unusable({ code: cause.code, source, message: cause.message });
  }

  async function byOcsp(question: RevocationQuestion, problems: string[]): Promise<RevocationStatus | undefined> {
    for (const url of ocspUrls(question.certificate)) {
      const held = await answers.ask({ ...question, url, checkSigner: (signer) => checkSigner(question, signer) });
      if ('problem' in held) {
        note(problems, held.problem, url);
        continue;
      }
      const { status, reason, thisUpdate, nextUpdate, nonce } = held.answer;
      const validUntil = endOf(held.refreshAt, held.usableUntil);
      const base = { method: 'ocsp', thisUpdate, nextUpdate, nonce, validUntil, problems } as const;
      return { ...base, state: status, permanent: status === 'revoked' && reason !== CERTIFICATE_HOLD };
    }
    return undefined;
  }

  async function byCrl(question: RevocationQuestion, problems: string[]): Promise<RevocationStatus | undefined> {
    for (const url of crlUrls(question.certificate)) {
      try {
        return statusIn(await lists.load({ ...question, url }), question, problems);
      } catch (cause) {
        note(problems, cause, url);
      }
    }
    return undefined;
  }

  function statusIn(held: HeldCrl, question: RevocationQuestion, problems: readonly string[]): RevocationStatus {
    checkCrlScope(held.crl, question.certificate);
    const entry = findInCrl(held.crl, question.certificate);
    const { thisUpdate, nextUpdate } = held.crl;
    const validUntil = endOf(held.refreshAt, held.usableUntil);
    const base = { method: 'crl', thisUpdate, nextUpdate, nonce: undefined, validUntil, problems } as const;
    if (entry === undefined) return { ...base, state: 'good', permanent: false };
    return { ...base, state: 'revoked', permanent: entry.reason !== CERTIFICATE_HOLD };
  }

  /** A delegated signer without exemption counts only when a list of the same authority clears it. */
  async function checkSigner(question: RevocationQuestion, signer: Certificate): Promise<void> {
    const status = await byCrl({ ...question, certificate: signer }, []);
    if (status?.state !== 'good')
      throw new Unusable('ocsp_signer', 'the signer was withdrawn, or nobody says it was not');
  }

  /** A verified "revoked" always wins: what is at hand is asked without fetching anything. */
  function revokedAtHand(question: RevocationQuestion): RevocationStatus | undefined {
    for (const url of crlUrls(question.certificate)) {
      const held = lists.peek({ ...question, url } satisfies CrlRequest);
      const status = held && usable(() => statusIn(held, question, []));
      if (status?.state === 'revoked') return status;
    }
    return undefined;
  }

  function revokedByAnswerAtHand(question: RevocationQuestion): boolean {
    const shelved = ocspUrls(question.certificate).map((url) =>
      answers.peek({ ...question, url } satisfies Pick<OcspQuestion, 'url' | 'certificate' | 'issuer'>),
    );
    return shelved.some((held) => held !== undefined && 'answer' in held && held.answer.status === 'revoked');
  }

  function endOf(refreshAt: Date, usableUntil: Date): Date {
    const now = clock.now();
    return earliest(refreshAt > now ? refreshAt : secondsAfter(now, LOOK_AGAIN_SECONDS), usableUntil);
  }

  function without(state: 'unavailable' | 'info_missing', problems: readonly string[]): RevocationStatus {
    const validUntil = secondsAfter(clock.now(), NEGATIVE_SECONDS);
    const nothing = { method: undefined, thisUpdate: undefined, nextUpdate: undefined, nonce: undefined };
    return { state, permanent: false, ...nothing, validUntil, problems };
  }

  async function check(question: RevocationQuestion): Promise<RevocationStatus> {
    const { certificate, settings } = question;
    const urls = { ocsp: ocspUrls(certificate), crl: crlUrls(certificate) };
    const order = settings.order.filter((source) => urls[source].length > 0);
    if (order.length === 0) return without('info_missing', []);
    const problems: string[] = [];
    for (const source of order) {
      const status = source === 'ocsp' ? await byOcsp(question, problems) : await byCrl(question, problems);
      if (status === undefined) continue;
      if (status.state === 'unknown' && settings.unknownFallsToCrl && order.at(-1) !== source) continue;
      if (status.state !== 'good') return status;
      if (source === 'crl')
        return revokedByAnswerAtHand(question) ? { ...status, state: 'revoked', permanent: true } : status;
      return revokedAtHand(question) ?? status;
    }
    return without('unavailable', problems);
  }

  return {
    check,
    clear: () => {
      lists.clear();
      answers.clear();
    },
    close: () => way.close(),
  };
}

function usable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof Unusable) return undefined;
    throw cause;
  }
}

const isWeb = (url: string): boolean => /^https?:\/\//i.test(url);

function ocspUrls({ ocspUrls: urls }: Certificate): readonly string[] {
  return urls.filter(isWeb).slice(0, MAXIMUM_ADDRESSES);
}

/** Distribution points that cover every reason and are published by the issuer itself. */
function crlUrls({ distributionPoints }: Certificate): readonly string[] {
  const whole = distributionPoints.filter(({ indirect, someReasons }) => !indirect && !someReasons);
  return whole.flatMap(({ urls }) => urls.filter(isWeb)).slice(0, MAXIMUM_ADDRESSES);
}
