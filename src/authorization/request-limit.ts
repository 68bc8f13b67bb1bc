import type { KoaContextWithOIDC } from 'oidc-provider';
import { createRateLimit, sourceOf } from '../platform/rate-limit.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { FORM_ROUTES } from './configuration.ts';
import { peerOf } from './peer.ts';

/**
 * Bounds what one caller can ask of the endpoints that cost a signature or a statement each, before any of it is spent. The
 * caller is its accepted certificate; who has none is its address. A client id proves nothing yet, so counting by it would let
 * anybody use up another's share.
 */
export function limitRequests(bank: AuthorizationBank, { clock }: Pick<AuthorizationRooms, 'clock'>) {
  const limit = createRateLimit(clock, bank.requestsPerMinute);
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const seconds = FORM_ROUTES.has(ctx.path) ? limit.take(callerOf(ctx)) : undefined;
    if (seconds === undefined) return next();
    throw new Refusal('rate_limited', 429, `too many requests: try again in ${seconds} seconds`, {
      headers: { 'Retry-After': String(seconds) },
    });
  };
}

function callerOf(ctx: KoaContextWithOIDC): string {
  const { verdict } = peerOf(ctx.req);
  return verdict?.ok === true ? verdict.certificate.thumbprint : sourceOf(ctx.req.socket.remoteAddress);
}
