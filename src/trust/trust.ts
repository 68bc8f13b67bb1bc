import type { IncomingMessage } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import { createBankSchemes, type VersionedScheme } from './bank-schemes.ts';
import { keyOfChain, type PlaceRules, placeOf, placeOfPresented } from './chain-key.ts';
import { completedChain } from './completed-chain.ts';
import type { TrustRoom } from './contract.ts';
import { type Explanation, explainChain } from './explain.ts';
import type { ForwardedSource } from './forwarded.ts';
import { createIssuers, type IssuerGet, type Issuers } from './issuer-fetch.ts';
import { absent, refused } from './judge.ts';
import { type Asked, createJudgeOnce } from './judge-once.ts';
import { createWatch, type TrustLog, type TrustObservation } from './observation.ts';
import { createPresenter } from './presenter.ts';
import { createProxyCheck } from './proxy-check.ts';
import { createRevocation, type Revocation } from './revocation.ts';
import type { RevocationFetch } from './revocation-fetch.ts';
import type { TrustScheme } from './scheme.ts';
import { ALONE, type Sharing } from './sharing.ts';
import type { CertificateVerdict } from './verdict.ts';
import { createVerdictMemory } from './verdict-memory.ts';

/** What trust needs from outside. */
export interface TrustOptions {
  readonly clock: Clock;
  /** By bank id. */
  readonly schemes: ReadonlyMap<string, TrustScheme>;
  readonly log?: TrustLog | undefined;
  /** Called for every verdict and every question about revocation, for `/metrics`. */
  readonly observe?: ((observation: TrustObservation) => void) | undefined;
  /**
   * The proxy before the door that a request came through; undefined: participants connect directly (the default). Only
   * the composition root knows which door has one.
   */
  readonly forwarded?: ((request: IncomingMessage) => ForwardedSource | undefined) | undefined;
  /** The way to responders and lists; only tests give another than the network. */
  readonly fetch?: RevocationFetch | undefined;
  /** The same for intermediates that callers did not send. */
  readonly fetchIssuer?: IssuerGet | undefined;
  /** The other processes of the platform; without it this one is alone. */
  readonly sharing?: Sharing | undefined;
}

/** Where the verdict under some rules is kept. */
type Place = (rules: PlaceRules) => string;

/** Judges certificates for all banks. @throws Error naming bank and entry when a scheme is not sound */
export function createTrust(options: TrustOptions): TrustRoom {
  const { clock, schemes, log, observe, fetch, forwarded, sharing = ALONE } = options;
  const watch = createWatch(log, observe);
  const evaluations = createVerdictMemory(clock);
  const bankSchemes = createBankSchemes(schemes, (bank) => evaluations.dropWhere((key) => key.startsWith(`${bank} `)));
  const changed = () => evaluations.clear();
  const revocation = createRevocation({ clock, watch, changed, fetch, sharing });
  const issuers = createIssuers(clock, watch, options.fetchIssuer);
  const forget = (): void => {
    issuers.clear();
    revocation.clear();
    evaluations.clear();
  };
  sharing.listen({ forget, renewed: revocation.renewed });
  const presentedOnce = createPresenter(clock, watch, forwarded);
  const judgeOnce = createJudgeOnce({ clock, evaluations, revocation, issuers });
  const behind = createProxyCheck(judgeOnce, watch);

  function judge(chain: readonly Uint8Array[], place: Place, bank: string, options: Asked | undefined) {
    const versioned = bankSchemes.find(bank);
    if (versioned === undefined) return refused('scheme_missing', 'This bank trusts no certificates.').verdict;
    if (chain.length === 0) return absent('certificate_absent').verdict;
    return judgeOnce(chain, place(versioned), versioned.scheme, options);
  }

  function observed(verdict: CertificateVerdict, bank: string): CertificateVerdict {
    watch.observe({ kind: 'verdict', bank, outcome: verdict.ok ? 'ok' : verdict.reason });
    return verdict;
  }

  return {
    clientCertificate: (request: IncomingMessage, bank, options) => {
      const presented = presentedOnce(request);
      if ('absent' in presented) return observed(absent(presented.absent).verdict, bank);
      if ('refused' in presented) return observed(refused(presented.refused, presented.message).verdict, bank);
      const { chain, vouched = false } = presented;
      const place: Place = (rules) => placeOfPresented(rules, presented);
      const judgeShown = () => judge(chain, place, bank, vouched ? { ...options, vouched } : options);
      const verdict = presented.proxy === undefined ? judgeShown() : behind(presented.proxy, request, judgeShown);
      return verdict instanceof Promise ? verdict.then((late) => observed(late, bank)) : observed(verdict, bank);
    },
    judge: async (chain, bank, options) => {
      const place: Place = (rules) => placeOf(rules, keyOfChain(chain));
      return observed(await judge(chain, place, bank, options), bank);
    },
    replaceScheme: bankSchemes.replaceScheme,
    replaceAnchors: bankSchemes.replaceAnchors,
    replaceDenied: bankSchemes.replaceDenied,
    explain: (chain, bank) => explain(chain, bankSchemes.find(bank), { revocation, issuers }, clock.now()),
    forget: async () => {
      forget();
      await sharing.forgetAll();
      // Who asked meanwhile may have found what was not gone yet.
      forget();
    },
    sweep: () => sharing.sweep(),
    close: async () => {
      await Promise.all([revocation.close(), issuers.close()]);
    },
  };
}

async function explain(
  chain: readonly Uint8Array[],
  versioned: VersionedScheme | undefined,
  { revocation, issuers }: { readonly revocation: Revocation; readonly issuers: Issuers },
  now: Date,
): Promise<Explanation> {
  if (versioned === undefined) throw new Error('no such bank');
  const { scheme } = versioned;
  return explainChain(await completedChain(chain, scheme, issuers, now), scheme, revocation, now);
}
