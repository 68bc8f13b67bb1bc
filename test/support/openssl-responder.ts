import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Issued } from './certificates.ts';

/** A certificate as openssl's index file knows it. */
export interface IndexEntry {
  readonly certificate: Issued;
  readonly status: 'valid' | 'revoked';
  readonly reason?: string;
}

/** A real `openssl ocsp` responder on a port of its own. */
export interface OpensslResponder {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts `openssl ocsp` for an authority. `signer` is the authority itself or a certificate it issued for the purpose. */
export async function startOpensslResponder(
  authority: Issued,
  signer: Issued,
  entries: readonly IndexEntry[],
  extra: readonly string[] = [],
): Promise<OpensslResponder> {
  const directory = mkdtempSync(join(tmpdir(), 'portcullis-ocsp-'));
  const file = (name: string, content: string) => {
    writeFileSync(join(directory, name), content, { mode: 0o600 });
    return name;
  };
  const options = [
    ['-index', file('index.txt', entries.map(lineOf).join(''))],
    ['-CA', file('ca.pem', authority.certificatePem)],
    ['-rsigner', file('signer.pem', signer.certificatePem)],
    ['-rkey', file('signer.key', signer.keyPem)],
    // Any port: it says which.
    ['-port', '0'],
  ].flat();
  const child = spawn('openssl', ['ocsp', ...options, ...extra], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const port = await listening(child);
  const close = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}

function lineOf({ certificate, status, reason }: IndexEntry): string {
  const hex = certificate.serial.toString(16).toUpperCase();
  const serial = hex.length % 2 === 0 ? hex : `0${hex}`;
  const revoked = status === 'revoked' ? `260101000000Z${reason === undefined ? '' : `,${reason}`}` : '';
  return `${status === 'revoked' ? 'R' : 'V'}\t490101000000Z\t${revoked}\t${serial}\tunknown\t/CN=x\n`;
}

/** Its port, by its own word. A trial connection would do harm: openssl waits for the rest of a request that never comes. */
async function listening(child: ChildProcess): Promise<string> {
  let said = '';
  for await (const part of child.stdout ?? []) {
    said += String(part);
    const port = /^ACCEPT \S+:(\d+) /m.exec(said)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`openssl ocsp ended: ${said}`);
}
