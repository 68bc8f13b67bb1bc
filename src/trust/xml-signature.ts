import { createPublicKey } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { sha256 } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import { DEFAULT_ALGORITHM_POLICY, keyProblem } from './algorithms.ts';
import type { SignedDocument } from './signed-xml.ts';
import { parseCertificate } from './x509.ts';
import { CANONICALIZATIONS, DIGESTS, digestOf, digestsFor, signaturesFor } from './xml-algorithms.ts';
import { parseXml, refusedXml, textOfXml, toXmlElement } from './xml-document.ts';
import type { XmlElement } from './xml-element.ts';
import { type SignatureParts, signaturePartsOf } from './xml-signature-parts.ts';

const XADES = 'http://uri.etsi.org/01903/v1.3.2#';

/** See `readSignedXml`. @throws Refusal `trusted_list_refused` 400 */
export function verifySignedXml(document: Uint8Array, signers: readonly Uint8Array[]): SignedDocument {
  const text = textOfXml(document);
  const parts = signaturePartsOf(parseXml(text));
  const signer = signerOf(parts, signers);
  const { root, properties } = signedOctets(text, parts, signer);
  const { certificateDigest, signingTime } = propertiesOf(elementOf(properties));
  if (digestOf(certificateDigest.method, signer) !== certificateDigest.value) {
    throw refusedXml('signer_mismatch', 'The signature names another certificate than the one that made it.');
  }
  return { root: elementOf(root), signer: sha256(signer), signingTime };
}

/** The pinned certificate that the signature comes with; what it is worth is decided by verifying with its key. */
function signerOf({ certificates }: SignatureParts, pinned: readonly Uint8Array[]): Uint8Array {
  const signer = pinned.find((der) => certificates.includes(Buffer.from(der).toString('base64')));
  if (signer === undefined) {
    throw refusedXml(
      'signer_unknown',
      'The document was not signed by one of the certificates that are pinned for it.',
    );
  }
  return signer;
}

interface SignedOctets {
  readonly root: string;
  readonly properties: string;
}

/** The canonical text that the library says was signed; the document itself is not read again. */
function signedOctets(text: string, parts: SignatureParts, signer: Uint8Array): SignedOctets {
  const { publicKeyInfo } = parseCertificate(signer, { anchor: true });
  const weak = keyProblem(publicKeyInfo, DEFAULT_ALGORITHM_POLICY);
  if (weak !== undefined) throw refusedXml('signer_key', `The signer has ${weak}.`);
  const key = createPublicKey({ key: Buffer.from(publicKeyInfo), format: 'der', type: 'spki' });
  const check = new SignedXml({ publicCert: key });
  check.SignatureAlgorithms = signaturesFor(key);
  check.HashAlgorithms = digestsFor();
  const known = Object.entries(check.CanonicalizationAlgorithms);
  check.CanonicalizationAlgorithms = Object.fromEntries(known.filter(([name]) => CANONICALIZATIONS.has(name)));
  if (!verified(check, text, parts.element)) {
    throw refusedXml('signature_invalid', 'The signature of the document does not hold.');
  }
  const signed = check.getSignedReferences();
  const [root, properties] = [parts.documentUri, parts.propertiesUri].map((uri) => {
    const place = check.getReferences().findIndex((reference) => reference.uri === uri);
    return signed[place];
  });
  if (root === undefined || properties === undefined || signed.length !== 2) {
    throw refusedXml('signature_invalid', 'The signature covers something else than it says.');
  }
  return { root, properties };
}

function verified(check: SignedXml, text: string, signature: Element): boolean {
  try {
    check.loadSignature(signature);
    return check.checkSignature(text);
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw refusedXml('signature_invalid', 'The signature of the document cannot be verified.', cause);
  }
}

function elementOf(canonical: string): XmlElement {
  return toXmlElement(parseXml(canonical).documentElement);
}

/** What XAdES wants signed beside the document: when, and with which certificate (EN 319 132-1 §5.2). */
function propertiesOf(properties: XmlElement) {
  const only = (parent: XmlElement | undefined, ...names: readonly string[]): XmlElement => {
    const found = parent?.children.filter(({ name }) => names.includes(name)) ?? [];
    const [first] = found;
    if (first !== undefined && found.length === 1) return first;
    throw refusedXml('signature_properties', `The signed properties lack ${names.join(' or ')}, or have it twice.`);
  };
  if (properties.namespace !== XADES || properties.name !== 'SignedProperties') {
    throw refusedXml('signature_properties', 'The signature does not cover its XAdES properties.');
  }
  const signature = only(properties, 'SignedSignatureProperties');
  const signingTime = new Date(only(signature, 'SigningTime').text);
  if (Number.isNaN(signingTime.getTime())) throw refusedXml('signature_properties', 'The signing time is no time.');
  const [certificate] = only(signature, 'SigningCertificateV2', 'SigningCertificate').children;
  const digest = only(certificate, 'CertDigest');
  const method = only(digest, 'DigestMethod').attributes.get('Algorithm') ?? '';
  if (!DIGESTS.has(method)) throw refusedXml('signature_algorithm', 'The digest of the signer is of no accepted kind.');
  return { certificateDigest: { method, value: only(digest, 'DigestValue').text }, signingTime };
}
