import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Ports } from '../../sandbox/configuration.ts';
import { type Places, placesOf } from '../../sandbox/places.ts';
import { platformCommand } from '../../sandbox/platform-command.ts';
import { startSandbox } from '../../sandbox/start.ts';
import { freeSandboxPorts } from './ports.ts';

/** The whole sandbox, as `npm start` opens it, on ports and a directory of its own. */
export interface TestSandbox {
  readonly places: Places;
  readonly ports: Ports;
  readonly rootPem: string;
  /** A command of the platform, as an operator runs it. @throws Error when it fails */
  command(...words: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it below a directory. */
export async function openTestSandbox(root: string): Promise<TestSandbox> {
  const places = placesOf(join(root, 'var'));
  const ports = await freeSandboxPorts();
  await placeDatabase(places.database);
  const sandbox = await startSandbox(places, ports);
  return {
    places,
    ports,
    rootPem: await readFile(join(places.authority, 'root.pem'), 'utf8'),
    command: async (...words) => {
      const told = await platformCommand(places, words);
      if (told.status !== 0) throw new Error(`${words.join(' ')}: ${told.output} ${told.problem}`);
      return told.output;
    },
    stop: () => sandbox.stop(),
  };
}

/** Puts a migrated database where the platform will look for its own, which would take it long to make; `sandbox.test.ts` lets it. */
async function placeDatabase(directory: string): Promise<void> {
  const template = process.env.PORTCULLIS_TEST_PGLITE_TEMPLATE;
  if (template === undefined) return;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await promisify(execFile)('tar', ['-xf', template, '-C', directory]);
}
