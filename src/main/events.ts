import type { Actor, AuditEvent } from '../audit/index.ts';
import { type CertificateVerdict, type DeniedCertificate, verdictFacts } from '../trust/index.ts';

/** A connection without an acceptable client certificate that ended in the TLS layer (LAB-36). */
export function handshakeRefused(refused: { readonly address: string; readonly reason: string }): AuditEvent {
  return {
    family: 'authentication',
    action: 'tls.client_certificate_missing',
    outcome: 'refused',
    reason: 'certificate_missing',
    detail: refused.reason,
    facts: { peer: refused.address },
  };
}

/** Why the certificate of a handshake was not accepted, by the bank that came nearest to accepting it: the caller learns nothing of it. */
export function peerRefused(bank: string, address: string | undefined, verdict: CertificateVerdict): AuditEvent {
  return {
    family: 'authentication',
    action: 'certificate.refused',
    outcome: 'refused',
    bank,
    reason: verdict.ok ? undefined : verdict.reason,
    detail: verdict.ok ? undefined : verdict.detail,
    facts: { peer: address ?? null, ...verdictFacts(verdict) },
  };
}

/** Staff denied a certificate or a key (certificates.md §5.6); a bank of `*` stands for all of them. */
export function certificateDenied(bank: string, denied: DeniedCertificate, actor: Actor): AuditEvent {
  return { ...denial(bank, denied, actor), action: 'certificate.denied' };
}

/** Staff ended such a denial. */
export function certificateAllowed(bank: string, denied: DeniedCertificate, actor: Actor): AuditEvent {
  return { ...denial(bank, denied, actor), action: 'certificate.allowed' };
}

function denial(bank: string, denied: DeniedCertificate, actor: Actor): Omit<AuditEvent, 'action'> {
  const byKey = 'spkiSha256' in denied;
  return {
    family: 'administration',
    outcome: 'changed',
    bank,
    interaction: actor.interaction,
    facts: {
      issuer: byKey ? null : denied.issuer,
      serial: byKey ? null : denied.serial,
      spkiSha256: byKey ? denied.spkiSha256 : null,
      actor: actor.reference,
      reason: actor.reason ?? null,
    },
  };
}

/** Somebody who is being onboarded asked what a bank says of their certificate. */
export function certificateShown(bank: string, verdict: CertificateVerdict, interaction: string): AuditEvent {
  const { certificate } = verdict;
  return {
    family: 'authentication',
    action: 'certificate.shown',
    outcome: verdict.ok ? 'allowed' : 'refused',
    bank,
    interaction,
    ...(verdict.ok ? {} : { reason: verdict.reason, detail: verdict.detail }),
    facts: { thumbprint: certificate?.thumbprint ?? null, serial: certificate?.serial ?? null },
  };
}
