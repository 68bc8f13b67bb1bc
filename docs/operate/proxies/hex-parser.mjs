/**
 * An own decoder of certificate headers, for an appliance that sends `v1;<leaf>;<issuer>;…`, each certificate as DER in
 * hexadecimal. The configuration names this file:
 *
 *   doors: { mtls: { forwarded: { header: X-Appliance-Cert, parser: hex-parser.mjs, … } } }
 *
 * It is called with the value of the one header line, at most 24 KiB and never empty, `null`, `(null)` or `-`. It returns one
 * to eight certificates as DER, leaf first, at once. It throws when it does not know the value: the request is then refused
 * as certificate_malformed, and the words of the error go to the log.
 *
 * @param {string} value
 * @returns {readonly Uint8Array[]}
 */
export function parseForwardedCertificate(value) {
  const [version, ...certificates] = value.split(';');
  if (version !== 'v1') throw new Error('not version 1 of the form');
  return certificates.map((text) => {
    if (!/^([0-9a-f]{2})+$/.test(text)) throw new Error('not hexadecimal in lower case');
    return Buffer.from(text, 'hex');
  });
}
