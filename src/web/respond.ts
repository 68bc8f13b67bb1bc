import { type Frame, layout, type PageContent } from './layout.ts';
import { pageHeaders } from './page-headers.ts';
import type { PageVisit } from './visit.ts';

/** What is answered. */
type Exchange = Pick<PageVisit, 'request' | 'response'>;

/** Answers with a page; `formTargets` are the origins its forms may lead to beside our own. */
export function respond(
  visit: Frame & Exchange,
  status: number,
  content: PageContent,
  formTargets: readonly string[] = [],
): void {
  const { response, request } = visit;
  const text = layout(visit, content).toString();
  response.statusCode = status;
  for (const [name, value] of Object.entries(pageHeaders(visit.language, formTargets))) response.setHeader(name, value);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Sends the browser on with GET, whatever it came with: 303, never kept (N-223). */
export function redirect({ response }: Pick<Exchange, 'response'>, location: string): void {
  response.statusCode = 303;
  response.setHeader('Location', location);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Content-Length', 0);
  response.end();
}
