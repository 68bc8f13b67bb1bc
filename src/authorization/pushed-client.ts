import type { KoaContextWithOIDC } from 'oidc-provider';
import { readBody } from '../platform/form.ts';
import { ROUTES } from './configuration.ts';

/** As the engine's own limit. */
const MAXIMUM_BODY_BYTES = 56 * 1024;

/**
 * A pushed request may leave out `client_id` when its assertion names the client (N-87, RFC 9126 §2.1); the engine wants the
 * parameter all the same. The name is only a name here: the engine authenticates the client afterwards.
 */
export async function nameClientOfPush(ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> {
  const pushed = ctx.method === 'POST' && ctx.path === ROUTES.pushed_authorization_request;
  if (!pushed || ctx.is('application/x-www-form-urlencoded') === false) return next();
  const body = new TextDecoder().decode(await readBody(ctx.req, MAXIMUM_BODY_BYTES));
  const fields = new URLSearchParams(body);
  const client = fields.has('client_id') ? undefined : subjectOf(fields.get('client_assertion') ?? '');
  const named = client === undefined ? body : `${body}&${new URLSearchParams({ client_id: client })}`;
  Object.assign(ctx.req, { body: named });
  return next();
}

/** `sub` of an assertion nobody has verified yet. */
function subjectOf(assertion: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const named = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : undefined;
    return typeof named === 'string' && named !== '' ? named : undefined;
  } catch {
    return undefined;
  }
}
