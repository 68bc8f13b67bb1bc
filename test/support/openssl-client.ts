import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** What `openssl s_client` saw: its exit status and every word it said. */
export interface OpensslSession {
  readonly status: number | null;
  readonly said: string;
}

/** A line to send once the words of the client include the text. */
export type Cue = readonly [heard: string, line: string];

/** A client that said nothing more for this long will say nothing. */
const LIMIT_MS = 20_000;

/** One session of `openssl s_client`: an independent TLS client; after the last cue its input ends. */
export async function opensslClient(
  port: number,
  options: readonly string[],
  cues: readonly Cue[] = [],
): Promise<OpensslSession> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...options], { timeout: LIMIT_MS });
  const left = [...cues];
  let said = '';
  let heardUpTo = 0;
  const hear = (chunk: Buffer): void => {
    said += String(chunk);
    const [next] = left;
    if (next === undefined || !said.slice(heardUpTo).includes(next[0])) return;
    left.shift();
    heardUpTo = said.length;
    child.stdin.write(`${next[1]}\n`);
    if (left.length === 0) child.stdin.end();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  // A client that has ended reads no more.
  child.stdin.on('error', () => undefined);
  if (left.length === 0) child.stdin.end();
  await once(child, 'close');
  return { status: child.exitCode, said };
}
