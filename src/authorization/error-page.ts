import type { ErrorOut, KoaContextWithOIDC } from 'oidc-provider';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { pageRefused } from './events.ts';
import { peerOf } from './peer.ts';

/** The engine's errors for people: a page of the bank, never a redirect to an untrusted address (F2-5.3.2.1-7). */
export function renderErrorPage(
  bank: AuthorizationBank,
  { audit }: Pick<AuthorizationRooms, 'audit'>,
  ctx: KoaContextWithOIDC,
  out: ErrorOut,
): void {
  const peer = peerOf(ctx.req);
  const trace = peer.interaction;
  audit.enqueue(pageRefused(bank.id, peer, out.error));
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
