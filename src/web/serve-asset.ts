import { Refusal } from '../platform/refusal.ts';
import type { PageSite, PageVisit } from './visit.ts';

/** The name carries the content's hash. */
const FOR_EVER = 'public, max-age=31536000, immutable';

/** Answers with a file of the pages. @throws Refusal `not_found` 404 */
export function serveAsset(
  { site, request, response }: Pick<PageVisit, 'request' | 'response'> & { readonly site: Pick<PageSite, 'assets'> },
  name: string,
): void {
  const asset = site.assets.files.get(name);
  if (asset === undefined) throw new Refusal('not_found', 404, 'There is no such file.');
  const { type, bytes, compressed } = asset;
  const accepts = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  const body = accepts && compressed !== undefined ? compressed : bytes;
  response.statusCode = 200;
  response.setHeader('Content-Type', type);
  response.setHeader('Cache-Control', FOR_EVER);
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // A picture opened by itself is a document: it may do nothing.
  response.setHeader('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  if (body === compressed) response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Length', body.byteLength);
  response.end(request.method === 'HEAD' ? undefined : body);
}
