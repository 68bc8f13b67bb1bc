/**
 * What operators may count: verdicts, and how questions about revocation went; `shared`: another process had asked. Nothing
 * in it identifies a person.
 */
export type TrustObservation =
  | { readonly kind: 'verdict'; readonly bank: string; readonly outcome: string }
  | { readonly kind: 'fetch'; readonly protocol: 'ocsp' | 'crl' | 'issuer'; readonly outcome: string };

/** Where trust writes what operators should know; the platform's log fits. */
export interface TrustLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Both, as the parts of this room are given them. */
export interface Watch {
  observe(observation: TrustObservation): void;
  /** A certificate header, or the proxy's address, from somebody who is not the proxy: a security event. */
  spoofed(fields: { readonly peer: string }): void;
  /** The proxy's own certificate was withdrawn, or nobody could be asked: what it hands on does not count. */
  proxyRefused(fields: { readonly peer: string; readonly detail: string }): void;
  /** A bank's own decoder of certificate headers failed, or took the value for none of its own. */
  parserFailed(fields: { readonly peer: string; readonly what: string }): void;
  /** One line per answer about revocation that did not count; a wrong signer is worth an alarm. */
  unusable(fields: { readonly code: string; readonly source: string; readonly message: string }): void;
}

/** Turns what the composition root gives into what the parts use. */
export function createWatch(
  log: TrustLog | undefined,
  observe: ((observation: TrustObservation) => void) | undefined,
): Watch {
  return {
    observe: (observation) => observe?.(observation),
    spoofed: (fields) =>
      log?.warn(
        { event: 'trust.header_untrusted_source', ...fields },
        'a certificate header from somebody who is not the proxy',
      ),
    proxyRefused: (fields) =>
      log?.warn({ event: 'trust.proxy_refused', ...fields }, 'the certificate of the proxy itself does not count'),
    parserFailed: (fields) =>
      log?.warn(
        { event: 'trust.forwarded_parser_failed', ...fields },
        'the own decoder of a certificate header failed',
      ),
    unusable: (fields) =>
      log?.warn({ event: 'trust.revocation_answer_unusable', ...fields }, 'an answer about revocation does not count'),
  };
}
