import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { type Ports, portsOf } from '../../sandbox/configuration.ts';
import { findClash } from '../../sandbox/doors.ts';

/** Where Linux begins to give ports to whoever asks for any, unless it says otherwise. */
const ANYBODYS_PORTS = 32_768;
/** Below are those that programs are known by. */
const LOWEST_PORT = 10_000;
/** Far more than can be taken at once on one machine. */
const ATTEMPTS = 500;
/** Sandboxes are this far apart; each has its own ports of every hundred. */
const OFFSET_STEP = 100;

/**
 * Ports for what must know its own before it listens. None of them is one that the system gives to somebody who asks for
 * any, and each is claimed until this process ends, so that no other process of the tests is given it: between this
 * answer and the listening, nobody else takes it.
 */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS && found.length < count; attempt += 1) {
    const port = randomInt(LOWEST_PORT, firstOfAnybody());
    if ((await claim(port)) && (await isFree(port))) found.push(port);
  }
  if (found.length < count) throw new Error('this machine has no free ports');
  return found;
}

/** The ports of a whole sandbox, claimed in the same way; several sandboxes may be tested on one machine. */
export async function freeSandboxPorts(): Promise<Ports> {
  const highest = Math.max(...numbersOf(portsOf(0)));
  const steps = Math.floor((firstOfAnybody() - 1 - highest) / OFFSET_STEP);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const ports = portsOf(OFFSET_STEP * randomInt(10, steps));
    const claimed = await Promise.all(numbersOf(ports).map(claim));
    if (claimed.every((mine) => mine) && (await findClash(ports)) === undefined) return ports;
  }
  throw new Error('this machine has no free ports');
}

function numbersOf(ports: Ports): readonly number[] {
  return Object.values(ports).flatMap((value: unknown) => {
    if (typeof value === 'number') return [value];
    return typeof value === 'object' && value !== null ? Object.values(value).map(Number) : [];
  });
}

/** The claim is a UDP socket: it holds the number among tests and does not stand in the way of a TCP listener. */
async function claim(port: number): Promise<boolean> {
  const socket = createSocket('udp4').unref();
  socket.bind({ port, address: '127.0.0.1', exclusive: true });
  try {
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  }
}

/** Something that is no test may listen there. */
async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

function firstOfAnybody(): number {
  try {
    const [first = ''] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return Number(first) > LOWEST_PORT + ATTEMPTS ? Number(first) : ANYBODYS_PORTS;
  } catch {
    return ANYBODYS_PORTS;
  }
}
