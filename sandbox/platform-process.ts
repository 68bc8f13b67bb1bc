import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { request as undici } from 'undici';
import { type Places, projectDirectory } from './places.ts';
import { platformProgram } from './platform-command.ts';

/** The platform as a process of its own, as an operator runs it. */
export interface PlatformProcess {
  readonly pid: number | undefined;
  /** Resolves when it answers readiness. @throws Error with its last words when it ends before */
  ready(address: string): Promise<void>;
  /** Resolves when the process has ended, however. */
  readonly ended: Promise<void>;
  /** Asks it to stop and waits. */
  stop(): Promise<void>;
  readonly logFile: string;
}

const READY_MS = 90_000;
const LOOK_MS = 100;
const KILL_MS = 25_000;

/** Starts `node src/main.ts serve` with the same Node; its log goes to a file. */
export function startPlatform(places: Places): PlatformProcess {
  const logFile = join(places.sandbox, 'portcullis.log');
  const log = openSync(logFile, 'w', 0o600);
  const child = spawn(process.execPath, [platformProgram, 'serve', '--config', places.configuration], {
    cwd: projectDirectory,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    const end = () => {
      gone = true;
      resolve();
    };
    child.once('exit', end);
    child.once('error', end);
  });
  return {
    pid: child.pid,
    ended,
    logFile,
    stop: () => stop(child, ended),
    ready: async (address) => {
      const deadline = Date.now() + READY_MS;
      while (!(await answersReady(address))) {
        if (gone) throw new Error(`the platform ended: ${await lastWords(logFile)} (log: ${logFile})`);
        if (Date.now() > deadline)
          throw new Error(`the platform is not ready after ${READY_MS / 1000} s: see ${logFile}`);
        await wait(LOOK_MS);
      }
    },
  };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), KILL_MS);
  await ended;
  clearTimeout(impatience);
}

async function answersReady(address: string): Promise<boolean> {
  // Not fetch: it refuses some ports by themselves, and 10080 is where an offset of 2000 puts this door.
  const answer = await undici(`${address}/health/ready`, { bodyTimeout: 2_000, headersTimeout: 2_000 }).catch(
    () => undefined,
  );
  await answer?.body.dump();
  return answer?.statusCode === 200;
}

/** The last line that says something, without the wrapping of a structured log. */
async function lastWords(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  const telling = lines.findLast((line) => /error|fail|EADDRINUSE|:/i.test(line) && !/^\s+at |^Node\.js v/.test(line));
  return (telling ?? 'without a word').trim().slice(0, 400);
}
