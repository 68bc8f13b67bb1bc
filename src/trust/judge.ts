import { clientCertificateOf } from './client-certificate.ts';
import { faultOf } from './fault.ts';
import { grantEnds } from './grant.ts';
import { Malformed } from './malformed.ts';
import { findPath, type PathProblem } from './path.ts';
import { purposeOf } from './purpose.ts';
import { type DetailCode, reasonOf } from './reasons.ts';
import type { CompiledScheme } from './scheme.ts';
import { MAXIMUM_CHAIN } from './tls-source.ts';
import type { CertificateVerdict, ClientCertificate } from './verdict.ts';
import { ACTED_ON, type Certificate, parseCertificate } from './x509.ts';

/** A judgement that is held only as long as nothing but time can change it. */
export interface Judgement {
  readonly verdict: CertificateVerdict;
  /** The certificates used, leaf first, anchor last; empty when no path was found. */
  readonly path: readonly Certificate[];
}

/** Judges a chain, leaf first, against a scheme: parse, path, validity, purpose (acceptance.md §1.3, step 1). */
export function judgeChain(chain: readonly Uint8Array[], scheme: CompiledScheme, now: Date): Judgement {
  const [first, ...others] = chain;
  if (first === undefined) return absent('certificate_absent');
  const leaf = readCertificate(first);
  if (leaf instanceof Malformed) return refused(leaf.code, `The certificate cannot be accepted: ${leaf.message}.`);
  const purpose = purposeOf(leaf, scheme);
  const certificate = clientCertificateOf(leaf, purpose.roles);
  if (chain.length > MAXIMUM_CHAIN) {
    return refused('chain_too_long', `At most ${MAXIMUM_CHAIN} certificates may be sent.`, certificate, leaf);
  }
  const { anchors, algorithms: policy, extendedKeyUsages } = scheme;
  const untrusted = others.flatMap(readSurplus);
  const found = findPath({ leaf, untrusted, anchors, policy, extendedKeyUsages, known: ACTED_ON, now });
  if (!found.ok) return withoutPath(found.problem, scheme, certificate);
  if (purpose.problem !== undefined) return refused(purpose.problem.code, purpose.problem.message, certificate, leaf);
  const ends = [...found.path.map(({ notAfter }) => notAfter), ...grantEnds(found.anchor, now)];
  const validUntil = new Date(Math.min(...ends.map((date) => date.getTime())));
  return { verdict: { ok: true, certificate, validUntil }, path: found.path };
}

/** The verdict over a connection that proved no certificate. */
export function absent(code: 'certificate_absent' | 'session_resumed' | 'header_untrusted_source'): Judgement {
  return refused(code, 'A client certificate is required: send one in the TLS handshake.');
}

/** A refusal as verdict; `at` is the certificate that failed. */
export function refused(
  code: DetailCode,
  message: string,
  certificate?: ClientCertificate,
  at?: Certificate,
): Judgement {
  const fault = faultOf(code, at);
  return { verdict: { ok: false, reason: reasonOf(code), detail: code, message, certificate, fault }, path: [] };
}

const LISTED: ReadonlySet<DetailCode> = new Set([
  'issuer_unknown',
  'anchor_not_granted',
  'trusted_list_expired',
  'trusted_list_missing',
]);

/** Where trusted lists decide who issues qualified certificates, an issuer they do not grant issues none (WSN-24, N-29). */
function withoutPath(
  { code, message, certificate: at }: PathProblem,
  scheme: CompiledScheme,
  certificate: ClientCertificate,
): Judgement {
  const { missingLists, qualified } = scheme;
  if (missingLists === undefined) return refused(code, message, certificate, at);
  const missing = code === 'issuer_unknown' && missingLists.length > 0;
  const detail = missing ? 'trusted_list_missing' : code;
  const sentence = missing ? missingMessage(missingLists) : message;
  const { verdict, path } = refused(detail, sentence, certificate, at);
  if (verdict.ok || !qualified || !LISTED.has(detail)) return { verdict, path };
  return { verdict: { ...verdict, reason: 'certificate_not_qualified' }, path };
}

function missingMessage(territories: readonly string[]): string {
  const [which, have] = territories.length === 1 ? ['list', 'is'] : ['lists', 'are'];
  return `No known authority issued the certificate, and the trusted ${which} of ${territories.join(', ')} ${have} not at hand.`;
}

/** A certificate, or why it cannot be accepted. */
export function readCertificate(der: Uint8Array): Certificate | Malformed {
  try {
    return parseCertificate(der);
  } catch (cause) {
    if (cause instanceof Malformed) return cause;
    throw cause;
  }
}

/** A certificate beside the leaf, or none: what a client sends there is only offered help, and what cannot be read helps nobody. */
export function readSurplus(der: Uint8Array): readonly Certificate[] {
  const certificate = readCertificate(der);
  return certificate instanceof Malformed ? [] : [certificate];
}
