import { type DerElement, expectElement, NotDer, readElements, readOnly, serialOf } from './der-reader.ts';

const SEQUENCE = 0x30;
const OCTET_STRING = 0x04;
const OID = 0x06;
const BOOLEAN = 0x01;
/** `[0]`, `[1]`, `[2]`, constructed. */
const CONTEXT = [0xa0, 0xa1, 0xa2] as const;

/** One question: which certificate of which authority (RFC 6960 §4.1.1). */
export interface CertId {
  /** As it was sent: the answer repeats it. */
  readonly encoded: Buffer;
  /** Content octets of the hash's object identifier, as hexadecimal. */
  readonly hash: string;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  readonly serial: string;
}

/** What a client asks. */
export interface OcspRequest {
  readonly certIds: readonly CertId[];
  /** The nonce extension's value, to be given back as it came. */
  readonly nonce: Buffer | undefined;
}

/** More questions at once are nobody's honest need. */
const MAXIMUM_QUESTIONS = 16;
const MAXIMUM_EXTENSIONS = 8;
/** RFC 9654 §2.1. */
const MAXIMUM_NONCE_OCTETS = 128;
const NONCE = '2b0601050507300102';

/** Reads a request; signatures and names of requestors are passed over, as RFC 6960 §4.1.2 allows. @throws NotDer */
export function parseOcspRequest(octets: Buffer): OcspRequest {
  const [tbs, signature, ...more] = readElements(readOnly(octets, SEQUENCE).content);
  if (more.length > 0 || (signature !== undefined && signature.tag !== CONTEXT[0])) throw new NotDer('no request');
  const parts = [...readElements(expectElement(tbs, SEQUENCE).content)];
  // Version 1 is the default, which DER leaves out.
  if (parts[0]?.tag === CONTEXT[0]) throw new NotDer('another version');
  if (parts[0]?.tag === CONTEXT[1]) parts.shift();
  const [list, extensions, ...rest] = parts;
  if (rest.length > 0) throw new NotDer('no request');
  const questions = readElements(expectElement(list, SEQUENCE).content);
  if (questions.length === 0 || questions.length > MAXIMUM_QUESTIONS) throw new NotDer('too few or too many questions');
  const nonce = extensions === undefined ? undefined : nonceOf(expectElement(extensions, CONTEXT[2]));
  return { certIds: questions.map(certIdOf), nonce };
}

function certIdOf(question: DerElement): CertId {
  const [certId, extensions, ...more] = readElements(expectElement(question, SEQUENCE).content);
  if (more.length > 0) throw new NotDer('no question');
  if (extensions !== undefined) extensionsOf(expectElement(extensions, CONTEXT[0]));
  const { content, encoded } = expectElement(certId, SEQUENCE);
  const [algorithm, name, key, serial, ...rest] = readElements(content);
  if (serial === undefined || rest.length > 0) throw new NotDer('no certificate id');
  const [hash] = readElements(expectElement(algorithm, SEQUENCE).content);
  return {
    encoded,
    hash: expectElement(hash, OID).content.toString('hex'),
    issuerNameHash: expectElement(name, OCTET_STRING).content,
    issuerKeyHash: expectElement(key, OCTET_STRING).content,
    serial: serialOf(serial),
  };
}

function nonceOf(wrapper: DerElement): Buffer | undefined {
  const value = extensionsOf(wrapper).get(NONCE);
  if (value === undefined) return undefined;
  const { length } = readOnly(value, OCTET_STRING).content;
  if (length === 0 || length > MAXIMUM_NONCE_OCTETS) throw new NotDer('a nonce that is too long, or empty');
  return value;
}

/** Values by identifier. @throws NotDer also for a critical one that we would have to understand */
function extensionsOf(wrapper: DerElement): ReadonlyMap<string, Buffer> {
  const list = readElements(readOnly(wrapper.content, SEQUENCE).content);
  if (list.length > MAXIMUM_EXTENSIONS) throw new NotDer('too many extensions');
  const values = new Map<string, Buffer>();
  for (const extension of list) {
    const [id, ...parts] = readElements(expectElement(extension, SEQUENCE).content);
    const critical = parts[0]?.tag === BOOLEAN ? parts.shift() : undefined;
    const name = expectElement(id, OID).content.toString('hex');
    if (parts.length !== 1 || values.has(name)) throw new NotDer('no extension');
    if (critical !== undefined && name !== NONCE) throw new NotDer('a critical extension that is not understood');
    values.set(name, expectElement(parts[0], OCTET_STRING).content);
  }
  return values;
}
