import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { Pool } from 'undici';

/** The baseline: `node:https` with client certificates and `undici` dispatch, and nothing between the two. */
const [certificate = '', key = '', root = '', ownCertificate = '', ownKey = '', upstream = ''] = process.argv.slice(2);
const ca = readFileSync(root, 'utf8');
const pool = new Pool(upstream, {
  allowH2: false,
  connections: 128,
  connect: { ca, cert: readFileSync(ownCertificate, 'utf8'), key: readFileSync(ownKey, 'utf8') },
});
const server = createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    keepAliveTimeout: 60_000,
  },
  proxy,
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`ready ${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.once('SIGTERM', () => process.exit(0));

function proxy(request: IncomingMessage, response: ServerResponse): void {
  const { host: _host, connection: _connection, ...headers } = request.headers;
  pool.dispatch(
    { path: request.url ?? '/', method: 'GET', headers },
    {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status, fields) => void response.writeHead(status, fields),
      onResponseData: (controller, chunk) => {
        if (response.write(chunk)) return;
        controller.pause();
        response.once('drain', () => controller.resume());
      },
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    },
  );
}
