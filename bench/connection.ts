import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Caller } from './scenario.ts';

const HEAD_END = '\r\n\r\n';
const OK = '200';

/** One kept connection: sends bytes, tells when the answer is whole. */
export interface Connection {
  /** Sends a request; `done` is told the status. One at a time. */
  send(request: Buffer, done: (status: string, answer: Buffer) => void): void;
  readonly open: boolean;
  close(): void;
}

/** Connects with the caller's certificate. */
export async function openConnection(caller: Caller, port: number, root: string): Promise<Connection> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    ca: root,
    cert: caller.certificate,
    key: caller.key,
    ALPNProtocols: ['http/1.1'],
  });
  await once(socket, 'secureConnect');
  socket.setNoDelay(true);
  return read(socket);
}

function read(socket: TLSSocket): Connection {
  let waiting: ((status: string, answer: Buffer) => void) | undefined;
  let rest: Buffer | undefined;
  const finish = (status: string, answer: Buffer): void => {
    const done = waiting;
    waiting = undefined;
    done?.(status, answer);
  };
  socket.on('data', (chunk: Buffer) => {
    const octets = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
    const length = lengthOf(octets);
    if (length === undefined || octets.length < length) {
      rest = octets;
      return;
    }
    rest = undefined;
    finish(octets.toString('latin1', 9, 12), octets);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => finish('000', Buffer.from('the connection ended')));
  return {
    send: (request, done) => {
      waiting = done;
      socket.write(request);
    },
    get open() {
      return socket.writable;
    },
    close: () => void socket.destroy(),
  };
}

/** Octets of the whole answer; undefined while its head is incomplete. @throws Error for an answer without a length */
function lengthOf(octets: Buffer): number | undefined {
  const end = octets.indexOf(HEAD_END);
  if (end === -1) return undefined;
  const head = octets.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return end + HEAD_END.length + Number(length);
  if (!head.startsWith(`HTTP/1.1 ${OK}`)) return octets.length;
  throw new Error(`an answer has no content-length:\n${head}`);
}
