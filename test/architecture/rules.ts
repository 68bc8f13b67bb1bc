import { dirname, join } from 'node:path/posix';
import { type Import, longestFunction, type Source } from './source.ts';
import { BUILTIN_HOMES, COMPUTED_HOME, MAY_IMPORT, PACKAGE_HOMES, TYPES_ONLY } from './table.ts';

/** Looks at all files and says in sentences what is wrong. */
export type Rule = (sources: readonly Source[]) => readonly string[];

const MAXIMUM_FILE_LINES = 400;
const MAXIMUM_FUNCTION_LINES = 70;

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

/** The product itself: what the single homes are about. */
function product(sources: readonly Source[]): readonly Source[] {
  return sources.filter(({ path }) => path.startsWith('src/') && !isTest(path));
}

/** `src/consent/store.ts` lies in consent; `src/main.ts` and `src/main/` are the composition root. */
function roomOf(path: string): string | undefined {
  const room = /^src\/([^/]+?)(?:\/|\.ts$)/.exec(path)?.[1];
  return room;
}

/** The file a relative import means; undefined for packages and Node. */
function targetOf(source: Source, { specifier }: Import): string | undefined {
  return specifier.startsWith('.') ? join(dirname(source.path), specifier) : undefined;
}

function everyImport(
  sources: readonly Source[],
  judge: (source: Source, made: Import) => string | undefined,
): readonly string[] {
  return sources.flatMap((source) => source.imports.flatMap((made) => judge(source, made) ?? []));
}

function occurrences(sources: readonly Source[], pattern: RegExp, what: string): readonly string[] {
  return sources.flatMap(({ path, code }) =>
    [...code.matchAll(new RegExp(pattern, 'g'))].map((match) => `${path}:${lineOf(code, match.index)} ${what}`),
  );
}

function lineOf(code: string, at: number): number {
  return code.slice(0, at).split('\n').length;
}

/** The table of who may import whom. */
export const imports: Rule = (sources) =>
  everyImport(product(sources), (source, made) => {
    const [from, target] = [roomOf(source.path), targetOf(source, made)];
    const to = target === undefined ? undefined : roomOf(target);
    if (from === undefined || target === undefined || from === to) return undefined;
    if (to === undefined) return `${source.path} imports ${target}, which lies outside src`;
    if (from === 'main') return undefined;
    const allowed = MAY_IMPORT[from];
    if (allowed === undefined) return `${source.path} lies in a room that the design does not know`;
    if (to !== 'platform' && !allowed.includes(to)) return `${source.path} imports ${to}, which ${from} may not know`;
    const typesOnly = TYPES_ONLY.includes(from) && to !== 'platform' && !made.typeOnly;
    return typesOnly ? `${source.path} imports more than types of ${to}` : undefined;
  });

/** A room is entered through its index; platform's files are imported each for itself. */
export const entrances: Rule = (sources) =>
  everyImport(product(sources), (source, made) => {
    const target = targetOf(source, made);
    const to = target === undefined ? undefined : roomOf(target);
    if (target === undefined || to === undefined || to === 'platform' || to === roomOf(source.path)) return undefined;
    return target === `src/${to}/index.ts` ? undefined : `${source.path} enters ${to} through ${target}`;
  });

/** No file reaches itself by imports that exist at run time, and no room reaches itself by any. */
export const cycles: Rule = (sources) => {
  const edges = product(sources).flatMap((source) =>
    source.imports.map((made) => ({ from: source.path, to: targetOf(source, made) ?? '', typeOnly: made.typeOnly })),
  );
  const rooms = edges
    .map(({ from, to }) => ({ from: roomOf(from) ?? '', to: roomOf(to) ?? '' }))
    .filter(({ from, to }) => from !== to);
  return [...findCycles(edges.filter(({ typeOnly }) => !typeOnly)), ...findCycles(rooms)];
};

function findCycles(edges: readonly { readonly from: string; readonly to: string }[]): readonly string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of edges) next.set(from, (next.get(from) ?? new Set()).add(to));
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) found.push(`${[...path.slice(path.indexOf(node)), node].join(' → ')} is a cycle`);
    if (path.includes(node) || done.has(node)) return;
    for (const one of next.get(node) ?? []) walk(one, [...path, node]);
    done.add(node);
  };
  for (const node of next.keys()) walk(node, []);
  return found;
}

