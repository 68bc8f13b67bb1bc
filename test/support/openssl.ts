import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pemOf } from './der.ts';
import { NOW } from './judging.ts';

/** What openssl is asked beside the certificate. */
export interface OracleInput {
  readonly untrusted?: readonly Uint8Array[];
  readonly anchors: readonly Uint8Array[];
  /** With lists openssl demands that one of them speaks for the leaf. */
  readonly lists?: readonly Uint8Array[];
  readonly now?: Date;
}

/** One process costs as much as checking a dozen certificates. */
const CERTIFICATES_A_PROCESS = 500;
/** Without `-auth_level 2` SHA-1 and RSA of 1024 bits pass; anchors need not be roots. */
const STRICT = ['-x509_strict', '-purpose', 'sslclient', '-auth_level', '2', '-partial_chain'];

/** The independent opinion of `openssl verify` on a client certificate. */
export function opensslVerifies(leaf: Uint8Array, input: OracleInput): boolean {
  return opensslOpinions([leaf], input)[0] === 'OK';
}

/** The same for many certificates at once: `OK`, or openssl's words, in order. */
export function opensslOpinions(
  leaves: readonly Uint8Array[],
  { untrusted = [], anchors, lists = [], now = NOW }: OracleInput,
): readonly string[] {
  return inDirectory((directory) => {
    const file = (name: string, items: readonly Uint8Array[], label = 'CERTIFICATE') => {
      writeFileSync(join(directory, name), items.map((der) => pemOf(der, label)).join(''));
      return name;
    };
    const names = leaves.map((leaf, index) => file(`${index}.pem`, [leaf]));
    const options = [
      ...['-attime', String(Math.floor(now.getTime() / 1000)), '-no-CApath', '-no-CAstore'],
      ...['-CAfile', file('anchors.pem', anchors)],
      ...(untrusted.length === 0 ? [] : ['-untrusted', file('untrusted.pem', untrusted)]),
      ...(lists.length === 0 ? [] : ['-crl_check', '-CRLfile', file('lists.pem', lists, 'X509 CRL')]),
    ];
    const opinions = new Map<string, string>();
    for (let from = 0; from < names.length; from += CERTIFICATES_A_PROCESS) {
      const some = names.slice(from, from + CERTIFICATES_A_PROCESS);
      for (const [name, opinion] of verify(directory, [...STRICT, ...options, ...some])) opinions.set(name, opinion);
    }
    return names.map((name) => opinions.get(name) ?? 'not read');
  });
}

/** Words about a certificate stand before the line that names its file; about one that cannot be read there are none. */
function verify(directory: string, parameters: readonly string[]): ReadonlyMap<string, string> {
  const options = { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  const { stdout, stderr, error } = spawnSync('openssl', ['verify', ...parameters], options);
  if (error !== undefined) throw error;
  const opinions = new Map<string, string>();
  for (const [, name = ''] of stdout.matchAll(/^(\S+): OK$/gm)) opinions.set(name, 'OK');
  let words: string[] = [];
  for (const line of stderr.split('\n')) {
    const said = /^error \d+ at \d+ depth lookup: ?(.*)$/.exec(line)?.[1];
    if (said !== undefined) words.push(said);
    const name = /^error (\S+): verification failed$/.exec(line)?.[1];
    if (name === undefined) continue;
    opinions.set(name, words.join('; '));
    words = [];
  }
  return opinions;
}

/** A directory of its own for one call, removed afterwards. */
export function inDirectory<T>(work: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-openssl-'));
  try {
    return work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
