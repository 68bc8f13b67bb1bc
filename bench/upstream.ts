import { readFileSync } from 'node:fs';
import { createServer, type TLSSocket } from 'node:tls';

/** The bank behind every target: mutual TLS, one kilobyte of JSON, as cheap as can be, so that it is never what is measured. */
const [certificate = '', key = '', root = ''] = process.argv.slice(2);
const END = '\r\n\r\n';
const BODY = JSON.stringify({ accounts: [{ id: 'account-1', description: 'x'.repeat(960) }] });
const ANSWER = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
);

const server = createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(root),
    requestCert: true,
    rejectUnauthorized: true,
  },
  serve,
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`ready ${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});
process.once('SIGTERM', () => process.exit(0));

function serve(socket: TLSSocket): void {
  let rest = '';
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    rest += chunk.toString('latin1');
    for (let end = rest.indexOf(END); end !== -1; end = rest.indexOf(END)) {
      rest = rest.slice(end + END.length);
      socket.write(ANSWER);
    }
  });
}
