import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { isIPv4 } from 'node:net';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  nothing,
  octetString,
  oid,
  pemOf,
  printable,
  sequence,
  set,
  time,
  utf8,
} from './der.ts';
import { type QcStatementOptions, qcStatements } from './qc-statements.ts';

/** A key and how it signs. */
export type KeyType = 'ec' | 'ec384' | 'ec521' | 'rsa' | 'rsa1024' | 'rsa3072' | 'ed25519' | 'secp256k1';

/** What a test wants in a certificate; everything has a default that makes a good one. */
export interface CertificateOptions extends QcStatementOptions {
  readonly commonName?: string | undefined;
  readonly organization?: string | undefined;
  readonly organizationIdentifier?: string | undefined;
  readonly country?: string | undefined;
  readonly dnsNames?: readonly string[] | undefined;
  readonly uris?: readonly string[] | undefined;
  readonly emails?: readonly string[] | undefined;
  readonly ipAddresses?: readonly string[] | undefined;
  readonly notBefore?: Date | undefined;
  readonly notAfter?: Date | undefined;
  /** Names (`clientAuth`, `serverAuth`, …) or dotted OIDs. Empty: no extension. Default for leaves: `clientAuth`. */
  readonly extendedKeyUsages?: readonly string[] | undefined;
  /** Empty: no extension. Default: `digitalSignature` for leaves, `keyCertSign` and `cRLSign` for authorities. */
  readonly keyUsages?: readonly KeyUsage[] | undefined;
  readonly keyType?: KeyType | undefined;
  /** An existing key instead of a new one. */
  readonly key?: KeyObject | undefined;
  readonly serial?: bigint | undefined;
  readonly ocspUrls?: readonly string[] | undefined;
  readonly caIssuersUrls?: readonly string[] | undefined;
  readonly crlUrls?: readonly string[] | undefined;
  /** Further extensions as DER (see `extension`). */
  readonly extensions?: readonly Uint8Array[] | undefined;
  /** basicConstraints; `pathLength` only with `authority`. */
  readonly authority?: boolean | undefined;
  readonly pathLength?: number | undefined;
  /** Octets that replace what would have been written: how malformed variants are made. */
  readonly raw?: RawParts | undefined;
}

/** Parts of a certificate as DER. */
export interface RawParts {
  readonly version?: Uint8Array;
  readonly serial?: Uint8Array;
  readonly innerAlgorithm?: Uint8Array;
  readonly outerAlgorithm?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly publicKey?: Uint8Array;
  /** The `[3]` element, or nothing at all when empty. */
  readonly extensions?: Uint8Array;
  /** Names the digest; the signature is then made with it. */
  readonly digest?: string;
  /** RSASSA-PSS instead of PKCS#1 v1.5. */
  readonly saltLength?: number;
  readonly signature?: Uint8Array;
}

/** A certificate with its key. */
export interface Issued {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly key: KeyObject;
  readonly der: Buffer;
  /** Leaf first, then intermediates; the root is left out. */
  readonly chainPem: string;
  readonly chain: readonly Buffer[];
  readonly serial: bigint;
  readonly subject: Buffer;
  readonly publicKeyInfo: Buffer;
}

/** A certificate authority of a test. */
export interface Authority extends Issued {
  readonly name: string;
  issue(options?: CertificateOptions): Issued;
  /** A server certificate for `localhost`, `127.0.0.1` and `::1`. */
  issueServer(options?: CertificateOptions): Issued;
  createIntermediate(name: string, options?: CertificateOptions): Authority;
  /** Signs anything with the authority's key: `algorithm` and `signature` for CRLs and OCSP responses. */
  sign(tbs: Uint8Array, digest?: string): { readonly algorithm: Buffer; readonly signature: Buffer };
}

export type KeyUsage = 'digitalSignature' | 'nonRepudiation' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign';

const KEY_USAGE_BITS: Readonly<Record<KeyUsage, number>> = {
  digitalSignature: 0x80,
  nonRepudiation: 0x40,
  keyEncipherment: 0x20,
  keyCertSign: 0x04,
  cRLSign: 0x02,
};
const EXTENDED_KEY_USAGES: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  any: '2.5.29.37.0',
};
/** A validity that fits any clock a test fixes. */
const LONG_AGO = new Date('2020-01-01T00:00:00Z');
const FAR_AHEAD = new Date('2049-01-01T00:00:00Z');

/** A self-signed root authority: `createAuthority('Test Root')`. */
export function createAuthority(name: string, options: CertificateOptions = {}): Authority {
  const key = options.key ?? newKey(options.keyType ?? 'ec');
  const wanted = { keyUsages: authorityUsages, authority: true, commonName: name, ...options, key };
  const root = mint(wanted, { subject: subjectOf(wanted), key, keyId: keyIdOf(key) }, []);
  return authorityOf(name, root, []);
}

const authorityUsages: readonly KeyUsage[] = ['keyCertSign', 'cRLSign'];

