import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { freePort } from './ports.ts';
import { type Running, start } from './processes.ts';
import type { World } from './world.ts';

/** HAProxy on one thread, as it would stand in our place. */
export interface BenchHaproxy {
  readonly version: string;
  readonly port: number;
  readonly running: Running;
}

/**
 * What HAProxy can check of what the gateway checks: client certificate, signature, algorithm, issuer, audience and end of the
 * token, and that the certificate is the one it is bound to. It knows no participant, no consent, no revoked token, no trail.
 */
function configurationOf(world: World, port: number): string {
  const upstream = new URL(world.upstreamOrigin).host;
  return `global
  nbthread 1
  maxconn 2000
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  timeout http-keep-alive 300s
  http-reuse always
frontend door
  bind 127.0.0.1:${port} ssl crt ${world.at('server-both.pem')} ca-file ${world.at('root.pem')} verify required no-tls-tickets alpn http/1.1
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')
  http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.bound) var(txn.bearer),jwt_payload_query('$.cnf.x5t#S256')
  http-request set-var(txn.presented) ssl_c_der,sha2(256),ub64enc
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.alg) -m str ES256 }
  http-request deny deny_status 401 unless { var(txn.iss) -m str ${world.issuer('jwt')} }
  http-request deny deny_status 401 unless { var(txn.aud) -m str ${world.audience('jwt')} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"${world.tokenKey}") 1 }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 unless { var(txn.bound),strcmp(txn.presented) eq 0 }
  default_backend bank
backend bank
  server bank ${upstream} ssl crt ${world.at('gateway-both.pem')} ca-file ${world.at('root.pem')} verify required sni str(localhost) verifyhost localhost
`;
}

/** Starts it; undefined when it is not installed. */
export async function startHaproxy(world: World): Promise<BenchHaproxy | undefined> {
  const asked = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  if (asked.status !== 0) return undefined;
  const version = /version (\S+)/.exec(asked.stdout)?.[1] ?? 'unknown';
  const port = await freePort();
  const file = world.at('haproxy.cfg');
  await writeFile(file, configurationOf(world, port));
  const running = await start({
    name: 'haproxy',
    place: 'measured',
    command: 'haproxy',
    words: ['-db', '-q', '-f', file],
    isReady: () => answers(port),
  });
  return { version, port, running };
}

function answers(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection({ host: '127.0.0.1', port }, () => resolve(true));
  socket.once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}
