import type { IncomingMessage } from 'node:http';
import { type PlaceRules, placeOfPresented } from './chain-key.ts';
import { PROXY_ALONE, type ShownByProxy } from './forwarded.ts';
import { absent, refused } from './judge.ts';
import type { JudgeOnce } from './judge-once.ts';
import type { Watch } from './observation.ts';
import type { CompiledScheme } from './scheme.ts';
import type { CertificateVerdict } from './verdict.ts';

type Judged = CertificateVerdict | Promise<CertificateVerdict>;

/** Judges what a proxy handed on, once its own certificate is known not to be withdrawn. */
export type ProxyCheck = (
  shown: ShownByProxy,
  request: IncomingMessage,
  judgeHandedOn: () => Judged,
) => Promise<CertificateVerdict>;

/**
 * The proxy is asked about as participants are, and its verdict is remembered as theirs are. Read anew from its files it is
 * another scheme, whose verdicts have places of their own; no bank's id begins with a slash.
 */
export function createProxyCheck(judgeOnce: JudgeOnce, watch: Watch): ProxyCheck {
  const rules = new WeakMap<CompiledScheme, PlaceRules>();
  let version = 0;
  const rulesOf = (scheme: CompiledScheme): PlaceRules => {
    const known = rules.get(scheme);
    if (known !== undefined) return known;
    version += 1;
    const own = { bank: '/proxy', version };
    rules.set(scheme, own);
    return own;
  };
  return async ({ presented, scheme }, request, judgeHandedOn) => {
    if (!('chain' in presented)) return absent('header_untrusted_source').verdict;
    const own = await judgeOnce(presented.chain, placeOfPresented(rulesOf(scheme), presented), scheme);
    if (own.ok) return judgeHandedOn();
    watch.proxyRefused({ peer: request.socket.remoteAddress ?? 'unknown', detail: own.detail });
    return refused('header_untrusted_source', PROXY_ALONE).verdict;
  };
}
