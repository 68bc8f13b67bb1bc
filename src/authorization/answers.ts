import type { KoaContextWithOIDC } from 'oidc-provider';
import { monotonicMilliseconds } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { FORM_ROUTES, ROUTES } from './configuration.ts';
import { endpointAnswered } from './events.ts';
import { answerStructuredToken } from './introspection.ts';
import { isManagementScope } from './management.ts';
import { peerOf } from './peer.ts';

/** Sentences of the engine that stand for a client that may not do this: RFC 6749 §5.2 has a code of its own for it. */
const NOT_ALLOWED = new Set([
  'requested grant type is not allowed for this client',
  'requested response_type is not allowed for this client',
]);
const KNOWN_SCOPES = new Set(['openid', 'offline_access']);
const MACHINE_ROUTES = new Set([...FORM_ROUTES.values(), 'registration', 'client', 'client_update', 'client_delete']);

interface OAuthError {
  readonly error: string;
  readonly error_description?: string;
}

/** Runs around the engine's routes: completes answers it cannot give, and leaves one audit record for each machine's request. */
export function completeAnswers(bank: AuthorizationBank, rooms: AuthorizationRooms) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const started = monotonicMilliseconds();
    const peer = peerOf(ctx.req);
    try {
      rooms.audit.checkWritable();
      await next();
      if (peer.failure !== undefined) throw peer.failure;
      await complete(bank, rooms, ctx);
    } catch (cause) {
      refuse(rooms, ctx, cause);
    }
    ctx.set('x-fapi-interaction-id', peer.interaction);
    if (ctx.status === 404 && ctx.body === undefined) notFound(ctx);
    const route = routeOf(ctx);
    if (route === undefined || !MACHINE_ROUTES.has(route)) return;
    const error = errorOf(ctx.body);
    if (error !== undefined || ctx.status >= 400) ctx.set('cache-control', 'no-store');
    rooms.audit.enqueue(
      endpointAnswered({
        bank: bank.id,
        route,
        peer,
        status: ctx.status,
        error: error?.error,
        duration: monotonicMilliseconds() - started,
      }),
    );
  };
}

async function complete(bank: AuthorizationBank, rooms: AuthorizationRooms, ctx: KoaContextWithOIDC): Promise<void> {
  const error = errorOf(ctx.body);
  const route = routeOf(ctx);
  if (error?.error === 'unsupported_token_type' && (route === 'introspection' || route === 'revocation')) {
    await answerStructuredToken(bank, rooms, ctx);
    return;
  }
  if (route === 'pushed_authorization_request') checkPush(bank, ctx, error);
  if (route === 'discovery') hideManagement(ctx);
  if (error?.error === 'invalid_request' && NOT_ALLOWED.has(error.error_description ?? '')) {
    ctx.body = { ...error, error: 'unauthorized_client' };
  }
  if (route === 'client' || route === 'client_update') hideSecret(ctx);
}

/** What only the bank itself may ask for is not offered to others. */
function hideManagement(ctx: KoaContextWithOIDC): void {
  const { body } = ctx;
  if (typeof body !== 'object' || body === null || !('scopes_supported' in body)) return;
  const { scopes_supported: scopes } = body;
  if (!Array.isArray(scopes)) return;
  ctx.body = { ...body, scopes_supported: scopes.filter((scope: unknown) => !isManagementScope(String(scope))) };
}

/** RFC 9126 §2.1 wants `invalid_request` for a nested request_uri; a scope nobody knows is refused, not ignored (N-91, N-94). */
function checkPush(bank: AuthorizationBank, ctx: KoaContextWithOIDC, error: OAuthError | undefined): void {
  if (error?.error === 'request_uri_not_supported') {
    ctx.body = { error: 'invalid_request', error_description: 'a pushed request does not name a request_uri' };
    return;
  }
  const asked = ctx.status === 201 ? String(ctx.oidc.params?.scope ?? '').split(' ') : [];
  const unknown = asked.find((scope) => scope !== '' && !KNOWN_SCOPES.has(scope) && !bank.scopes.includes(scope));
  if (unknown === undefined) return;
  ctx.status = 400;
  ctx.body = { error: 'invalid_scope', error_description: 'a scope in the request does not exist at this bank' };
}

/** A secret is shown once, when it is made (LAB-08). */
function hideSecret(ctx: KoaContextWithOIDC): void {
  const { body } = ctx;
  if (typeof body !== 'object' || body === null || !('client_secret' in body)) return;
  const { client_secret: _secret, ...shown } = body;
  ctx.body = shown;
}

function refuse(rooms: AuthorizationRooms, ctx: KoaContextWithOIDC, cause: unknown): void {
  if (cause instanceof Refusal) {
    ctx.status = cause.status;
    ctx.set(cause.headers);
    ctx.body = {
      error: cause.status >= 500 ? 'temporarily_unavailable' : cause.code,
      error_description: cause.message,
    };
    return;
  }
  rooms.report('the authorization server failed', cause);
  ctx.status = 500;
  ctx.body = {
    error: 'server_error',
    error_description: 'something went wrong here; the trace id finds it in our log',
  };
}

function notFound(ctx: KoaContextWithOIDC): void {
  ctx.status = 404;
  ctx.body = { error: 'not_found', error_description: 'there is nothing at this path; discovery lists the endpoints' };
}

/** The engine's name of the matched route; what our own gates refuse never reaches a route of the engine. */
function routeOf(ctx: KoaContextWithOIDC): string | undefined {
  const matched: string | undefined = ctx.oidc?.route;
  if (matched !== undefined) return matched;
  const form = FORM_ROUTES.get(ctx.path);
  if (form !== undefined) return form;
  if (ctx.path === ROUTES.registration) return 'registration';
  return ctx.path.startsWith(`${ROUTES.registration}/`) ? 'client' : undefined;
}

function errorOf(body: unknown): OAuthError | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body) || typeof body.error !== 'string')
    return undefined;
  const description = 'error_description' in body ? body.error_description : undefined;
  return typeof description === 'string'
    ? { error: body.error, error_description: description }
    : { error: body.error };
}
