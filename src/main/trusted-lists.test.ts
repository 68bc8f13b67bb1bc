import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fetchList, readListFile } from './trusted-lists.ts';

const MAXIMUM = 12 * 1024 * 1024;
const ANSWERS: Readonly<Record<string, readonly [number, string | Uint8Array]>> = {
  '/list.xml': [200, '<list/>'],
  '/moved.xml': [302, ''],
  '/gone.xml': [404, '<html>gone</html>'],
  '/large.xml': [200, new Uint8Array(MAXIMUM + 1)],
};

const server = createServer((request, response) => {
  const [status, body] = ANSWERS[request.url ?? ''] ?? [500, ''];
  response.writeHead(status, { location: '/list.xml' }).end(body);
});
let origin = '';
let directory = '';
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  directory = await mkdtemp(join(tmpdir(), 'trusted-lists-'));
});
after(async () => {
  server.close();
  server.closeAllConnections();
  await rm(directory, { recursive: true, force: true });
});

test('a published list is fetched whole, over http as well: it is signed', async () => {
  assert.equal(Buffer.from(await fetchList(`${origin}/list.xml`, true)).toString(), '<list/>');
});

test('an address inside the house, a redirect, an error, an endless answer are refused, each by its name', async () => {
  await assert.rejects(fetchList(`${origin}/list.xml`, false), { code: 'address_refused' });
  await assert.rejects(fetchList(`${origin}/moved.xml`, true), /answered 302; redirects are not followed/);
  await assert.rejects(fetchList(`${origin}/gone.xml`, true), /answered 404$/);
  await assert.rejects(fetchList(`${origin}/large.xml`, true), { code: 'upstream_unavailable' });
  await assert.rejects(fetchList('ftp://lists.example/', true), { code: 'address_refused' });
  await assert.rejects(fetchList(`${origin}/list.xml`, true, AbortSignal.abort()), { code: 'upstream_unavailable' });
});

test('a file is read whole, unless it is larger than a list may be', async () => {
  const path = join(directory, 'list.xml');
  await writeFile(path, '<list/>');
  assert.equal(Buffer.from(await readListFile(path)).toString(), '<list/>');
  await writeFile(path, new Uint8Array(MAXIMUM + 1));
  await assert.rejects(readListFile(path), { code: 'file_invalid' });
});
