import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { loadavg } from 'node:os';
import { gatewayTargets, startBareProxy } from './gateway.ts';
import { measure } from './measure.ts';
import { run } from './processes.ts';
import { type Section, verdict } from './report.ts';
import type { Bench } from './sections.ts';
import { summarise } from './statistics.ts';
import type { ListCosts, TrustCosts } from './trust-parts.ts';
import type { World } from './world.ts';

/** A figure to compare with, not a comparison of its own: short. */
const GATEWAY_EFFORT = { rounds: 5, sliceMs: 1_000, warmMs: 3_000 };
/** Of a gateway request's CPU, at most this for a verdict at hand. */
const PERCENT = 5;

/** Verdicts over certificates, cold and at hand, and a list of a million entries. */
export async function trustSection({ world }: Bench): Promise<Section> {
  const load = loadNow();
  const costs: TrustCosts = JSON.parse(await run('measured', 'trust-parts.ts', ['verdicts']));
  const list = await measureList(world);
  const request = await gatewayRequest(world);
  return {
    title: 'Trust: verdicts over certificates',
    load: `${load} before, ${loadNow()} after`,
    lines: [
      'Chains of three certificates with P-256 keys (root, issuing authority, participant); every participant certificate is met for',
      'the first time where nothing else is said, and revocation is not asked. The library is `@peculiar/x509`, whose',
      '`X509ChainBuilder` verifies signatures and chains names; it judges no validity, purpose, path length or constraint.',
      '',
      ...tableOf(costs),
      '',
      verdict(
        'a verdict at hand, percent of the CPU of a gateway request',
        (costs.asked / request) * 100,
        PERCENT,
        false,
      ),
      `  (${costs.asked.toFixed(1)} µs of ${request.toFixed(0)} µs, gateway with JWT in the same run)`,
      '',
      ...listLines(list),
    ],
  };
}

function tableOf({ alone, naive, library, cold, judged, asked }: TrustCosts): readonly string[] {
  const rows: readonly (readonly [string, number])[] = [
    ['`new X509Certificate` of the leaf and its fingerprint, no verdict', alone],
    ['`X509Certificate` of all three, `checkIssued` and `verify` up to the root, no verdict', naive],
    ['`@peculiar/x509`: path built, no verdict', library],
    ['full verdict, cold: strict parse, path, signatures, validity, purpose', cold],
    ['full verdict, at hand, for a chain', judged],
    ['full verdict, at hand, as the gateway asks for it: for a request', asked],
  ];
  return [
    '| Work | CPU µs | ratio |',
    '|---|---|---|',
    ...rows.map(([name, cost]) => `| ${name} | ${cost.toFixed(1)} | ${(cost / alone).toFixed(2)} |`),
  ];
}

function listLines(list: ListCosts): readonly string[] {
  const mebibytes = (list.octets / 1024 / 1024).toFixed(1);
  return [
    `A list of ${list.entries.toLocaleString('en')} entries (${mebibytes} MiB), fetched over HTTP, verified and indexed:`,
    `${list.milliseconds.toFixed(0)} ms until the first verdict, other work waited ${list.stallMilliseconds.toFixed(0)} ms at most. Resident memory of the`,
    `process: ${list.before} MiB before, ${list.peak} MiB at its highest, ${list.after} MiB with the list at hand. The next certificate is judged by it in`,
    `${list.another.toFixed(0)} µs. Lists above 32 MiB are refused, and all lists together hold 256 MiB at most.`,
  ];
}

async function measureList(world: World): Promise<ListCosts> {
  const places = ['trust-root.pem', 'trust-one.pem', 'trust-two.pem', 'trust.crl'].map(world.at);
  const file = places.at(-1) ?? '';
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/pkix-crl' });
    createReadStream(file).pipe(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await run('around', 'trust-parts.ts', ['write', `http://127.0.0.1:${port}/trust.crl`, ...places]);
    const found: Omit<ListCosts, 'octets'> = JSON.parse(
      await run('measured', 'trust-parts.ts', ['list', ...places.slice(0, 3)]),
    );
    return { ...found, octets: statSync(file).size };
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** CPU of one request through the gateway with every check on, in microseconds. */
async function gatewayRequest(world: World): Promise<number> {
  const bare = await startBareProxy(world);
  try {
    const all = await gatewayTargets(world, bare, undefined);
    const target = all.find(({ name }) => name.includes('JWT'));
    if (target === undefined) throw new Error('no gateway with JWT');
    return summarise(await measure(world, 'trust', [target], GATEWAY_EFFORT), target.name).cpuEach;
  } finally {
    await bare.running.stop();
  }
}

function loadNow(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
