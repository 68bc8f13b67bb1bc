import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';

/** The chain that the client proved to own in its handshake, leaf first; or why there is none. */
export type PresentedChain =
  | { readonly chain: readonly Uint8Array[] }
  | { readonly absent: 'certificate_absent' | 'session_resumed' };

/** Longer chains are refused; they are not even read to their end (attack 44). */
export const MAXIMUM_CHAIN = 8;

const chains = new WeakMap<TLSSocket, PresentedChain>();

/**
 * The client's certificates of the connection a request came over, read once per connection. What they are worth is judged
 * anew for each request: `authorized` of the socket is never asked (F1), and a resumed session proves nothing (F2).
 */
export function presentedChain(request: IncomingMessage): PresentedChain {
  const { socket } = request;
  if (!(socket instanceof TLSSocket)) return { absent: 'certificate_absent' };
  const known = chains.get(socket);
  if (known !== undefined) return known;
  const presented = read(socket);
  chains.set(socket, presented);
  return presented;
}

function read(socket: TLSSocket): PresentedChain {
  if (socket.isSessionReused()) return { absent: 'session_resumed' };
  const chain: Uint8Array[] = [];
  let next: X509Certificate | undefined = socket.getPeerX509Certificate();
  // One more than allowed is read, so that the judge can tell that the chain is too long.
  while (next !== undefined && chain.length <= MAXIMUM_CHAIN) {
    chain.push(next.raw);
    next = next.issuerCertificate;
  }
  return chain.length === 0 ? { absent: 'certificate_absent' } : { chain };
}
