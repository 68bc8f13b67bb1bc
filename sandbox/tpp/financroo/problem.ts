import { AuthorizationResponseError, ResponseBodyError } from 'openid-client';

/** Something a customer should read as a sentence. */
export class Problem extends Error {
  override readonly name = 'Problem';
}

/** The bank says that the permission is over: nothing but a new one helps. */
export class PermissionEnded extends Error {
  override readonly name = 'PermissionEnded';
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** True when nobody answered, so that nobody knows what became of the request. */
export function isUnreachable(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const code = 'code' in cause ? String(cause.code) : '';
  return UNREACHABLE.has(code) || isUnreachable(cause.cause) || someInside(cause);
}

/** Node tries several addresses of a name and throws all failures together. */
function someInside(cause: Error): boolean {
  return cause instanceof AggregateError && cause.errors.some(isUnreachable);
}

/** Why something at a bank failed, in a sentence that names no secret. */
export function sentenceOf(cause: unknown, bank: string): string {
  if (cause instanceof Problem) return cause.message;
  if (cause instanceof ResponseBodyError || cause instanceof AuthorizationResponseError) {
    return `${bank} refused: ${cause.error_description ?? cause.error} (${cause.error}).`;
  }
  if (isUnreachable(cause)) return `${bank} cannot be reached at the moment.`;
  return `${bank} gave an answer that cannot be used${cause instanceof Error ? ` (${cause.message})` : ''}.`;
}

/** True for an OAuth error answer with this code. */
export function isRefusal(cause: unknown, code: string): boolean {
  return cause instanceof ResponseBodyError && cause.error === code;
}