/** The sandbox, tests and benchmarks stay outside: nothing of src needs them, and the sandbox needs nothing of src. */
export const outside: Rule = (sources) =>
  everyImport(sources, (source, made) => {
    const target = targetOf(source, made);
    if (target === undefined || isTest(source.path)) return undefined;
    const [from, to] = [source.path.split('/', 1)[0], target.split('/', 1)[0]];
    const apart = from === to || (from === 'bench' && to !== 'test');
    return apart ? undefined : `${source.path} imports ${target}`;
  });

/** Packages and dangerous parts of Node each have one home. */
export const homes: Rule = (sources) =>
  everyImport(product(sources), (source, made) => {
    const { specifier, typeOnly } = made;
    if (specifier === '(computed)')
      return source.path === COMPUTED_HOME ? undefined : `${source.path} computes what it imports`;
    if (typeOnly || specifier.startsWith('.')) return undefined;
    if (specifier.startsWith('node:')) return builtin(source, made);
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
    const allowed = PACKAGE_HOMES[name];
    if (allowed === undefined)
      return `${source.path} imports ${name}, which has no home: see test/architecture/table.ts`;
    return allowed.some((home) => source.path.startsWith(home))
      ? undefined
      : `${source.path} imports ${name}, at home in ${allowed.join(', ')}`;
  });

function builtin({ path }: Source, { specifier, names }: Import): string | undefined {
  const known = BUILTIN_HOMES[specifier];
  if (known === undefined) return undefined;
  const granted = known.filter(([home]) => path.startsWith(home));
  const mayTake = (name: string): boolean =>
    granted.some(([, allowed]) => allowed.length === 0 || allowed.includes(name));
  const wrong = names.filter((name) => !mayTake(name));
  return wrong.length === 0 ? undefined : `${path} takes ${wrong.join(', ')} from ${specifier}`;
}

