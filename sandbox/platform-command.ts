import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Places, projectDirectory } from './places.ts';

/** What a command of the platform printed, and how it ended. */
export interface CommandOutcome {
  readonly status: number;
  readonly output: string;
  readonly problem: string;
}

/** Longest wait for a command, in milliseconds: a first one may have to migrate the database. */
const COMMAND_MS = 60_000;

/** The arguments that start the platform's own program. */
export const platformProgram = join(projectDirectory, 'src', 'main.ts');

/** Runs a command of the platform, as an operator would: `node src/main.ts <words> --config <file>`. */
export function platformCommand(places: Places, words: readonly string[]): Promise<CommandOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [platformProgram, ...words, '--config', places.configuration], {
      cwd: projectDirectory,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: COMMAND_MS,
    });
    let output = '';
    let problem = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      problem += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ status: code ?? 1, output: output.trim(), problem: problem.trim() }));
  });
}
