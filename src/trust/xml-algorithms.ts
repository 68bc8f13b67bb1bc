import { constants, createHash, type KeyObject, verify } from 'node:crypto';
import type { SignedXml } from 'xml-crypto';

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const MORE_2007 = 'http://www.w3.org/2007/05/xmldsig-more#';
const ENCRYPTION = 'http://www.w3.org/2001/04/xmlenc#';

/** Takes the signature out of the document that it is about. */
export const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
/** Without comments, inclusive or exclusive. */
const CANONICAL: readonly string[] = [
  'http://www.w3.org/2001/10/xml-exc-c14n#',
  'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
];
/** The transforms that exist here: no XSLT, no XPath, nothing that computes. */
export const CANONICALIZATIONS: ReadonlySet<string> = new Set([...CANONICAL, ENVELOPED]);
/** The ways to write down what is signed. */
export const CANONICAL_FORMS: ReadonlySet<string> = new Set(CANONICAL);

/** Digests by their identifiers; SHA-1 and MD5 are not among them. */
export const DIGESTS: ReadonlyMap<string, 'sha256' | 'sha384' | 'sha512'> = new Map([
  [`${ENCRYPTION}sha256`, 'sha256'],
  [`${MORE}sha384`, 'sha384'],
  [`${ENCRYPTION}sha512`, 'sha512'],
]);

interface Kind {
  readonly key: 'rsa' | 'ec';
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly pss?: true;
}

/** Signature algorithms by their identifiers (RFC 9231). */
export const SIGNATURES: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  [`${MORE}rsa-sha256`, { key: 'rsa', hash: 'sha256' }],
  [`${MORE}rsa-sha384`, { key: 'rsa', hash: 'sha384' }],
  [`${MORE}rsa-sha512`, { key: 'rsa', hash: 'sha512' }],
  [`${MORE_2007}sha256-rsa-MGF1`, { key: 'rsa', hash: 'sha256', pss: true }],
  [`${MORE_2007}sha384-rsa-MGF1`, { key: 'rsa', hash: 'sha384', pss: true }],
  [`${MORE_2007}sha512-rsa-MGF1`, { key: 'rsa', hash: 'sha512', pss: true }],
  [`${MORE}ecdsa-sha256`, { key: 'ec', hash: 'sha256' }],
  [`${MORE}ecdsa-sha384`, { key: 'ec', hash: 'sha384' }],
  [`${MORE}ecdsa-sha512`, { key: 'ec', hash: 'sha512' }],
]);

/** A digest as XML writes it; undefined for a kind that does not count. */
export function digestOf(method: string, octets: string | Uint8Array): string | undefined {
  const hash = DIGESTS.get(method);
  return hash === undefined ? undefined : createHash(hash).update(octets).digest('base64');
}

/** The digests for the library, in place of its own, among which is SHA-1. */
export function digestsFor(): SignedXml['HashAlgorithms'] {
  return Object.fromEntries(
    [...DIGESTS].map(([name, hash]) => [
      name,
      class {
        getAlgorithmName = () => name;
        getHash = (xml: string) => createHash(hash).update(xml, 'utf8').digest('base64');
      },
    ]),
  );
}

/** The signature algorithms for the library, in place of its own: ECDSA too, and each with its own kind of key alone. */
export function signaturesFor(key: KeyObject): SignedXml['SignatureAlgorithms'] {
  return Object.fromEntries(
    [...SIGNATURES].map(([name, kind]) => [
      name,
      class {
        getAlgorithmName = () => name;
        getSignature = (): string => {
          throw new Error('nothing is signed here');
        };
        verifySignature = (signed: string, _key: unknown, value: string) => isSigned(kind, key, signed, value);
      },
    ]),
  );
}

function isSigned({ key: type, hash, pss }: Kind, key: KeyObject, signed: string, value: string): boolean {
  if (key.asymmetricKeyType !== type) return false;
  const padding = pss === true ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const how =
    type === 'ec'
      ? ({ key, dsaEncoding: 'ieee-p1363' } as const)
      : { key, padding, ...(pss === true ? { saltLength: constants.RSA_PSS_SALTLEN_DIGEST } : {}) };
  return verify(hash, Buffer.from(signed, 'utf8'), how, Buffer.from(value, 'base64'));
}
