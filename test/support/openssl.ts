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
  readonly now?: Date;
}

/** The independent opinion of `openssl verify` on a client certificate, with strict checks and anchors that need not be roots. */
export function opensslVerifies(leaf: Uint8Array, { untrusted = [], anchors, now = NOW }: OracleInput): boolean {
  const seconds = String(Math.floor(now.getTime() / 1000));
  const strict = ['-x509_strict', '-purpose', 'sslclient', '-auth_level', '2', '-partial_chain', '-attime', seconds];
  return inDirectory((directory) => {
    const file = (name: string, certificates: readonly Uint8Array[]) => {
      writeFileSync(join(directory, name), certificates.map((der) => pemOf(der)).join(''));
      return join(directory, name);
    };
    const chain = untrusted.length === 0 ? [] : ['-untrusted', file('untrusted.pem', untrusted)];
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', file('anchors.pem', anchors)];
    const { status } = spawnSync('openssl', ['verify', ...strict, ...trust, ...chain, file('leaf.pem', [leaf])]);
    return status === 0;
  });
}

/** The same for many certificates at once: `OK`, or openssl's words, in order. */
export function opensslOpinions(
  leaves: readonly Uint8Array[],
  { untrusted = [], anchors, now = NOW }: OracleInput,
): readonly string[] {
  if (leaves.length === 0) return [];
  return inDirectory((directory) => {
    const file = (name: string, certificates: readonly Uint8Array[]) => {
      writeFileSync(join(directory, name), certificates.map((der) => pemOf(der)).join(''));
      return name;
    };
    const names = leaves.map((leaf, index) => file(`${index}.pem`, [leaf]));
    const seconds = String(Math.floor(now.getTime() / 1000));
    const strict = ['-x509_strict', '-purpose', 'sslclient', '-auth_level', '2', '-partial_chain', '-attime', seconds];
    const chain = untrusted.length === 0 ? [] : ['-untrusted', file('untrusted.pem', untrusted)];
    const trust = ['-no-CApath', '-no-CAstore', '-CAfile', file('anchors.pem', anchors)];
    const options = { cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
    return names.map((name) => {
      const { stdout, stderr } = spawnSync('openssl', ['verify', ...strict, ...trust, ...chain, name], options);
      if (stdout.includes(`${name}: OK`)) return 'OK';
      return /lookup: ?(.*)/.exec(stderr)?.[1] ?? stderr.trim();
    });
  });
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
