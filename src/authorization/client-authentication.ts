import type { KoaContextWithOIDC } from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Directory } from '../directory/index.ts';
import { type Clock, epochSeconds } from '../platform/clock.ts';
import { sourceOf } from '../platform/rate-limit.ts';
import { type CertificateVerdict, subjectMatches } from '../trust/index.ts';
import type { Vault } from '../vault/index.ts';
import type { AuthorizationBank } from './bank.ts';
import { isEnrolled, type Peer, peerOf } from './peer.ts';
import { createSecretShares } from './secret-shares.ts';

/** A client assertion may live this long: a longer one would keep its replay mark that long (engine.md B11). */
const MAXIMUM_ASSERTION_SECONDS = 300;
/** Clocks differ: `iat` and `nbf` this far ahead are accepted (F2-5.3.2.1-13). */
const CLOCK_TOLERANCE_SECONDS = 10;

type Claims = Readonly<Record<string, unknown>>;

/** The certificate of this request as the engine binds tokens to it; only one that trust accepts exists for the engine (B3). */
export function certificateOf(ctx: KoaContextWithOIDC): string | undefined {
  const { verdict } = peerOf(ctx.req);
  return verdict?.ok === true ? verdict.certificate.pem : undefined;
}

/** RFC 8705 §2.1: path, validity and purpose were judged before the engine; the relation to the client is judged here (CA-03). */
export function certificateAuthorized(ctx: KoaContextWithOIDC): boolean {
  const peer = peerOf(ctx.req);
  if (peer.verdict?.ok !== true) return false;
  if (isEnrolled(peer)) return true;
  refuse(peer, 'certificate_not_enrolled', 'binding_mismatch');
  return false;
}

/** RFC 8705 §2.1.2: exactly one registered attribute, compared by structure. */
export function certificateSubjectMatches(ctx: KoaContextWithOIDC, property: string, expected: string): boolean {
  const peer = peerOf(ctx.req);
  if (peer.verdict?.ok !== true) return false;
  if (subjectMatches(peer.verdict.certificate, property, expected)) return true;
  refuse(peer, 'certificate_not_enrolled', 'binding_mismatch');
  return false;
}

/**
 * What a client assertion must be beyond RFC 7523 (the engine has checked signature, `iss`, `sub`, `jti`, `exp` and that
 * `aud` is in our set): the exact `aud`, a bounded life, and the client's own certificate where one is needed.
 */
export function assertionRules(bank: AuthorizationBank, clock: Clock) {
  return (ctx: KoaContextWithOIDC, claims: Claims, header: Claims): void => {
    const peer = peerOf(ctx.req);
    checkAudience(bank, claims.aud);
    checkLife(claims, epochSeconds(clock.now()));
    if (claims.sub !== claims.iss) throw new errors.InvalidClientAuth('assertion sub differs from iss');
    if (typeof header.kid !== 'string') throw new errors.InvalidClientAuth('assertion has no kid');
    checkCertificate(bank, peer);
  };
}

/** The accepted set the engine compares with first; a constant of the bank, never taken from the Host header (engine.md §6.5). */
export function acceptedAudiences(bank: AuthorizationBank): Set<string> {
  if (bank.profile.assertionAudience === 'issuer') return new Set([bank.issuer]);
  const bases = [bank.issuer, bank.mtlsBase, ...(bank.plainBase === undefined ? [] : [bank.plainBase])];
  return new Set([bank.issuer, ...bases.map((base) => `${base}/token`)]);
}

function checkAudience(bank: AuthorizationBank, audience: unknown): void {
  if (bank.profile.assertionAudience === 'issuer' && audience !== bank.issuer) {
    throw new errors.InvalidClientAuth('assertion aud must be the issuer as one string');
  }
}

function checkLife(claims: Claims, now: number): void {
  const { exp, iat, nbf } = claims;
  if (typeof exp !== 'number' || exp > now + MAXIMUM_ASSERTION_SECONDS) {
    throw new errors.InvalidClientAuth('assertion lives too long');
  }
  for (const moment of [iat, nbf]) {
    if (moment === undefined) continue;
    if (typeof moment !== 'number' || moment > now + CLOCK_TOLERANCE_SECONDS) {
      throw new errors.InvalidClientAuth('assertion is from the future');
    }
  }
}

/**
 * A bank that binds tokens wants the client's own certificate at every endpoint (N-58, N-85); a baseline bank wants it at the
 * mTLS door from clients that have one enrolled.
 */
export function checkCertificate(bank: AuthorizationBank, peer: Peer): void {
  const bound = (peer.standing?.certificates.length ?? 0) > 0;
  const needed = bank.profile.requireBoundTokens || peer.door === 'mtls';
  if (!needed) return;
  if (peer.verdict?.ok !== true) throw missing(peer, peer.verdict);
  if (!bound && !bank.profile.requireBoundTokens) return;
  if (isEnrolled(peer)) return;
  refuse(peer, 'certificate_not_enrolled', 'binding_mismatch');
  throw new errors.InvalidClientAuth('certificate is not the one enrolled for this client');
}

function missing(peer: Peer, verdict: Extract<CertificateVerdict, { ok: false }> | undefined): Error {
  refuse(peer, verdict?.reason ?? 'certificate_missing', verdict?.detail ?? 'certificate_absent');
  return new errors.InvalidRequest(
    verdict?.message ?? 'this client must present its transport certificate: use the endpoint in mtls_endpoint_aliases',
  );
}

/** Remembers the finer reason for the audit record; the caller hears the one neutral text. */
function refuse(peer: Peer, reason: string, detail: string): void {
  peer.refusal = { reason, detail };
}

/** Compares a presented secret with the stored hashes (baseline banks): replaces the engine's comparison with a stored secret. */
export function secretComparison(bank: AuthorizationBank, directory: Directory, vault: Vault) {
  const shares = createSecretShares();
  return async (client: string, ctx: KoaContextWithOIDC | undefined, presented: string): Promise<boolean> => {
    const standing = await directory.standing(bank.id, client);
    const hashes = standing?.client.secretHashes ?? [];
    if (ctx === undefined) return false;
    const callers = [`address ${sourceOf(ctx.req.socket.remoteAddress)}`, `client ${client}`];
    for (const hash of hashes) {
      if (await shares.as(callers, () => vault.verifySecret(presented, hash))) {
        checkCertificate(bank, peerOf(ctx.req));
        return true;
      }
    }
    return false;
  };
}
