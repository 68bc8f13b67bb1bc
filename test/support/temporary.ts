import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Whatever can run something when a test ends: a test's context. */
export interface Ending {
  after(work: () => Promise<void>): void;
}

/** A fresh directory, removed when the test ends; without a context, when the enclosing suite or file ends. */
export async function temporaryDirectory(context?: Ending): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 3 });
  if (context === undefined) after(remove);
  else context.after(remove);
  return directory;
}
