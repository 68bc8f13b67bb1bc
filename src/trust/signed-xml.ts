import type { XmlElement } from './xml-element.ts';

/** A document whose signature counts. */
export interface SignedDocument {
  /** The root as it was signed: read from the signed octets, without the signature. */
  readonly root: XmlElement;
  /** Thumbprint (SHA-256, base64url) of the pinned certificate that signed it. */
  readonly signer: string;
  /** What the signer claims. */
  readonly signingTime: Date;
}

/**
 * Verifies an XML document with one enveloped XAdES baseline signature over the whole of it, by exactly one of the pinned
 * certificates, and gives what was signed and nothing else (ETSI TS 119 612 annex B). The XML libraries are loaded by the
 * first call, so that no process has them in memory that reads no list. Slow: call it on a thread of its own.
 * @throws Refusal `trusted_list_refused` 400, its `detail` naming the check
 */
export async function readSignedXml(document: Uint8Array, signers: readonly Uint8Array[]): Promise<SignedDocument> {
  const { verifySignedXml } = await import('./xml-signature.ts');
  return verifySignedXml(document, signers);
}
