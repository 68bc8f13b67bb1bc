import type { KoaContextWithOIDC } from 'oidc-provider';
import { readBody } from '../platform/form.ts';
import { Refusal } from '../platform/refusal.ts';
import { FORM_ROUTES, ROUTES } from './configuration.ts';
import type { SecurityProfile } from './profile.ts';

/** As the engine's own limit. */
const MAXIMUM_BODY_BYTES = 56 * 1024;

const decoder = new TextDecoder();
/** The name as it is, or a name with an escape, which could be it: only such forms are read here as well as by the engine. */
const MAY_NAME_SECRET = /(?:^|&)(?:client_secret(?:[=&]|$)|[^=&]*[%+])/;

/** Looks at the form of a machine's request before the engine: it drops parameters it does not expect, which would hide two things. */
export function checkForm(profile: SecurityProfile) {
  const secrets = profile.clientAuthenticationMethods.includes('client_secret_post');
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    const form = ctx.method === 'POST' && FORM_ROUTES.has(ctx.path);
    if (!form || ctx.is('application/x-www-form-urlencoded') === false) return next();
    const body = decoder.decode(await readBody(ctx.req, MAXIMUM_BODY_BYTES));
    if (!secrets && MAY_NAME_SECRET.test(body)) checkNoSecret(new URLSearchParams(body));
    Object.assign(ctx.req, { body: ctx.path === ROUTES.pushed_authorization_request ? named(body) : body });
    return next();
  };
}

/** WSN-02, N-64: a secret is not taken here, alone or beside something else. @throws Refusal `invalid_client` 401, `invalid_request` 400 */
function checkNoSecret(fields: URLSearchParams): void {
  if (!fields.has('client_secret')) return;
  if (fields.has('client_assertion')) {
    throw new Refusal('invalid_request', 400, 'client authentication must only be provided using one mechanism');
  }
  throw new Refusal('invalid_client', 401, 'client authentication failed');
}

/**
 * A pushed request may leave out `client_id` when its assertion names the client (N-87, RFC 9126 §2.1); the engine wants the
 * parameter all the same. The name is only a name here: the engine authenticates the client afterwards.
 */
function named(body: string): string {
  const fields = new URLSearchParams(body);
  const client = fields.has('client_id') ? undefined : subjectOf(fields.get('client_assertion') ?? '');
  return client === undefined ? body : `${body}&${new URLSearchParams({ client_id: client })}`;
}

/** `sub` of an assertion nobody has verified yet. */
function subjectOf(assertion: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const subject = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : undefined;
    return typeof subject === 'string' && subject !== '' ? subject : undefined;
  } catch {
    return undefined;
  }
}
