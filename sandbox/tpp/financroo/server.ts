import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { App } from './app.ts';
import { problemPage } from './layout.ts';
import { answer } from './routes.ts';
import { cookieOf, type Reply, readForm } from './visit.ts';

/** Where Financroo listens, and with what. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
}

/** Times after which a silent browser is left, in milliseconds. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 15_000;
const CLOSE_MS = 2_000;

type Assets = ReadonlyMap<string, { readonly type: string; readonly text: string }>;

/** Opens Financroo's pages over TLS. */
export async function openServer(app: App, listener: Listener): Promise<() => Promise<void>> {
  const assets = await readAssets();
  const limits = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS };
  const tls = { cert: listener.certificate, key: listener.key, minVersion: 'TLSv1.2' as const };
  const server = createServer({ ...tls, ...limits }, (request, response) => {
    respond(app, assets, request, response).catch(() => response.destroy());
  });
  await listen(server, listener);
  return () => close(server);
}

async function readAssets(): Promise<Assets> {
  const own = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');
  const pico = await readFile(
    createRequire(import.meta.url).resolve('@picocss/pico/css/pico.classless.min.css'),
    'utf8',
  );
  return new Map([
    ['/assets/financroo.css', { type: 'text/css; charset=utf-8', text: `${pico}\n${await own('styles.css')}` }],
    ['/assets/copy.js', { type: 'text/javascript; charset=utf-8', text: await own('copy.js') }],
    ['/assets/financroo.svg', { type: 'image/svg+xml', text: await own('financroo.svg') }],
  ]);
}

async function respond(app: App, assets: Assets, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = await replyTo(app, assets, request).catch((cause: unknown): Reply => {
    console.error('financroo:', cause);
    return problemPage(
      app,
      undefined,
      500,
      'Something went wrong here',
      'This is a defect of Financroo, not of your bank.',
    );
  });
  response.writeHead(reply.status, { ...reply.headers, 'strict-transport-security': 'max-age=31536000' });
  response.end(reply.body);
}

async function replyTo(app: App, assets: Assets, request: IncomingMessage): Promise<Reply> {
  const { method = '', headers } = request;
  // Another name for this address is another site trying to speak for this one.
  if (headers.host !== new URL(app.origin).host)
    return problemPage(app, undefined, 421, 'Wrong name', 'Not under this name.');
  const url = URL.parse(request.url ?? '', app.origin);
  if (url === null || url.origin !== app.origin)
    return problemPage(app, undefined, 400, 'Not understood', 'No such address.');
  const asset = assets.get(url.pathname);
  if (asset !== undefined) {
    const own = { 'content-type': asset.type, 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' };
    return { status: 200, headers: own, body: asset.text };
  }
  if (method !== 'GET' && method !== 'POST')
    return problemPage(app, undefined, 405, 'Not this way', 'Only GET and POST.');
  // Browsers name the origin of every form they send.
  if (method === 'POST' && headers.origin !== app.origin) {
    return problemPage(app, undefined, 403, 'Not sent', 'This form did not come from Financroo.');
  }
  const session = app.sessions.find(cookieOf(request));
  const form = await readForm(request).catch(() => undefined);
  if (form === undefined) return problemPage(app, undefined, 413, 'Too much', 'The form is too large.');
  const found = typeof session === 'string' ? undefined : session;
  return answer(app, { method, url, form, session: found, forged: session === 'forged' });
}

function listen(server: Server, { host, port }: Listener): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), CLOSE_MS).unref();
  });
}
