import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createAudit } from '../src/audit/index.ts';
import { systemClock } from '../src/platform/clock.ts';
import { migrate, readMigrations } from '../src/platform/migrate.ts';
import { openPostgres } from '../src/platform/postgres.ts';
import { createTrust } from '../src/trust/index.ts';

/** Parts alone, in this process: microseconds each, the median of several turns. Arguments: root, a participant's certificate, database. */
const [rootFile = '', certificateFile = '', url = ''] = process.argv.slice(2);
const TURNS = 15;
const EACH = 400;
const RECORDS = 5_000;

const root = readFileSync(rootFile, 'utf8');
const der = new X509Certificate(readFileSync(certificateFile)).raw;
const trust = createTrust({
  clock: systemClock,
  schemes: new Map([['bank', { anchors: [root], extendedKeyUsages: ['clientAuth'], revocation: 'off' }]]),
});

const alone = await timed(() => Promise.resolve(new X509Certificate(der).fingerprint256));
const cold = await timed(() => {
  trust.forget();
  return trust.judge([der], 'bank');
});
const remembered = await timed(() => trust.judge([der], 'bank'));

const database = await openPostgres(url);
await migrate(database, await readMigrations(new URL('../migrations/', import.meta.url).pathname));
const audit = await createAudit({ database, clock: systemClock });
const event = {
  family: 'gateway',
  action: 'request.forwarded',
  outcome: 'allowed',
  bank: 'bank',
  participant: 'party',
  client: 'client',
  consent: 'consent',
  interaction: '00000000-0000-4000-8000-000000000000',
  facts: { route: 'GET /accounts', method: 'GET', status: 200, milliseconds: 1.5, door: 'mtls' },
} as const;
const grouped = await timed(async () => {
  for (let index = 0; index < RECORDS; index += 1) audit.enqueue(event);
  await audit.flush();
}, 1);
const single = await timed(() => database.transaction((statements) => audit.record(statements, event)), 100);
await audit.close();
await database.close();
process.stdout.write(JSON.stringify({ alone, cold, remembered, grouped: grouped / RECORDS, single }));

async function timed(work: () => Promise<unknown>, each = EACH): Promise<number> {
  const turns: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    const started = performance.now();
    for (let index = 0; index < each; index += 1) await work();
    turns.push(((performance.now() - started) * 1_000) / each);
  }
  return turns.toSorted((a, b) => a - b)[Math.floor(TURNS / 2)] ?? 0;
}
