import { createServer } from 'node:https';
import type { Authority } from './certificates.ts';

/** The competent authority's register as a service, over mutual TLS; tests change what it says as they go. */
export interface RegisterService {
  readonly url: string;
  /** Entries by number, as the answer's members beside whom it is about; absent: unknown. */
  readonly entries: Map<string, Readonly<Record<string, unknown>>>;
  /** Numbers asked about, in order. */
  readonly asked: string[];
  /** Answers nothing but 500. */
  broken: boolean;
  close(): Promise<void>;
}

/** Starts it with certificates of `authority`; only callers with one of those get an answer. */
export async function startRegisterService(authority: Authority): Promise<RegisterService> {
  const { chainPem: cert, keyPem: key } = authority.issueServer();
  const entries: RegisterService['entries'] = new Map();
  const asked: string[] = [];
  const tls = { cert, key, ca: authority.certificatePem, requestCert: true, rejectUnauthorized: true };
  const server = createServer(tls, (request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'https://register.example');
    const about = Object.fromEntries(searchParams);
    asked.push(about.number ?? '');
    const answer = { ...about, status: 'unknown', ...entries.get(about.number ?? '') };
    const headers = { 'content-type': 'application/json', 'x-request-id': request.headers['x-request-id'] ?? '' };
    response.writeHead(service.broken ? 500 : 200, headers).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const service: RegisterService = {
    url: `https://localhost:${port}/authorisations`,
    entries,
    asked,
    broken: false,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return service;
}
