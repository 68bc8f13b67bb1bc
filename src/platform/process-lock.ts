import { readFile, unlink, writeFile } from 'node:fs/promises';

/**
 * Takes a lock file that names this process; gives the way to release it. A lock whose process is gone is taken over.
 * @throws Error that names the process which holds it
 */
export async function lockForProcess(file: string): Promise<() => Promise<void>> {
  const own = await markOf(process.pid);
  // The second attempt follows the removal of a lock that nobody holds any more.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    if (await create(file, own)) return () => unlink(file);
    const holder = (await readFile(file, 'utf8').catch(() => '')).trim();
    const [pid] = holder.split(' ');
    if (holder !== '' && holder === (await markOf(Number(pid)))) {
      throw new Error(`${file}: process ${pid} is using this; end it first, or run the command through it`);
    }
    await unlink(file).catch(() => undefined);
  }
  throw new Error(`${file}: another process is taking this`);
}

async function create(file: string, content: string): Promise<boolean> {
  try {
    await writeFile(file, `${content}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return false;
    throw cause;
  }
}

/**
 * A process by number and start: after a restart of the machine or container another process may have the number. Where
 * `/proc` does not tell the start, the number alone must do. Empty when there is no such process.
 */
async function markOf(pid: number): Promise<string> {
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isAlive(pid)) return '';
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Fields after the name in parentheses, which may hold anything: the start is field 22 (proc(5)).
  const start = status.slice(status.lastIndexOf(')') + 2).split(' ')[19];
  return start === undefined ? `${pid}` : `${pid} ${start}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM';
  }
}
