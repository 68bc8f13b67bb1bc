import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorizationBank } from './bank.ts';
import { peerOf } from './peer.ts';

/** The engine's errors for people: a page of the bank, never a redirect to an untrusted address (F2-5.3.2.1-7). */
export function renderErrorPage(bank: AuthorizationBank, ctx: KoaContextWithOIDC, out: ErrorOut): void {
  const trace = peerOf(ctx.req).interaction;
  const { html, headers } = bank.renderError({
    code: out.error,
    description: out.error_description ?? '',
    trace,
    language: ctx.get('accept-language'),
  });
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
  ctx.type = 'html';
  ctx.body = html;
}