/** An authority around a certificate at hand, for twins and cross-signed certificates. */
export function authorityOf(name: string, issued: Issued, chain: readonly Buffer[]): Authority {
  const signer: Signer = { subject: issued.subject, key: issued.key, keyId: keyIdOf(issued.key) };
  const issue = (options: CertificateOptions = {}) =>
    mint({ extendedKeyUsages: ['clientAuth'], commonName: 'Test Participant', ...options }, signer, chain);
  return {
    ...issued,
    name,
    issue,
    issueServer: (options = {}) =>
      issue({
        commonName: 'localhost',
        dnsNames: ['localhost'],
        ipAddresses: ['127.0.0.1', '::1'],
        extendedKeyUsages: ['serverAuth'],
        ...options,
      }),
    createIntermediate: (commonName, options = {}) => {
      const usages = { extendedKeyUsages: [], keyUsages: authorityUsages };
      const child = mint({ ...usages, authority: true, commonName, ...options }, signer, chain);
      return authorityOf(commonName, child, child.chain);
    },
    sign: (tbs, digest) => ({
      algorithm: algorithmOf(issued.key, digest ?? 'sha256'),
      signature: signWith(issued.key, tbs, digest ?? 'sha256'),
    }),
  };
}

interface Signer {
  readonly subject: Uint8Array;
  readonly key: KeyObject;
  readonly keyId: Uint8Array;
}

/** A private key. */
export function newKey(type: KeyType): KeyObject {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  if (type.startsWith('rsa')) {
    return generateKeyPairSync('rsa', { modulusLength: Number(type.slice(3)) || 2048 }).privateKey;
  }
  const curves: Record<string, string> = { ec: 'P-256', ec384: 'P-384', ec521: 'P-521', secp256k1: 'secp256k1' };
  return generateKeyPairSync('ec', { namedCurve: curves[type] ?? 'P-256' }).privateKey;
}

function mint(options: CertificateOptions, signer: Signer, chain: readonly Buffer[]): Issued {
  const key = options.key ?? newKey(options.keyType ?? 'ec');
  const raw = options.raw ?? {};
  const digest = raw.digest ?? 'sha256';
  const serial = options.serial ?? BigInt(`0x01${randomBytes(9).toString('hex')}`);
  const algorithm = raw.innerAlgorithm ?? algorithmOf(signer.key, digest);
  const subject = Buffer.from(raw.subject ?? subjectOf(options));
  const publicKeyInfo = Buffer.from(raw.publicKey ?? publicKeyInfoOf(key));
  const tbs = sequence(
    raw.version ?? explicit(0, integer(2)),
    raw.serial ?? integer(serial),
    algorithm,
    raw.issuer ?? signer.subject,
    raw.validity ?? sequence(time(options.notBefore ?? LONG_AGO), time(options.notAfter ?? FAR_AHEAD)),
    subject,
    publicKeyInfo,
    raw.extensions ?? explicit(3, sequence(...extensionsOf(options, key, signer))),
  );
  const signature = raw.signature ?? signWith(signer.key, tbs, digest, raw.saltLength);
  const der = sequence(tbs, raw.outerAlgorithm ?? algorithm, bitString(signature));
  const full = [der, ...chain];
  return {
    certificatePem: pemOf(der),
    keyPem: keyPemOf(key),
    key,
    der,
    chainPem: full.map((item) => pemOf(item)).join(''),
    chain: full,
    serial,
    subject,
    publicKeyInfo,
  };
}

/** Thousands of certificates share a few keys, and writing a key takes longer than signing with it. */
const keyPems = new WeakMap<KeyObject, string>();
const publicKeyInfos = new WeakMap<KeyObject, Buffer>();

function keyPemOf(key: KeyObject): string {
  const pem = keyPems.get(key) ?? key.export({ type: 'pkcs8', format: 'pem' }).toString();
  keyPems.set(key, pem);
  return pem;
}

/** A SubjectPublicKeyInfo of a private key. */
export function publicKeyInfoOf(key: KeyObject): Buffer {
  const octets = publicKeyInfos.get(key) ?? createPublicKey(key).export({ type: 'spki', format: 'der' });
  publicKeyInfos.set(key, octets);
  return Buffer.from(octets);
}

function keyIdOf(key: KeyObject): Buffer {
  return createHash('sha1').update(publicKeyInfoOf(key)).digest();
}

function signWith(key: KeyObject, tbs: Uint8Array, digest: string, saltLength?: number): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, tbs, key);
  if (saltLength === undefined) return sign(digest, tbs, key);
  return sign(digest, tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
}

