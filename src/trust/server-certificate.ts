import { createPrivateKey, X509Certificate } from 'node:crypto';

/**
 * A certificate and key that we are about to show ourselves by, PEM. @throws Error when they cannot be read, do not belong
 * together, or callers would refuse the certificate for its dates
 */
export function checkServerCertificate({ certificate, key }: { certificate: string; key: string }, now: Date): void {
  const parsed = new X509Certificate(certificate);
  if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate');
  if (now > parsed.validToDate) throw new Error(`the certificate expired on ${parsed.validToDate.toISOString()}`);
  if (now < parsed.validFromDate) {
    throw new Error(`the certificate is not valid before ${parsed.validFromDate.toISOString()}`);
  }
}
