import type { Refusal } from '../platform/refusal.ts';
import type { ErrorFormat } from './bank.ts';

/** The body of a refusal, by the regime's format. */
export const errorBodies: Readonly<Record<ErrorFormat, (refusal: Refusal, trace: string) => string>> = {
  generic: (refusal, trace) =>
    JSON.stringify({ error: { reason: refusal.code, message: refusal.message, traceId: trace } }),
};

/** Reasons that RFC 6750 §3.1 knows as `invalid_token`. */
const invalidToken: ReadonlySet<string> = new Set([
  'token_invalid',
  'token_expired',
  'token_revoked',
  'wrong_audience',
  'wrong_token_type',
  'certificate_not_bound',
]);

/** The `WWW-Authenticate` challenge of a refusal (RFC 6750 §3); undefined where none belongs. */
export function challengeOf(refusal: Refusal, realm: string, scope: string | undefined): string | undefined {
  if (refusal.code === 'insufficient_scope') return `Bearer error="insufficient_scope", scope="${scope ?? ''}"`;
  if (refusal.status !== 401) return undefined;
  if (!invalidToken.has(refusal.code)) return `Bearer realm="${quotable(realm)}"`;
  return `Bearer error="invalid_token", error_description="${quotable(refusal.message)}"`;
}

/** RFC 6750 §3: descriptions are printable ASCII without quote and backslash. */
function quotable(text: string): string {
  return text.replaceAll(/[^\u0020\u0021\u0023-\u005b\u005d-\u007e]/g, "'");
}
