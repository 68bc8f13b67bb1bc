import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authorization, DoorKind } from '../authorization/index.ts';
import type { ConsentCallback, Gateway } from '../gateway/index.ts';
import { uuid } from '../platform/random.ts';
import type { Management, Pages, Portal } from '../web/index.ts';
import type { BankSettings } from './settings.ts';

/** What one bank is made of at the edges of this process. */
export interface Edge {
  readonly settings: BankSettings;
  readonly authorization: Authorization | undefined;
}

/** The edges that this process serves. */
export interface Edges {
  readonly edges: ReadonlyMap<string, Edge>;
  readonly gateway: Gateway | undefined;
  readonly consentCallback: ConsentCallback | undefined;
  readonly pages: Pages;
  readonly management: Management | undefined;
  readonly portal: Portal | undefined;
}

const WELL_KNOWN = /^\/\.well-known\/(oauth-authorization-server|openid-configuration)\/([a-z][a-z0-9-]*)$/;

/** `/{bank}/…` to the room that owns the rest of the path at this door; RFC 8414 §3.1 puts the bank behind `.well-known`. */
export function route(
  parts: Edges,
  door: DoorKind,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> | void {
  const { id, path } = addressOf(request.url ?? '/');
  const edge = parts.edges.get(id);
  if (edge === undefined || (door === 'plain' && edge.settings.profile !== 'baseline')) {
    answerError(response, 404, 'not_found', 'there is nothing at this address: paths begin with the id of a bank');
    return;
  }
  if (
    door === 'issuer' &&
    (path.startsWith('/interaction/') || path.startsWith('/assets/')) &&
    parts.pages !== undefined
  ) {
    const { pages } = parts;
    const prepared = edge.authorization?.prepare(request, path, door) ?? Promise.resolve();
    return prepared.then(() => pages.handle(request, response, id, path));
  }
  if (door === 'mtls' && parts.consentCallback?.owns(path) === true) {
    return parts.consentCallback.handle(request, response, id);
  }
  if (edge.authorization?.owns(path, door) === true) {
    return edge.authorization.handle(request, response, path, door);
  }
  if (door !== 'issuer' && parts.gateway !== undefined) {
    return parts.gateway.handle(request, response, id, path, door);
  }
  answerError(response, 404, 'not_found', 'this process does not serve this path');
}

/** Bank and the rest of the path; what is no bank's id finds no bank. */
function addressOf(url: string): { readonly id: string; readonly path: string } {
  const [, document, bank] = url.startsWith('/.well-known/') ? (WELL_KNOWN.exec(url) ?? []) : [];
  if (bank !== undefined) return { id: bank, path: `/.well-known/${document}` };
  const end = url.indexOf('/', 1);
  return end === -1 ? { id: url.slice(1), path: '/' } : { id: url.slice(1, end), path: url.slice(end) };
}

/** An answer of no room: JSON with a trace id, as the gateway gives it. */
export function answerError(response: ServerResponse, status: number, reason: string, message: string): void {
  const traceId = uuid();
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-fapi-interaction-id': traceId,
  });
  response.end(JSON.stringify({ error: { reason, message, traceId } }));
}

/** Ready means: the database answers, every migration is applied, every bank's keys are loaded. */
