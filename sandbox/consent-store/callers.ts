import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { Problem } from '../bank/problem.ts';

/** Who may call: the platform, which keeps consents here, and the bank's own staff. */
export type Caller = 'platform' | 'bank';

/** The names in their certificates (subjectAltName, URI). */
export type Identities = Readonly<Record<Caller, string>>;

/**
 * The caller by its certificate. @throws Problem 401 without a certificate that the bank's authority made, 403 for anybody
 * else's (N-235)
 */
export function callerOf(request: IncomingMessage, identities: Identities): Caller {
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized)
    throw new Problem(401, 'certificate_missing', "A client certificate of the bank's authority is required.");
  const names = socket.getPeerX509Certificate()?.subjectAltName?.split(', ') ?? [];
  if (names.includes(`URI:${identities.platform}`)) return 'platform';
  if (names.includes(`URI:${identities.bank}`)) return 'bank';
  throw new Problem(403, 'caller_not_allowed', 'Only the platform and the bank itself are served here.');
}
