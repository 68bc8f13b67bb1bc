import { constants } from 'node:crypto';
import type { TLSSocket, TlsOptions } from 'node:tls';

/** What a door shows of itself, and what it asks of its callers. PEM throughout. */
export interface DoorTls {
  readonly key: string;
  /** The server's certificate, followed by its intermediates. An RSA key serves TLS 1.2 and 1.3, an EC key TLS 1.3 alone. */
  readonly certificate: string;
  /**
   * `none`: no certificate is asked for. `request`: it is asked for, and the handler judges. `handshake`: a caller without
   * one never reaches HTTP.
   */
  readonly clientCertificate: 'none' | 'handshake' | 'request';
  /** Certificates whose names are sent to the caller as those we know; they decide nothing. */
  readonly authorities?: readonly string[];
  /** With `handshake`: false refuses the caller's certificate before a byte of HTTP is read. */
  readonly acceptPeer?: (socket: TLSSocket) => boolean | Promise<boolean>;
}

/** Why a connection ended before HTTP. */
export type HandshakeRefusal = 'certificate_missing' | 'certificate_refused';

/** Both FAPI profiles allow these (certificates.md §10.3); everything else ends the handshake. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_AES_128_GCM_SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
];

const SIGNATURES = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
];

/**
 * The TLS settings of every door. A resumed session would carry an old verdict, or none at all, past the certificate checks
 * (certificates.md F1–F3): tickets are off and there is no session store, so each connection is a full handshake.
 */
export function tlsOptions(tls: DoorTls): TlsOptions {
  return {
    key: tls.key,
    cert: tls.certificate,
    requestCert: tls.clientCertificate !== 'none',
    // OpenSSL's verdict is not asked: anchors may be issuing authorities, and the platform judges each request anew.
    rejectUnauthorized: false,
    ...(tls.authorities === undefined ? {} : { ca: [...tls.authorities] }),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: CIPHERS.join(':'),
    honorCipherOrder: true,
    sigalgs: SIGNATURES.join(':'),
    // A renegotiation could bring another certificate than the one that was read when the connection began.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
    ALPNProtocols: ['http/1.1'],
  };
}

/** Longest wait for `acceptPeer`: revocation sources may have to be asked. */
const ACCEPT_LIMIT_MS = 10_000;

/** Why this connection must end before HTTP; undefined when it may go on. Whatever goes wrong refuses. */
export async function judgePeer(tls: DoorTls, socket: TLSSocket): Promise<HandshakeRefusal | undefined> {
  if (tls.clientCertificate !== 'handshake') return undefined;
  if (!hasPeerCertificate(socket)) return 'certificate_missing';
  if (tls.acceptPeer === undefined) return undefined;
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const limit = setTimeout(() => resolve(false), ACCEPT_LIMIT_MS);
  try {
    return (await Promise.race([tls.acceptPeer(socket), late])) === true ? undefined : 'certificate_refused';
  } catch {
    return 'certificate_refused';
  } finally {
    clearTimeout(limit);
  }
}

/**
 * Not asked with `getPeerX509Certificate`: in Node 24 its first call takes the intermediate certificates out of the session, and
 * whoever judges the chain afterwards sees the leaf alone.
 */
function hasPeerCertificate(socket: TLSSocket): boolean {
  const peer: object | null = socket.getPeerCertificate();
  return peer !== null && 'raw' in peer;
}
