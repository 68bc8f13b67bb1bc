import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { endWithUs } from './processes.ts';
import type { Section } from './report.ts';

/** A CPU profile as V8 writes it. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** Microseconds between samples. */
  readonly timeDeltas: readonly number[];
}

/** The first match names the place; what starts a process is not what serves a request, and is left out. */
const PLACES: readonly (readonly [string, RegExp])[] = [
  ['', /^\((?:idle|root)\) |node:internal\/(?:modules|bootstrap|deps\/(?:amaro|cjs)|main)|\/ajv\/|\/typebox\//],
  ['writing to sockets: TLS and the kernel', /^(?:writev|write\w+String|writeBuffer) /],
  ['garbage collection', /^\(garbage collector\) /],
  ['the rest of Node, in C++', /^\(program\) /],
  ['gateway: checks, facts, forwarding', /\/src\/gateway\//],
  ['audit: records, chain, groups', /\/src\/audit\//],
  ['hashes and signatures', /node:internal\/crypto\//],
  ['the driver of PostgreSQL', /node_modules\/pg/],
  ['rooms that the checks ask', /\/src\/(?:trust|tokens|directory|consent|vault|regimes)\//],
  ['doors, routes, metrics, forwarder', /\/src\/(?:main|platform)\//],
  ['undici', /node_modules\/undici\/|wasm/],
  ['the proxy itself', /bare-proxy/],
  ['Node: HTTP', /node:_http/],
  ['Node: TLS, sockets, streams', /node:(?:net|tls|internal\/(?:tls|streams|stream_base|net))/],
];
const REST = 'everything else';

/** Where the gateway and the bare proxy spend their time, from a run of its own with the profiler on. */
export async function profileSection(): Promise<Section> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-profile-'));
  try {
    await runWithProfiler(directory);
    const [gateway, bare] = await Promise.all([
      sharesIn(join(directory, 'platform.cpuprofile')),
      sharesIn(join(directory, 'bare-proxy.cpuprofile')),
    ]);
    const names = [...PLACES.map(([name]) => name), REST].filter((name) => name !== '');
    const cell = (shares: ReadonlyMap<string, number>, name: string): string =>
      `${((shares.get(name) ?? 0) * 100).toFixed(1)} %`;
    return {
      title: 'Profile: where the time goes',
      load: loadavg()
        .map((value) => value.toFixed(1))
        .join(' '),
      lines: [
        'Shares of the time each process was busy, from a run of the first section with V8’s profiler on. A request costs the gateway',
        'more than the bare proxy (the CPU column of the first section says how much): compare what each share comes to.',
        '',
        '| Place | gateway | bare proxy |',
        '|---|---|---|',
        ...names.map((name) => `| ${name} | ${cell(gateway, name)} | ${cell(bare, name)} |`),
      ],
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runWithProfiler(directory: string): Promise<void> {
  const words = [new URL('run.ts', import.meta.url).pathname, '--only', 'gateway', '--quick'];
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PORTCULLIS_BENCH_PROFILE: directory },
  });
  endWithUs(child);
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`the run with the profiler ended with ${status}`);
}

async function sharesIn(path: string): Promise<ReadonlyMap<string, number>> {
  const { nodes, samples, timeDeltas }: Profile = JSON.parse(await readFile(path, 'utf8'));
  const places = new Map(nodes.map(({ id, callFrame }) => [id, placeOf(`${callFrame.functionName} ${callFrame.url}`)]));
  const times = new Map<string, number>();
  let busy = 0;
  for (const [index, node] of samples.entries()) {
    const place = places.get(node) ?? REST;
    const spent = timeDeltas[index] ?? 0;
    if (place === '') continue;
    busy += spent;
    times.set(place, (times.get(place) ?? 0) + spent);
  }
  return new Map([...times].map(([place, time]) => [place, time / busy]));
}

function placeOf(frame: string): string {
  return PLACES.find(([, pattern]) => pattern.test(frame))?.[0] ?? REST;
}
