import type { IncomingMessage } from 'node:http';
import type { Role, Standing } from '../directory/index.ts';
import type { CertificateVerdict } from '../trust/index.ts';

/** Which listener a request came through: its rules differ. */
export type DoorKind = 'issuer' | 'mtls' | 'plain';

/** What is known of a request before the engine sees it: the engine's certificate hooks are synchronous, so it is ready beforehand. */
export interface Peer {
  readonly door: DoorKind;
  /** Undefined at doors that ask for no certificate. */
  readonly verdict: CertificateVerdict | undefined;
  /** `x-fapi-interaction-id` of this request. */
  readonly interaction: string;
  /** The standing of the client the engine looked up last, for the checks that follow in the same request. */
  standing: Standing | undefined;
  /** Roles that the competent authority's register gives the caller; undefined until, and unless, it is asked. */
  registered?: readonly Role[];
  /** Why the request was refused, finer than what the caller is told. */
  refusal: { readonly reason: string; readonly detail: string } | undefined;
  /** What the engine could only call a server error. */
  failure: unknown;
}

/** Under a key of our own at the request itself: a map beside it costs the garbage collector more than all that is in it. */
const PEER = Symbol('peer');

interface Known extends IncomingMessage {
  [PEER]?: Peer;
}

/** Remembers the peer of a request. */
export function setPeer(request: Known, peer: Peer): void {
  request[PEER] = peer;
}

/** The peer of a request. @throws Error when nobody set it: a defect, never a pass. */
export function peerOf(request: Known): Peer {
  const peer = request[PEER];
  if (peer === undefined) throw new Error('a request reached the engine without its peer');
  return peer;
}

/** True when the request's certificate is one the client is bound to (CA-15): compared on every call. */
export function isEnrolled(peer: Peer): boolean {
  if (peer.verdict?.ok !== true || peer.standing === undefined) return false;
  const { thumbprint } = peer.verdict.certificate;
  return peer.standing.certificates.some((bound) => bound.thumbprint === thumbprint);
}
