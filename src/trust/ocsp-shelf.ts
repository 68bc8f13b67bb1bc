import { createCache, type Loaded } from '../platform/cache.ts';
import type { Clock } from '../platform/clock.ts';
import type { AlgorithmPolicy } from './algorithms.ts';
import type { Watch } from './observation.ts';
import type { OcspAnswer } from './ocsp.ts';
import { createOcspFinder } from './ocsp-finder.ts';
import type { RevocationFetch } from './revocation-fetch.ts';
import type { CompiledRevocation } from './revocation-settings.ts';
import { type AnswerSharing, answerKey } from './sharing.ts';
import type { Unusable } from './unusable.ts';
import { type Certificate, issuerSerial } from './x509.ts';

/** Answers remembered: one per certificate that called lately. */
const MAXIMUM_ANSWERS = 10_000;

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

/** Answers at hand, and the finder of those that are not. */
export function createOcspShelf(parts: ShelfParts): OcspShelf {
  const { clock, changed } = parts;
  const find = createOcspFinder(parts);
  const answers = createCache<HeldAnswer>({ maximum: MAXIMUM_ANSWERS, clock });
  const refreshing = new Set<string>();
  /** The last question under way by key: another process may have a newer answer before it ends. */
  const asking = new Map<string, OcspQuestion>();

  async function refresh(key: string, question: OcspQuestion, former: HeldAnswer): Promise<void> {
    if (refreshing.has(key)) return;
    refreshing.add(key);
    try {
      const fresh = await find(key, question, former);
      // Without a new answer the old one serves to its end; once that was dropped, nothing that was asked for before counts.
      if (!('answer' in fresh) || answers.get(key) !== former || isOlder(fresh, former)) return;
      answers.drop(key);
      await answers.load(key, async () => ({ value: fresh, validUntil: fresh.usableUntil }));
      if (fresh.answer.status !== 'good') changed();
    } finally {
      refreshing.delete(key);
    }
  }

  async function first(key: string, question: OcspQuestion): Promise<Loaded<HeldAnswer>> {
    asking.set(key, question);
    try {
      const value = await find(key, question, undefined);
      return { value, validUntil: value.usableUntil };
    } finally {
      if (asking.get(key) === question) asking.delete(key);
    }
  }

  return {
    peek: (question) => answers.get(keyOf(question)),
    clear: () => answers.clear(),
    drop: (key) => {
      if (answers.get(key) === undefined && !asking.has(key)) return;
      answers.drop(key);
      changed();
    },
    ask: async (question) => {
      const key = keyOf(question);
      const held = await answers.load(key, () => first(key, question));
      if (held === undefined) throw new Error('an answer that is none');
      const due = 'answer' in held && held.refreshAt <= clock.now();
      if (due) refresh(key, question, held).catch(() => undefined);
      return held;
    },
  };
}

/** Whoever stands between us and the responder may play an older answer that has not ended yet. */
function isOlder(fresh: HeldAnswer, former: HeldAnswer): boolean {
  return 'answer' in fresh && 'answer' in former && fresh.answer.thisUpdate < former.answer.thisUpdate;
}

/** The issuer is part of the key: the same serial of another issuer is another certificate. So are the rules. */
function keyOf({ url, certificate, issuer, policy, settings }: Omit<OcspQuestion, 'checkSigner'>): string {
  const rules = `${JSON.stringify(policy)} ${settings.rules}`;
  return answerKey(`ocsp ${issuer.spkiSha256} ${issuerSerial(certificate)} ${rules} ${url}`);
}
