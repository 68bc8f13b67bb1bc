#!/usr/bin/env node
// Runs one of the project's TypeScript programs: `node bin/run.mjs test/run.ts …`. Plain JavaScript, so that an old Node can
// still read it: it installs what is missing, finds a Node that is new enough, and hands over.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Type stripping is stable from here on. */
const NEEDED = [24, 12];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function isInstalled() {
  const installed = join(ROOT, 'node_modules', '.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

/** `npm ci` installs exactly what the lock file names and leaves it as it is. */
function install() {
  const packages = lstatSync(join(ROOT, 'node_modules'), { throwIfNoEntry: false });
  if (packages?.isSymbolicLink()) {
    fail('node_modules is a link, and npm would empty what it leads to: run `npm ci` there, or remove the link.');
  }
  process.stderr.write('installing packages …\n');
  const npm = process.env.npm_execpath;
  const viaNode = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const words = ['ci', '--loglevel=error', '--no-audit', '--no-fund', '--no-progress'];
  const options = { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] };
  const { status } = viaNode ? spawnSync(process.execPath, [npm, ...words], options) : spawnSync('npm', words, options);
  if (status !== 0) fail('The packages could not be installed: run `npm ci` to see why.');
}

function isNewEnough() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

function findNode() {
  if (isNewEnough()) return process.execPath;
  const packaged = join(ROOT, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged) && spawnSync(packaged, ['--version']).status === 0) return packaged;
  return fail(
    `Portcullis needs Node ${NEEDED.join('.')} or later and this is ${process.version}: install Node ${NEEDED[0]} LTS from https://nodejs.org and try again.`,
  );
}

const [program, ...words] = process.argv.slice(2);
if (program === undefined) fail('Name the program to run: node bin/run.mjs test/run.ts');
if (!isInstalled()) install();

const child = spawn(findNode(), [join(ROOT, program), ...words], { stdio: 'inherit' });
for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail(`Node could not be started: ${error.message}`));
child.on('exit', (status, signal) => {
  if (signal === null) process.exit(status);
  for (const handled of SIGNALS) process.removeAllListeners(handled);
  process.kill(process.pid, signal);
});
