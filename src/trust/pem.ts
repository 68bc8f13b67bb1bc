import { Malformed } from './malformed.ts';

/** A file with more certificates than this is no chain. */
const MAXIMUM_CERTIFICATES = 2_000;
const BLOCK = /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+?)\r?\n-----END CERTIFICATE-----/g;

/**
 * The certificates of a strict PEM text (RFC 7468 §5): label exactly CERTIFICATE, nothing but whitespace around the blocks.
 * @throws Malformed `pem`
 */
export function certificatesOfPem(text: string, maximum = MAXIMUM_CERTIFICATES): readonly Uint8Array[] {
  const blocks = [...text.matchAll(BLOCK)];
  if (text.replaceAll(BLOCK, '').trim() !== '') throw new Malformed('pem', 'text beside the certificate');
  if (blocks.length === 0) throw new Malformed('pem', 'no certificate');
  if (blocks.length > maximum) throw new Malformed('limit', `more than ${maximum} certificates`);
  return blocks.map(([, body = '']) => canonicalBase64(body.replaceAll(/[\r\n]/g, '')));
}

/** Octets of base64 in its one canonical spelling: standard alphabet, padding, zero pad bits. @throws Malformed `pem` */
export function canonicalBase64(text: string): Uint8Array {
  const octets = Buffer.from(text, 'base64');
  if (octets.length === 0 || octets.toString('base64') !== text)
    throw new Malformed('pem', 'base64 that is not canonical');
  return octets;
}

/** PEM of a certificate. */
export function pemOfCertificate(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
