import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, copyFile, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from './support/temporary.ts';

const LAUNCHER = join(import.meta.dirname, '..', 'bin', 'run.mjs');
const PRETEND_OLD =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})';
const PACKAGED = `node-${process.platform}-${process.arch}`;

/** A small project of its own, installed or not, with one program. */
async function project(context: TestContext, program: string) {
  const root = await temporaryDirectory(context);
  await Promise.all([mkdir(join(root, 'bin')), mkdir(join(root, 'node_modules'))]);
  await copyFile(LAUNCHER, join(root, 'bin', 'run.mjs'));
  await writeFile(join(root, 'package.json'), '{"name":"p","version":"1.0.0","private":true}');
  await writeFile(
    join(root, 'package-lock.json'),
    '{"name":"p","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"p","version":"1.0.0"}}}',
  );
  await writeFile(join(root, 'node_modules', '.package-lock.json'), '{}');
  await writeFile(join(root, 'program.ts'), program);
  return root;
}

function start(root: string, nodeWords: readonly string[], ...words: readonly string[]) {
  const child = spawn(process.execPath, [...nodeWords, join(root, 'bin', 'run.mjs'), ...words]);
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, said: chunks.join('') }));
  return { child, ended };
}

test('an old Node without a packaged one ends in one sentence that says what to install', async (context) => {
  const root = await project(context, 'console.log("ran")');
  const { status, said } = await start(root, ['--import', PRETEND_OLD], 'program.ts').ended;
  assert.equal(status, 1);
  assert.match(said, /^Portcullis needs Node 24\.12 or later and this is [^:]+: install Node 24 [^\n]+\n$/);
});

test('an old Node hands over to the packaged one', async (context) => {
  const root = await project(
    context,
    'const words: string[] = ["ran", process.versions.node];\nconsole.log(words.join(" "));',
  );
  const bin = join(root, 'node_modules', PACKAGED, 'bin');
  await mkdir(bin, { recursive: true });
  await symlink(process.execPath, join(bin, 'node'));
  const { status, said } = await start(root, ['--import', PRETEND_OLD], 'program.ts').ended;
  assert.deepEqual([status, said.trim()], [0, `ran ${process.versions.node}`]);
});

test('words and exit status are passed on', async (context) => {
  const root = await project(context, 'console.log(process.argv.slice(2).join("|"));\nprocess.exitCode = 7;');
  const { status, said } = await start(root, [], 'program.ts', 'a b', '--c').ended;
  assert.deepEqual([status, said.trim()], [7, 'a b|--c']);
  assert.match((await start(root, []).ended).said, /Name the program/);
});

test('a signal reaches the program, and its end is the end of all', async (context) => {
  const program =
    'process.on("SIGTERM", () => process.exit(3));\nconsole.log("up");\nsetInterval(() => undefined, 1000);';
  const { child, ended } = start(await project(context, program), [], 'program.ts');
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  assert.equal((await ended).status, 3);
  const unhandled = start(
    await project(context, 'console.log("up");\nsetInterval(() => undefined, 1000);'),
    [],
    'program.ts',
  );
  await once(unhandled.child.stdout, 'data');
  unhandled.child.kill('SIGTERM');
  assert.equal((await unhandled.ended).signal, 'SIGTERM');
});

test('packages are installed when the lock file is newer than they are, and only then', async (context) => {
  const root = await project(context, 'console.log("ran")');
  const stale = new Date(Date.now() - 60_000);
  await utimes(join(root, 'node_modules', '.package-lock.json'), stale, stale);
  const leftover = join(root, 'node_modules', 'leftover');
  await mkdir(leftover);
  const { status, said } = await start(root, [], 'program.ts').ended;
  assert.deepEqual([status, said], [0, 'installing packages …\nran\n']);
  await assert.rejects(access(leftover), 'npm ci starts from nothing');
});

test('nothing is installed through a link: what it leads to belongs to another checkout', async (context) => {
  const root = await project(context, 'console.log("ran")');
  const elsewhere = join(root, 'elsewhere');
  await rename(join(root, 'node_modules'), elsewhere);
  await symlink(elsewhere, join(root, 'node_modules'));
  assert.deepEqual((await start(root, [], 'program.ts').ended).said, 'ran\n');
  const stale = new Date(Date.now() - 60_000);
  await utimes(join(elsewhere, '.package-lock.json'), stale, stale);
  const { status, said } = await start(root, [], 'program.ts').ended;
  assert.equal(status, 1);
  assert.match(said, /^node_modules is a link, and npm would empty what it leads to: [^\n]+\n$/);
  await access(join(elsewhere, '.package-lock.json'));
});