const ALGORITHMS: Readonly<Record<string, Buffer>> = {
  'rsa sha256': sequence(oid('1.2.840.113549.1.1.11'), nothing),
  'rsa sha384': sequence(oid('1.2.840.113549.1.1.12'), nothing),
  'rsa sha512': sequence(oid('1.2.840.113549.1.1.13'), nothing),
  'rsa sha1': sequence(oid('1.2.840.113549.1.1.5'), nothing),
  'rsa md5': sequence(oid('1.2.840.113549.1.1.4'), nothing),
  'ec sha256': sequence(oid('1.2.840.10045.4.3.2')),
  'ec sha384': sequence(oid('1.2.840.10045.4.3.3')),
  'ec sha512': sequence(oid('1.2.840.10045.4.3.4')),
  'ec sha1': sequence(oid('1.2.840.10045.4.1')),
  'ed25519 sha256': sequence(oid('1.3.101.112')),
};

/** The AlgorithmIdentifier a key signs with. */
export function algorithmOf(key: KeyObject, digest = 'sha256'): Buffer {
  const found = ALGORITHMS[`${key.asymmetricKeyType} ${digest}`];
  if (found === undefined) throw new Error(`no algorithm for ${key.asymmetricKeyType} with ${digest}`);
  return found;
}

/** One relative distinguished name with one attribute. */
export const rdn = (type: string, value: Uint8Array): Buffer => set(sequence(oid(type), value));

function subjectOf(options: CertificateOptions): Buffer {
  const { country, organization, organizationIdentifier, commonName } = options;
  return sequence(
    ...(country === undefined ? [] : [rdn('2.5.4.6', printable(country))]),
    ...(organization === undefined ? [] : [rdn('2.5.4.10', utf8(organization))]),
    ...(organizationIdentifier === undefined ? [] : [rdn('2.5.4.97', utf8(organizationIdentifier))]),
    ...(commonName === undefined ? [] : [rdn('2.5.4.3', utf8(commonName))]),
  );
}

/** An Extension: `critical` is left out when false, as DER wants. */
export function extension(id: string, value: Uint8Array, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function extensionsOf(options: CertificateOptions, key: KeyObject, signer: Signer): readonly Uint8Array[] {
  const { extendedKeyUsages = [], keyUsages = ['digitalSignature'] } = options;
  const names = alternativeNames(options);
  const access = [
    ...(options.ocspUrls ?? []).map((url) => accessDescription('1.3.6.1.5.5.7.48.1', url)),
    ...(options.caIssuersUrls ?? []).map((url) => accessDescription('1.3.6.1.5.5.7.48.2', url)),
  ];
  const lists = (options.crlUrls ?? []).map((url) => sequence(explicit(0, explicit(0, implicit(6, Buffer.from(url))))));
  const statements = qcStatements(options);
  const usages = extendedKeyUsages.map((name) => oid(EXTENDED_KEY_USAGES[name] ?? name));
  const constraints = options.pathLength === undefined ? [] : [integer(options.pathLength)];
  return [
    ...(options.authority === true ? [extension('2.5.29.19', sequence(boolean(true), ...constraints), true)] : []),
    ...(keyUsages.length === 0 ? [] : [extension('2.5.29.15', keyUsageBits(keyUsages), true)]),
    ...(usages.length === 0 ? [] : [extension('2.5.29.37', sequence(...usages))]),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', sequence(...names))]),
    extension('2.5.29.14', octetString(keyIdOf(key))),
    extension('2.5.29.35', sequence(implicit(0, signer.keyId))),
    ...(access.length === 0 ? [] : [extension('1.3.6.1.5.5.7.1.1', sequence(...access))]),
    ...(lists.length === 0 ? [] : [extension('2.5.29.31', sequence(...lists))]),
    ...(statements === undefined ? [] : [extension('1.3.6.1.5.5.7.1.3', statements)]),
    ...(options.extensions ?? []),
  ];
}

function keyUsageBits(usages: readonly KeyUsage[]): Buffer {
  const bits = usages.reduce((sum, usage) => sum | KEY_USAGE_BITS[usage], 0);
  return bitString(Buffer.from([bits]), Math.max(0, 31 - Math.clz32(bits & -bits)));
}

const accessDescription = (method: string, url: string): Buffer =>
  sequence(oid(method), implicit(6, Buffer.from(url, 'latin1')));

function alternativeNames(options: CertificateOptions): readonly Uint8Array[] {
  return [
    ...(options.dnsNames ?? []).map((name) => implicit(2, Buffer.from(name, 'latin1'))),
    ...(options.uris ?? []).map((uri) => implicit(6, Buffer.from(uri, 'latin1'))),
    ...(options.emails ?? []).map((email) => implicit(1, Buffer.from(email, 'latin1'))),
    ...(options.ipAddresses ?? []).map((address) => implicit(7, ipOctets(address))),
  ];
}

/** The octets of an address: 4 or 16. Of IPv6 only full forms and one `::` are understood, enough for tests. */
export function ipOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const left = head.split(':').filter((part) => part !== '');
  const right = tail.split(':').filter((part) => part !== '');
  const middle = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...middle, ...right].map((part) => part.padStart(4, '0')).join(''), 'hex');
}
