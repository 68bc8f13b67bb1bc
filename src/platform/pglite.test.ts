import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pgliteTemplate } from '../../test/support/pglite-template.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { openPglite } from './pglite.ts';
import { lockForProcess } from './process-lock.ts';

test('what was committed is there after a restart; nobody else may read the directory', async (context) => {
  const directory = join(await temporaryDirectory(context), 'database');
  const first = await openPglite(directory, { template: await pgliteTemplate() });
  await first.query('CREATE TABLE thing (id int)');
  await first.query('INSERT INTO thing (id) VALUES (1)');
  await assert.rejects(openPglite(directory), /database\.lock: process \d+ is using this/);
  await first.close();
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  const second = await openPglite(directory);
  assert.deepEqual(await second.query('SELECT id FROM thing'), [{ id: 1 }]);
  await second.close();
});

test('a lock is refused while its process lives, and taken over afterwards', async (context) => {
  const file = join(await temporaryDirectory(context), 'lock');
  const program = `import { lockForProcess } from ${JSON.stringify(import.meta.resolve('./process-lock.ts'))};
    await lockForProcess(${JSON.stringify(file)}); console.log('held'); setInterval(() => undefined, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  await assert.rejects(lockForProcess(file), new RegExp(`process ${holder.pid} is using this`));
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const release = await lockForProcess(file);
  assert.match(await readFile(file, 'utf8'), new RegExp(`^${process.pid} `));
  await release();
  await assert.rejects(stat(file), { code: 'ENOENT' });
});

test('a lock whose number another process has now is no lock, nor is nonsense', async (context) => {
  const file = join(await temporaryDirectory(context), 'lock');
  for (const stale of [`${process.pid} 1`, '1 1', 'nonsense', '', '0', '-1']) {
    await writeFile(file, stale);
    const release = await lockForProcess(file);
    await release();
  }
});
