import { loadavg } from 'node:os';
import { gatewayTargets, startBareProxy } from './gateway.ts';
import type { BenchHaproxy } from './haproxy.ts';
import { type Effort, measure } from './measure.ts';
import { run } from './processes.ts';
import { profileSection } from './profile.ts';
import { comparisonTable, memoryLine, type Parts, partsTable, type Section, sizesTable, verdict } from './report.ts';
import { CROWD, measureMemory, measureSizes, SIZES } from './scale.ts';
import { compare } from './statistics.ts';
import { startBareProvider, tokenTargetName, tokenTargets } from './token-endpoint.ts';
import { trustSection } from './trust.ts';
import type { Method, World } from './world.ts';

/** What a section needs; `quick` shortens where size is the cost. */
export interface Bench {
  readonly world: World;
  readonly haproxy: BenchHaproxy | undefined;
  readonly effort: Effort;
  readonly quick: boolean;
}

/** The sections by the name that `--only` takes. */
export const SECTIONS: ReadonlyMap<string, (bench: Bench) => Promise<Section>> = new Map([
  ['gateway', gateway],
  ['tokens', tokenEndpoint],
  ['sizes', sizes],
  ['parts', parts],
  ['trust', trustSection],
  ['profile', profileSection],
]);

const BARE = 'bare proxy';

async function gateway({ world, haproxy, effort }: Bench): Promise<Section> {
  const bare = await startBareProxy(world);
  const load = loadNow();
  const targets = await gatewayTargets(world, bare, haproxy);
  const slices = await measure(world, 'gateway', targets, effort);
  await bare.running.stop();
  const rows = targets.map(({ name }) => compare(slices, name, BARE));
  const own = rows.filter(({ summary }) => summary.target.startsWith('gateway'));
  const rival = targets.at(-1)?.name ?? '';
  const against = haproxy === undefined ? [] : [compare(slices, 'gateway, JWT', rival)];
  return {
    title: 'Gateway: every check on, against a bare proxy and HAProxy',
    load: `${load} before, ${loadNow()} after`,
    lines: [
      'The baseline is `node:https` with client certificates and `undici` dispatch, and nothing between the two. The gateway does all',
      'its checks (certificate, token, binding, participant, role, audience, scope, kind, rate limit, consent), signs the facts for the',
      'bank and writes its hash-chained audit record to PostgreSQL. HAProxy, on one thread, checks client certificate, `jwt_verify`,',
      'issuer, audience, end and `x5t#S256`; it knows no participant, no consent, no revoked token and keeps no trail.',
      '256 tokens in rotation over 64 connections.',
      '',
      ...comparisonTable(rows),
      '',
      ...own.flatMap(({ summary, throughput, p99 }) => [
        verdict(`${summary.target}, throughput against the bare proxy`, throughput, 0.85, true),
        verdict(`${summary.target}, p99 against the bare proxy`, p99, 1.5, false),
      ]),
      ...against.flatMap(({ throughput, cpu }) => [
        verdict('gateway, JWT, throughput against HAProxy', throughput, 1, true),
        `- gateway, JWT, CPU a request against HAProxy: **${cpu.toFixed(2)}**.`,
      ]),
    ],
  };
}

const METHODS: readonly Method[] = ['PS256', 'ES256', 'tls_client_auth'];

async function tokenEndpoint({ world, effort }: Bench): Promise<Section> {
  const load = loadNow();
  const lines: string[] = [];
  const verdicts: string[] = [];
  for (const format of ['jwt', 'opaque'] as const) {
    const bare = await startBareProvider(world, format);
    const slices = await measure(world, `tokens-${format}`, tokenTargets(world, format, bare, METHODS), effort);
    await bare.running.stop();
    const rows = METHODS.flatMap((method) => {
      const baseline = tokenTargetName(method, format, 'bare');
      const own = compare(slices, tokenTargetName(method, format, 'platform'), baseline);
      verdicts.push(verdict(`${method}, ${format}: throughput against the bare engine`, own.throughput, 0.75, true));
      return [compare(slices, baseline, baseline), own];
    });
    lines.push(...comparisonTable(rows), '');
  }
  return {
    title: 'Token endpoint: client credentials, against the engine alone',
    load: `${load} before, ${loadNow()} after`,
    lines: [
      'The baseline is `oidc-provider` with everything in memory, the same clients and the same kinds of keys. The platform keeps each',
      'token and its audit record in PostgreSQL before it hands it out, remembers each assertion there, and judges certificate and',
      'relation on every request. 64 connections; assertions are signed beforehand.',
      '',
      ...lines,
      ...verdicts,
    ],
  };
}

async function sizes({ world, effort, quick }: Bench): Promise<Section> {
  const bare = await startBareProxy(world);
  const load = loadNow();
  const found = await measureSizes(world, bare, effort, quick ? SIZES.slice(0, 1) : SIZES);
  await bare.running.stop();
  const coldest = found.at(-1)?.cold.summary.perSecond ?? 1_000;
  const memory = await measureMemory(world, coldest, quick ? 5_000 : undefined);
  return {
    title: 'Size: consents and participants in the database',
    load: `${load} before, ${loadNow()} after`,
    lines: [
      `${CROWD.toLocaleString('en')} participants with a client and a certificate each. "Look-up" is the built-in store past every cache, one`,
      'after the other. "At hand" are requests whose token and consent are remembered; "first use" are requests with tokens never seen',
      'before, so that token and consent are read from the database. Ratios are to the bare proxy in the same minutes.',
      '',
      ...sizesTable(found),
      '',
      memoryLine(memory),
    ],
  };
}

async function parts({ world }: Bench): Promise<Section> {
  const load = loadNow();
  const [party] = world.parties;
  if (party === undefined) throw new Error('there is no party');
  const certificate = await world.write('party.pem', party.identity.certificate);
  const printed = await run('measured', 'parts.ts', [world.at('root.pem'), certificate, world.postgres.url]);
  const found: Parts = JSON.parse(printed);
  return { title: 'Parts alone', load: `${load} before, ${loadNow()} after`, lines: partsTable(found) };
}

function loadNow(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}
