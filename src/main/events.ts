import type { AuditEvent } from '../audit/index.ts';

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
