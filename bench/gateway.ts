import { randomUUID } from 'node:crypto';
import type { BenchHaproxy } from './haproxy.ts';
import { type Running, startOwn } from './processes.ts';
import type { Caller, Target } from './scenario.ts';
import { BANKS, type Format, type Party, type World } from './world.ts';

/** Tokens each connection uses in turn: together 256, all at hand after the first round, and read again every 30 s as ever. */
const TOKENS_PER_PARTY = 4;

/** A bare proxy before the same upstream. */
export async function startBareProxy(world: World): Promise<{ readonly running: Running; readonly port: number }> {
  const files = ['server.pem', 'server.key', 'root.pem', 'gateway.pem', 'gateway.key'].map(world.at);
  const running = await startOwn('bare-proxy', 'measured', 'bare-proxy.ts', [...files, world.upstreamOrigin]);
  return { running, port: Number(running.ready.split(' ')[1]) };
}

/** An API request as a participant sends it. */
export function apiRequest(world: World, format: Format, token: string): string {
  return [
    `GET /${BANKS[format]}/accounts HTTP/1.1`,
    `host: localhost:${world.port}`,
    `authorization: Bearer ${token}`,
    'accept: application/json',
    `x-fapi-interaction-id: ${randomUUID()}`,
    'user-agent: portcullis-bench',
    '',
    '',
  ].join('\r\n');
}

/** One connection a party, each with tokens of its own. */
export async function apiCallers(
  world: World,
  format: Format,
  parties: readonly Party[],
  tokensEach = TOKENS_PER_PARTY,
): Promise<readonly Caller[]> {
  const callers: Caller[] = [];
  for (const party of parties) {
    const tokens = await world.grant(format, party, tokensEach);
    callers.push({
      certificate: party.identity.certificate,
      key: party.identity.key,
      requests: tokens.map((token) => apiRequest(world, format, token)),
    });
  }
  return callers;
}

/** The servers of the gateway's comparison: each meets the same requests over the same number of connections. */
export async function gatewayTargets(
  world: World,
  bare: { readonly running: Running; readonly port: number },
  haproxy: BenchHaproxy | undefined,
): Promise<readonly Target[]> {
  const opaque = await apiCallers(world, 'opaque', world.parties);
  const jwt = await apiCallers(world, 'jwt', world.parties);
  const { pid } = world.platform;
  return [
    { name: 'bare proxy', port: bare.port, pid: bare.running.pid, callers: jwt },
    { name: 'gateway, opaque tokens', port: world.port, pid, callers: opaque },
    { name: 'gateway, JWT', port: world.port, pid, callers: jwt },
    ...(haproxy === undefined
      ? []
      : [{ name: `HAProxy ${haproxy.version}`, port: haproxy.port, pid: haproxy.running.pid, callers: jwt }]),
  ];
}
