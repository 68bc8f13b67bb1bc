import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import { CERTIFICATE_HOLD, checkCrlScope, findInCrl } from './crl.ts';
import type { CrlShelf, HeldCrl } from './crl-shelf.ts';
import { earliest } from './moments.ts';
import type { Watch } from './observation.ts';
import type { OcspShelf } from './ocsp-shelf.ts';
import type { RevocationQuestion, RevocationStatus } from './revocation-status.ts';
import { Unusable } from './unusable.ts';
import type { Certificate } from './x509.ts';

/** What the two sources work on. */
export interface Sources {
  readonly clock: Clock;
  readonly watch: Watch;
  readonly lists: CrlShelf;
  readonly answers: OcspShelf;
}

/** More addresses of one kind in one certificate are not tried: one request must not cause many. */
const MAXIMUM_ADDRESSES = 3;
/** While an answer is being refreshed, verdicts look again after this. */
const LOOK_AGAIN_SECONDS = 30;

/** Asks the responders of a certificate; undefined when none has a usable answer. */
export async function askResponders(
  sources: Sources,
  question: RevocationQuestion,
  problems: string[],
): Promise<RevocationStatus | undefined> {
  for (const url of responderUrls(question.certificate)) {
    const checkSigner = (signer: Certificate) => checkDelegate(sources, question, signer);
    const held = await sources.answers.ask({ ...question, url, checkSigner });
    if ('problem' in held) {
      note(sources, problems, held.problem, url);
      continue;
    }
    const { status, reason, thisUpdate, nextUpdate, nonce } = held.answer;
    const validUntil = endOf(sources.clock, held.refreshAt, held.usableUntil);
    const base = { method: 'ocsp', thisUpdate, nextUpdate, nonce, validUntil, problems } as const;
    return { ...base, state: status, permanent: status === 'revoked' && reason !== CERTIFICATE_HOLD };
  }
  return undefined;
}

/** Looks a certificate up in its lists; undefined when none is usable. */
export async function askLists(
  sources: Sources,
  question: RevocationQuestion,
  problems: string[],
): Promise<RevocationStatus | undefined> {
  for (const url of listUrls(question.certificate)) {
    try {
      return statusIn(sources, await sources.lists.load({ ...question, url }), question, problems);
    } catch (cause) {
      if (!(cause instanceof Unusable)) throw cause;
      note(sources, problems, cause, url);
    }
  }
  return undefined;
}

/** A list at hand that names the certificate: a verified "revoked" always wins, and nothing is fetched to learn it. */
export function revokedByListAtHand(sources: Sources, question: RevocationQuestion): RevocationStatus | undefined {
  for (const url of listUrls(question.certificate)) {
    const held = sources.lists.peek({ ...question, url });
    const status = held && usable(() => statusIn(sources, held, question, []));
    if (status?.state === 'revoked') return status;
  }
  return undefined;
}

/** The same for answers at hand. */
export function revokedByAnswerAtHand({ answers }: Sources, question: RevocationQuestion): boolean {
  const shelved = responderUrls(question.certificate).map((url) => answers.peek({ ...question, url }));
  return shelved.some((held) => held !== undefined && 'answer' in held && held.answer.status === 'revoked');
}

function note({ watch }: Sources, problems: string[], { code, message }: Unusable, source: string): void {
  problems.push(code);
  watch.unusable({ code, source, message });
}

function statusIn(
  { clock }: Sources,
  held: HeldCrl,
  { certificate }: RevocationQuestion,
  problems: readonly string[],
): RevocationStatus {
  checkCrlScope(held.crl, certificate);
  const entry = findInCrl(held.crl, certificate);
  const { thisUpdate, nextUpdate } = held.crl;
  const validUntil = endOf(clock, held.refreshAt, held.usableUntil);
  const base = { method: 'crl', thisUpdate, nextUpdate, nonce: undefined, validUntil, problems } as const;
  if (entry === undefined) return { ...base, state: 'good', permanent: false };
  return { ...base, state: 'revoked', permanent: entry.reason !== CERTIFICATE_HOLD };
}

/** A delegated signer without exemption counts only when a list of the same authority clears it. */
async function checkDelegate(sources: Sources, question: RevocationQuestion, signer: Certificate): Promise<void> {
  const status = await askLists(sources, { ...question, certificate: signer }, []);
  if (status?.state !== 'good')
    throw new Unusable('ocsp_signer', 'the signer was withdrawn, or nobody says it was not');
}

function endOf(clock: Clock, refreshAt: Date, usableUntil: Date): Date {
  const now = clock.now();
  return earliest(refreshAt > now ? refreshAt : secondsAfter(now, LOOK_AGAIN_SECONDS), usableUntil);
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

/** Responders that can be asked over HTTP. */
export function responderUrls({ ocspUrls }: Certificate): readonly string[] {
  return ocspUrls.filter(isWeb).slice(0, MAXIMUM_ADDRESSES);
}

/** Distribution points that cover every reason and are published by the issuer itself. */
export function listUrls({ distributionPoints }: Certificate): readonly string[] {
  const whole = distributionPoints.filter(({ indirect, someReasons }) => !indirect && !someReasons);
  return whole.flatMap(({ urls }) => urls.filter(isWeb)).slice(0, MAXIMUM_ADDRESSES);
}
