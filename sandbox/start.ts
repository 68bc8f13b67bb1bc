import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuthority } from './authority/authority.ts';
import { readable, writePublic } from './authority/files.ts';
import { openRegister } from './authority/register.ts';
import { openStatusService, type StatusService } from './authority/status/server.ts';
import { remoteKeys } from './bank/facts.ts';
import { type OpenBank, openBank } from './bank/server.ts';
import { openBankTrail } from './bank/trail.ts';
import {
  addressesOf,
  corePortOf,
  ownPorts,
  type Ports,
  platformConfiguration,
  type SandboxBank,
  sandboxBanks,
} from './configuration.ts';
import { openDemoStore } from './consent-store/demo-store.ts';
import { findClash } from './doors.ts';
import { ownPlaces, type Places } from './places.ts';
import { startPlatform } from './platform-process.ts';
import { findProcesses, forgetProcesses, noteProcesses, stopProcess } from './process-book.ts';
import { startPage } from './start-page.ts';
import { type Bank, readBanks } from './tpp/financroo/bank-list.ts';
import { type Financroo, openFinancroo } from './tpp/financroo/financroo.ts';
import { keepLabClients } from './tpp/lab-clients.ts';
import { keepRegistrations } from './tpp/registrations.ts';

/** A sandbox that is ready. */
export interface Sandbox {
  /** Resolves when the platform has ended by itself. */
  readonly ended: Promise<void>;
  /** What happened at the start that somebody should know. */
  readonly notes: readonly string[];
  stop(): Promise<void>;
}

/** Creates what is missing, opens everything and waits until it is ready. @throws Error that names the failing component */
export async function startSandbox(places: Places, ports: Ports, now = new Date()): Promise<Sandbox> {
  await refuseSecond(places);
  await refuseClash(ports);
  const { financroo, status } = addressesOf(ports);
  const connectable = await readBanks(addressesOf(ports)).catch((cause: unknown) => blame('Financroo', cause));
  const { renewed } = await openRegister(
    places,
    sandboxBanks.map((bank) => bank.id),
    now,
    `${financroo}/callback`,
    status,
  ).catch((cause: unknown) => blame('test authority', cause));
  await writePublic(places.configuration, readable(platformConfiguration(ports, places)));
  const services: { close(): Promise<void> }[] = [];
  const closeServices = () => Promise.all(services.map((service) => service.close()));
  const stops: (() => Promise<unknown>)[] = [closeServices, () => forgetProcesses(places)];
  const stop = async () => {
    for (const step of stops.splice(0)) await step();
  };
  try {
    services.push(await openStatus(places, ports, now).catch((cause: unknown) => blame('test authority', cause)));
    for (const bank of sandboxBanks) {
      services.push(await openCore(bank, places, ports).catch((cause: unknown) => blame(bank.name, cause)));
    }
    for (const [bank, port] of Object.entries(ports.consentStores)) {
      const options = { bank, port, platform: addressesOf(ports).mtls, places, now };
      services.push(await openDemoStore(options).catch((cause: unknown) => blame(`consent store of ${bank}`, cause)));
    }
    const platform = startPlatform(places);
    stops.unshift(() => platform.stop());
    await noteProcesses(places, { start: process.pid, platform: platform.pid });
    await platform.ready(addressesOf(ports).operators);
    const notes = [...renewed.map(renewalNote), ...(await keepRegistrations(places, addressesOf(ports).mtls))];
    await keepLabClients(places, addressesOf(ports).plain).catch((cause: unknown) => blame('lab clients', cause));
    const demo = await openDemo(places, ports, connectable).catch((cause: unknown) => blame('Financroo', cause));
    stops.unshift(() => demo.close());
    return { ended: platform.ended, notes, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** Two sandboxes in one directory would write over each other; a platform without its start is left over and ended. */
async function refuseSecond(places: Places): Promise<void> {
  const { start, platform } = await findProcesses(places);
  if (start !== undefined && start !== process.pid) {
    throw new Error(`the sandbox runs already (process ${start}): stop it first, or open what it opened`);
  }
  if (platform !== undefined) await stopProcess(platform);
}

async function refuseClash(ports: Ports): Promise<void> {
  const clash = await findClash(ports);
  if (clash === undefined) return;
  throw new Error(
    `port ${clash.port} (${clash.purpose}) is taken: stop what uses it, or move every port with PORTCULLIS_SANDBOX_PORT_OFFSET=1000 npm start`,
  );
}

async function openCore(bank: SandboxBank, places: Places, ports: Ports): Promise<OpenBank> {
  const directory = join(places.banks, bank.id);
  const issuer = `${addressesOf(ports).issuer}/${bank.id}`;
  const [certificate, key, authority, root] = await Promise.all([
    readFile(join(directory, 'server.pem'), 'utf8'),
    readFile(join(directory, 'server.key'), 'utf8'),
    readFile(join(places.authority, 'internal.pem'), 'utf8'),
    readFile(join(places.authority, 'root.pem'), 'utf8'),
  ]);
  return openBank({
    id: bank.id,
    host: 'localhost',
    port: corePortOf(ports, bank),
    certificate,
    key,
    authority,
    issuer,
    keys: remoteKeys(`${issuer}/jwks`, root),
    paymentsFile: join(directory, 'payments.json'),
  });
}

/** The test authority's answers about certificates: before the platform, which asks them. */
async function openStatus(places: Places, ports: Ports, now: Date): Promise<StatusService> {
  const authority = await openAuthority(places.authority, now);
  return openStatusService({ directory: places.authority, authority, port: ports.status });
}

/** The demo third party; a bank that does not answer is its own affair, but its registrations come before anybody else's. */
async function openDemo(places: Places, ports: Ports, banks: readonly Bank[]): Promise<Financroo> {
  const { issuer, management } = addressesOf(ports);
  const trail = openBankTrail({ places, banks: sandboxBanks.map(({ id }) => id), issuer, management });
  const demo = await openFinancroo({ places, port: ports.financroo, banks, say: () => undefined, trail });
  await demo.tried;
  return demo;
}

function renewalNote(participant: string): string {
  return `the certificates of ${participant} ran out, or named another place to ask for their status, and were renewed; its keys stay`;
}

function blame(component: string, cause: unknown): never {
  throw new Error(`${component}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

/** Starts, prints the start page, and stops in order when asked. */
async function main(): Promise<void> {
  const [places, ports] = [ownPlaces(), ownPorts()];
  const began = Date.now();
  let asked = false;
  let interrupt = () => {
    asked = true;
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt());
  const sandbox = await startSandbox(places, ports);
  const stopped = new Promise<'asked'>((resolve) => {
    interrupt = () => resolve('asked');
    if (asked) interrupt();
  });
  console.log(await startPage(places, ports, Date.now() - began, sandbox.notes));
  const why = await Promise.race([stopped, sandbox.ended.then(() => 'ended' as const)]);
  await sandbox.stop();
  if (why === 'asked') return;
  console.error(`the platform ended by itself: see ${join(places.sandbox, 'portcullis.log')}`);
  process.exitCode = 1;
}

if (import.meta.main) {
  try {
    await main();
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exitCode = 1;
  }
}
