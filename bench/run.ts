import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gatewayTargets, startBareProxy } from './gateway.ts';
import { startHaproxy } from './haproxy.ts';
import { measure } from './measure.ts';
import { compare } from './statistics.ts';
import { openWorld } from './world.ts';

const directory = await mkdtemp(join(tmpdir(), 'portcullis-bench-'));
const { chmod } = await import('node:fs/promises');
await chmod(directory, 0o755);
try {
  const world = await openWorld(directory, 64);
  const bare = await startBareProxy(world);
  const haproxy = await startHaproxy(world);
  const targets = (await gatewayTargets(world, bare, haproxy)).filter(({ name }) => new RegExp(process.env.ONLY ?? '.').test(name));
  console.log('load', loadavg());
  const slices = await measure(world, 'gateway', targets, {
    rounds: Number(process.env.ROUNDS ?? 4),
    sliceMs: 2500,
    warmMs: 2500,
  });
  console.log('load', loadavg());
  for (const t of targets)
    console.log(
      JSON.stringify(compare(slices, t.name, 'bare proxy'), (_k, v) =>
        typeof v === 'number' ? Math.round(v * 1000) / 1000 : v,
      ),
    );
  await bare.running.stop();
  await haproxy?.running.stop();
  await world.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
