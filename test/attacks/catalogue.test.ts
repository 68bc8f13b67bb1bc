import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

const ROOT = join(import.meta.dirname, '..', '..');

/** The catalogue of attacks on certificates (certificates.md §19): every one has a test that names it, as `attack 36`. */
const CATALOGUE = [
  'resumption without a certificate',
  'resumption after expiry or revocation',
  'revocation while a connection is open',
  'certificate header on a direct door',
  'certificate header from somebody who is not the proxy',
  'certificate header twice, in other spelling, in trailers',
  'doubled headers of HTTP/2',
  'two values joined by a comma',
  'x-forwarded-client-cert with spoofed, doubled or contradicting parts',
  'values that mean nothing',
  'folded lines, NUL, broken and doubled escapes',
  'base64 that is not canonical',
  'header beyond the limits',
  'PEM with something beside the one certificate',
  'forged verdict of a proxy',
  'header and handshake with different certificates',
  'octets after the certificate',
  'lengths that are not minimal',
  'booleans that are not DER',
  'extension twice',
  'version 1 or 2',
  'serial out of range',
  'two signature algorithms',
  'unused bits',
  'bombs',
  'strings that are not of their type',
  'alternative names that can be read in two ways',
  'subject names that can be read in two ways',
  'dates that do not exist',
  'malleated ECDSA signature',
  'single flipped bits',
  'odd keys and parameters',
  'out of time at any level',
  'certificate that is no authority as issuer',
  'path length exceeded',
  'loops and cross-signed authorities',
  'twin authority of the same name',
  'name constraints',
  'unknown critical extension',
  'weak algorithms and keys',
  'certificate for another purpose',
  'missing key usage',
  'addresses in certificates that point inside',
  'chains that are too long',
  'self-signed certificate',
  'anchor withdrawn',
  'revoked, unknown, on hold, removed',
  'OCSP answer out of time',
  'OCSP answer replayed',
  'OCSP answer about another certificate',
  'OCSP answer that contradicts itself',
  'OCSP answer by the wrong signer',
  'responder that misbehaves',
  'nothing to ask',
  'one source down, or both',
  'sources that contradict each other',
  'list that does not count',
  'caches',
  'authority revoked',
  'PSD2 statement with something wrong',
  'role missing',
  'QcType missing or wrong',
  'not qualified',
  'authority of the PSD2 statement',
  'organizationIdentifier',
  'trusted list forged, old or wrapped',
  'register of the authority',
  'certificate that resembles the one bound',
  'thumbprint in another form',
  'token of another',
  'rotation after revocation',
  'one certificate with two thumbprints',
  'one certificate for two clients',
  'log injection',
];

/** Numbers may stand as `attack 36`, `attack 1 and 2` or `attack 8, 11 and 12`, in a title or in a table of titles. */
const NAMED = /['"`][^'"`\n]*?\battack (\d+(?:(?:, | and )\d+)*)/g;

async function namedNumbers(): Promise<ReadonlyMap<number, readonly string[]>> {
  const named = new Map<number, string[]>();
  for await (const file of glob(['src/**/*.test.ts', 'test/**/*.test.ts', 'sandbox/**/*.test.ts'], { cwd: ROOT })) {
    for (const [, list = ''] of readFileSync(join(ROOT, file), 'utf8').matchAll(NAMED)) {
      for (const number of list.split(/, | and /).map(Number)) named.set(number, [...(named.get(number) ?? []), file]);
    }
  }
  return named;
}

test('every attack of the catalogue has a test that names it, and no test names one that is not there', async () => {
  const named = await namedNumbers();
  const missing = CATALOGUE.flatMap((title, index) => (named.has(index + 1) ? [] : [`${index + 1}: ${title}`]));
  assert.deepEqual(missing, []);
  assert.deepEqual(
    [...named.keys()].filter((number) => CATALOGUE[number - 1] === undefined),
    [],
  );
});
