/** Who may import whom, besides platform (design §2). A room that is not listed may not exist. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  audit: [],
  trust: [],
  bank: [],
  'trusted-lists': ['trust', 'audit'],
  vault: ['audit'],
  consent: ['audit'],
  directory: ['trust', 'audit'],
  tokens: ['vault', 'audit'],
  payments: ['consent', 'trust', 'audit'],
  authorization: ['trust', 'vault', 'directory', 'consent', 'tokens', 'bank', 'audit'],
  gateway: ['trust', 'directory', 'consent', 'tokens', 'payments', 'vault', 'bank', 'audit'],
  web: ['authorization', 'trust', 'consent', 'directory', 'tokens', 'vault', 'bank', 'audit'],
  regimes: ['trust', 'directory', 'authorization', 'consent', 'gateway', 'payments'],
};

/** Of these a room takes types alone. */
export const TYPES_ONLY: readonly string[] = ['regimes'];

/** Packages with one home: where their code may be imported. Types of them may be named anywhere. */
export const PACKAGE_HOMES: Readonly<Record<string, readonly string[]>> = {
  '@electric-sql/pglite': ['src/platform/pglite.ts'],
  '@picocss/pico': ['src/web/'],
  // Signed XML is read by the thread that imports a trusted list, and by nothing else (decision 0008).
  '@xmldom/xmldom': ['src/trust/xml-document.ts'],
  ajv: ['src/platform/config.ts'],
  fastify: ['src/web/'],
  jose: ['src/trust/', 'src/vault/'],
  'oidc-provider': ['src/authorization/'],
  pg: ['src/platform/postgres.ts', 'src/platform/postgres-notifications.ts'],
  pino: ['src/platform/log.ts'],
  'prom-client': ['src/platform/metrics.ts'],
  typebox: ['src/platform/config.ts', 'src/main/', 'src/web/'],
  undici: ['src/platform/fetch.ts'],
  'xml-crypto': ['src/trust/xml-signature.ts'],
  yaml: ['src/platform/config.ts'],
};

/** The one file that imports what settings name: a decoder of certificate headers, or a register, of the bank's own. */
export const COMPUTED_HOME = 'src/main/operator-module.ts';

/** Parts of Node with one home: file (or folder), and the names it may take; no names means all. */
export const BUILTIN_HOMES: Readonly<Record<string, readonly (readonly [string, readonly string[]])[]>> = {
  'node:crypto': [
    ['src/trust/', []],
    ['src/vault/', []],
    ['src/platform/random.ts', ['createHash', 'hash', 'randomBytes', 'randomInt', 'randomUUID', 'timingSafeEqual']],
    ['src/platform/door-tls.ts', ['constants']],
  ],
  'node:http': [
    ['src/platform/door.ts', ['createServer']],
    // The composition root shows a bare socket to trust as the request it would become.
    ['src/main/', ['IncomingMessage']],
  ],
  'node:https': [['src/platform/door.ts', ['createServer']]],
  'node:http2': [],
  'node:net': [
    ['src/platform/door.ts', ['connect']],
    ['src/', ['BlockList', 'isIP', 'isIPv4', 'isIPv6']],
  ],
  'node:tls': [
    ['src/trust/', ['TLSSocket']],
    // The way of requests to the bank (decision 9).
    ['src/platform/forwarder-connection.ts', ['connect']],
  ],
  'node:dgram': [],
  'node:dns': [['src/platform/fetch.ts', ['lookup']]],
  'node:dns/promises': [],
  'node:process': [],
  'node:child_process': [],
  'node:cluster': [],
  // Reading a list takes seconds: it has a thread of its own.
  'node:worker_threads': [
    ['src/trusted-lists/reader.ts', ['Worker']],
    ['src/trusted-lists/reading-thread.ts', ['parentPort', 'workerData']],
  ],
  'node:vm': [],
  'node:inspector': [],
  'node:sqlite': [],
};
