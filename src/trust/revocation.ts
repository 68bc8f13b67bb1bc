import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import { createCrlShelf } from './crl-shelf.ts';
import type { Watch } from './observation.ts';
import { createOcspShelf } from './ocsp-shelf.ts';
import { createRevocationFetch, type RevocationFetch } from './revocation-fetch.ts';
import {
  askLists,
  askResponders,
  listUrls,
  responderUrls,
  revokedByAnswerAtHand,
  revokedByListAtHand,
  type Sources,
} from './revocation-sources.ts';
import type { RevocationQuestion, RevocationStatus } from './revocation-status.ts';
import type { AnswerSharing } from './sharing.ts';
import { createWithdrawn } from './withdrawn.ts';

/** Asks responders and lists. */
export interface Revocation {
  check(question: RevocationQuestion): Promise<RevocationStatus>;
  /** Forgets every answer: a revocation push takes effect at once. */
  clear(): void;
  /** Another process has a newer answer under this key. */
  renewed(key: string): void;
  close(): Promise<void>;
}

/** What the engine needs; `fetch` is replaced in tests of the decision table. */
export interface RevocationOptions {
  readonly clock: Clock;
  readonly watch: Watch;
  /** Called when something that was good may no longer be. */
  readonly changed: () => void;
  readonly fetch?: RevocationFetch | undefined;
  readonly sharing: AnswerSharing;
}

/** Without an answer the verdict is worth little, and the next one may come soon. */
const NEGATIVE_SECONDS = 10;

/** The engine of §9.1: OCSP, then CRL, and refusal when neither answers. */
export function createRevocation({ clock, watch, changed, fetch, sharing }: RevocationOptions): Revocation {
  const way = fetch ?? createRevocationFetch(clock, watch);
  const parts = { clock, fetch: way, sharing, watch, changed };
  const lists = createCrlShelf(parts);
  const answers = createOcspShelf(parts);
  const sources: Sources = { clock, watch, lists, answers };
  const withdrawn = createWithdrawn(clock);
  return {
    check: async (question) => withdrawn.after(question, await check(sources, question)),
    clear: () => {
      withdrawn.clear();
      lists.clear();
      answers.clear();
    },
    renewed: (key) => {
      lists.renew(key);
      answers.drop(key);
    },
    close: () => way.close(),
  };
}

async function check(sources: Sources, question: RevocationQuestion): Promise<RevocationStatus> {
  const { certificate, settings } = question;
  const urls = { ocsp: responderUrls(certificate), crl: listUrls(certificate) };
  const order = settings.order.filter((source) => urls[source].length > 0);
  if (order.length === 0) return without(sources, 'info_missing', []);
  const problems: string[] = [];
  for (const source of order) {
    const status = await (source === 'ocsp' ? askResponders : askLists)(sources, question, problems);
    if (status === undefined) continue;
    const falls = status.state === 'unknown' && settings.unknownFallsToCrl && order.at(-1) !== source;
    if (!falls) return status.state === 'good' ? contradicted(sources, question, status) : status;
  }
  return without(sources, 'unavailable', problems);
}

/** What one source calls good may be known as revoked from the other. */
function contradicted(sources: Sources, question: RevocationQuestion, good: RevocationStatus): RevocationStatus {
  if (good.method === 'ocsp') return revokedByListAtHand(sources, question) ?? good;
  return revokedByAnswerAtHand(sources, question) ? { ...good, state: 'revoked', permanent: true } : good;
}

function without(
  { clock }: Sources,
  state: 'unavailable' | 'info_missing',
  problems: readonly string[],
): RevocationStatus {
  const validUntil = secondsAfter(clock.now(), NEGATIVE_SECONDS);
  const nothing = { method: undefined, thisUpdate: undefined, nextUpdate: undefined, nonce: undefined };
  return { state, permanent: false, ...nothing, validUntil, problems };
}
