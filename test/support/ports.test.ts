import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePorts } from './ports.ts';

test('a port that is given is given once, held from other processes, and can be listened on', async () => {
  const ports = [...(await freePorts(20)), ...(await freePorts(20))];
  assert.equal(new Set(ports).size, 40);
  const [port = 0] = ports;
  const again = createSocket('udp4');
  again.bind({ port, address: '127.0.0.1', exclusive: true });
  await assert.rejects(once(again, 'listening'), { code: 'EADDRINUSE' });
  const own = createServer().listen(port, '127.0.0.1');
  await once(own, 'listening');
  own.close();
});