const SQL =
  /^\s*(?:SELECT|INSERT\s+INTO|UPDATE\s+[\w."]+\s+SET|DELETE\s+FROM|WITH\s+\w+\s+AS|CREATE|ALTER|DROP|TRUNCATE|LISTEN|NOTIFY)\b|\bFROM\s+\w+\.\w+|\bWHERE\s+\w+\s*=\s*\$\d/;
const DATABASE_FILES = ['database', 'pglite', 'postgres', 'postgres-notifications', 'migrate'].map(
  (name) => `src/platform/${name}.ts`,
);

/** SQL stands in stores alone. */
export const sql: Rule = (sources) =>
  product(sources)
    .filter(({ path }) => !/[/-]store\.ts$/.test(path) && !DATABASE_FILES.includes(path))
    .flatMap((source) => [
      ...source.strings
        .filter((text) => SQL.test(text))
        .map((text) => `${source.path} holds SQL: ${text.trim().slice(0, 60)}`),
      ...occurrences([source], /\.query\s*\(/, 'runs a query'),
    ]);

/** Listeners are opened by the door alone. */
export const listeners: Rule = (sources) =>
  occurrences(
    product(sources).filter(({ path }) => path !== 'src/platform/door.ts'),
    /\bcreate(?:Secure)?Server\b|\.listen\s*\(\s*(?:\{[^}]*\b(?:port|path|host)\b|\d|port\b|\))/,
    'opens a listener',
  );

/** The way out is platform/fetch.ts alone. */
export const outbound: Rule = (sources) =>
  occurrences(
    product(sources).filter(({ path }) => path !== 'src/platform/fetch.ts'),
    /(?<![.\w$])fetch\s*\(|\bglobalThis\s*\.\s*fetch\b|\bnew\s+(?:WebSocket|EventSource|XMLHttpRequest)\b/,
    'calls out',
  );

/** The environment is read in platform/config.ts alone. */
export const surroundings: Rule = (sources) =>
  occurrences(
    product(sources).filter(({ path }) => path !== 'src/platform/config.ts'),
    /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[|\{[^{}]*\benv\b[^{}]*\}\s*=\s*process\b/,
    'reads the environment',
  );

/** Time is read in platform/clock.ts alone. */
export const clock: Rule = (sources) =>
  occurrences(
    product(sources).filter(({ path }) => path !== 'src/platform/clock.ts'),
    /\bDate\s*\.\s*now\b|\bnew\s+Date\s*(?:\(\s*\)|(?![\s(]))|(?<!new\s)(?<![.\w$])Date\s*\(|\bperformance\s*\.\s*now\b|\bhrtime\b|\bTemporal\b/,
    'reads the time',
  );

/** Cryptography that needs no import. */
export const webCrypto: Rule = (sources) =>
  occurrences(
    product(sources).filter(({ path }) => !/^src\/(?:trust|vault)\//.test(path)),
    /(?<![.\w$'-])crypto\s*\.|\bMath\s*\.\s*random\b/,
    'uses cryptography or chance of its own',
  );

const MARKETS = new Set([
  'uk',
  'albion',
  'obie',
  'berlin',
  'nextgen',
  'stet',
  'cdr',
  'brazil',
  'brasil',
  'opin',
  'ksa',
  'sama',
]);

/** Names of markets stand in regimes, the sandbox and the documentation alone. */
export const markets: Rule = (sources) =>
  product(sources)
    .filter(({ path }) => !path.startsWith('src/regimes/'))
    .flatMap(({ path, code, strings }) => {
      const text = [path, code, ...strings].join(' ');
      const words = text.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').split(/[^A-Za-z]+/);
      const named = new Set(words.map((word) => word.toLowerCase()).filter((word) => MARKETS.has(word)));
      return [...named].map((name) => `${path} names the market ${name}`);
    });

const FORBIDDEN_FOLDERS = /\/(?:common|utils?|helpers?|services?|types|lib|shared|misc)\//;

/** Folders are named after what is in them. */
export const folders: Rule = (sources) =>
  sources
    .filter(({ path }) => FORBIDDEN_FOLDERS.test(path))
    .map(({ path }) => `${path} lies in a folder that names nothing`);

/** Files and functions stay small; a test's function is its table. */
export const sizes: Rule = (sources) =>
  sources.flatMap((source) => {
    const lines = source.text.trimEnd().split('\n').length;
    const longest = source.path.endsWith('.test.ts') ? 0 : longestFunction(source);
    return [
      ...(lines > MAXIMUM_FILE_LINES ? [`${source.path} has ${lines} lines, more than ${MAXIMUM_FILE_LINES}`] : []),
      ...(longest > MAXIMUM_FUNCTION_LINES
        ? [`${source.path} has a function of ${longest} lines, more than ${MAXIMUM_FUNCTION_LINES}`]
        : []),
    ];
  });

/** Nothing is believed without a look: no `any`, no `!`, no `as` but `as const`. */
export const casts: Rule = (sources) => {
  const bodies = sources
    .filter(({ path }) => !isTest(path))
    .map((source) => ({ ...source, code: withoutImports(source.code) }));
  return [
    ...occurrences(bodies, /(?:[:<|&,]|=>?|\bas|\bextends)\s*(?<![.\w$])any\b(?!\s*[\w$(:'"-])/, 'says any'),
    ...occurrences(bodies, /(?<=[\w$)\]])!(?![=])/, 'says ! of a value'),
    ...occurrences(bodies, /(?<=[\w$)\]}'"`]\s)as\s+(?!const\b)[\w${[('"]/, 'casts with as'),
  ];
};

function withoutImports(code: string): string {
  return code.replaceAll(/\b(?:import|export)\s+(?:type\s+)?[\w$*,\s]*(?:\{[^}]*\})?(?:\s*from\b)?/g, (text) =>
    text.replaceAll(/[^\n]/g, ' '),
  );
}

/** Exports have names. */
export const exportsNamed: Rule = (sources) =>
  occurrences(sources, /\bexport\s+default\b|\bas\s+default\b/, 'has a default export');

/** Each check of the gateway has its refusals beside it. */
export const checksTested: Rule = (sources) => {
  const paths = new Set(sources.map(({ path }) => path));
  const checks = [...paths].filter(
    (path) => /^src\/gateway\/checks\/[^/]+\.ts$/.test(path) && !isTest(path) && !path.endsWith('/index.ts'),
  );
  return checks
    .filter((path) => !paths.has(path.replace(/\.ts$/, '.test.ts')))
    .map((path) => `${path} has no test beside it`);
};
