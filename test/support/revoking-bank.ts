import assert from 'node:assert/strict';
import {
  type CertificateVerdict,
  createTrust,
  type RevocationSettings,
  type Sharing,
  type TrustObservation,
} from '../../src/trust/index.ts';
import type { RevocationFetch } from '../../src/trust/revocation-fetch.ts';
import { Unusable } from '../../src/trust/unusable.ts';
import type { Authority, Issued } from './certificates.ts';
import { NOW } from './judging.ts';

/** What is not at hand by then never is. */
const LIMIT_MS = 10_000;

/** What an address answers. */
export type Answer = Uint8Array | 'down' | (() => Promise<Uint8Array>);

/** A bank whose responders and lists answer what the test says, at a time the test sets. */
export function bankOf(anchor: Authority, settings: RevocationSettings | 'off' = {}, sharing?: Sharing) {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const warnings: unknown[] = [];
  const observations: TrustObservation[] = [];
  let now = NOW;
  const get = async (url: string): Promise<Uint8Array> => {
    asked.push(url);
    const answer = answers.get(url) ?? 'down';
    if (answer === 'down') throw new Unusable('fetch_failed', 'nobody answers');
    return typeof answer === 'function' ? answer() : answer;
  };
  const fetch: RevocationFetch = { ocsp: get, crl: get, close: async () => undefined };
  const scheme = { anchors: [anchor.certificatePem], extendedKeyUsages: ['clientAuth'], revocation: settings };
  const trust = createTrust({
    clock: { now: () => now },
    schemes: new Map([['bank', scheme]]),
    fetch,
    sharing,
    log: { warn: (fields) => warnings.push(fields) },
    observe: (observation) => observations.push(observation),
  });
  const told = (verdict: CertificateVerdict) =>
    verdict.ok ? `ok by ${verdict.revocation?.method}` : `${verdict.reason}/${verdict.detail}`;
  const judge = async (issued: Issued) => told(await trust.judge(issued.chain, 'bank'));
  return {
    trust,
    asked,
    warnings,
    observations,
    set: (url: string, answer: Answer) => answers.set(url, answer),
    at: (date: Date) => {
      now = date;
    },
    judge,
    /** Asks until what is renewed beside the questions is at hand; fails with the last verdict when it never is. */
    becomes: async (issued: Issued, verdict: string): Promise<void> => {
      const until = performance.now() + LIMIT_MS;
      let said = await judge(issued);
      while (said !== verdict && performance.now() < until) {
        await new Promise(setImmediate);
        said = await judge(issued);
      }
      assert.equal(said, verdict);
    },
    softly: async (issued: Issued) => told(await trust.judge(issued.chain, 'bank', { revocation: 'soft' })),
  };
}
