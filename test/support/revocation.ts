import { createHash, sign } from 'node:crypto';
import { type Authority, algorithmOf, extension, type Issued } from './certificates.ts';
import {
  bitString,
  enumerated,
  explicit,
  generalizedTime,
  implicit,
  integer,
  nothing,
  octetString,
  oid,
  sequence,
  tagged,
  time,
} from './der.ts';
import { NOW } from './judging.ts';

/** An instant relative to the tests' now. */
export const at = (seconds: number): Date => new Date(NOW.getTime() + seconds * 1000);

/** What a test wants in an OCSP response; the defaults make a good one, signed by the issuer itself. */
export interface OcspOptions {
  readonly status?: 'good' | 'revoked' | 'unknown' | undefined;
  /** CRLReason number. */
  readonly reason?: number | undefined;
  readonly thisUpdate?: Date | undefined;
  /** `null`: none. */
  readonly nextUpdate?: Date | null | undefined;
  readonly producedAt?: Date | undefined;
  readonly nonce?: Uint8Array | undefined;
  readonly signer?: Issued | undefined;
  readonly byKey?: boolean | undefined;
  /** Certificates sent along. Default: the signer's, when delegated. */
  readonly certificates?: readonly Uint8Array[] | undefined;
  readonly hash?: 'sha1' | 'sha256' | 'sha384' | 'md5' | undefined;
  /** The certificate and issuer of the CertID, instead of those asked about. */
  readonly about?: { readonly issuer?: Issued; readonly serial?: bigint } | undefined;
  /** Further single responses. */
  readonly more?: readonly Uint8Array[] | undefined;
  readonly singleExtensions?: readonly Uint8Array[] | undefined;
  readonly extensions?: readonly Uint8Array[] | undefined;
  readonly digest?: string | undefined;
  readonly responseStatus?: number | undefined;
  readonly version?: Uint8Array | undefined;
}

const CERT_ID_HASHES = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  md5: '1.2.840.113549.2.5',
} as const;

/** The key octets of a SubjectPublicKeyInfo: P-256 has 65, RSA keys come as a whole BIT STRING. */
function keyOctets({ publicKeyInfo }: Issued): Buffer {
  const bits = publicKeyInfo.indexOf(Buffer.from([0x03]), 2 + (publicKeyInfo[3] ?? 0));
  const from = publicKeyInfo.length - lengthAt(publicKeyInfo, bits);
  return publicKeyInfo.subarray(from + 1);
}

function lengthAt(octets: Buffer, offset: number): number {
  const first = octets[offset + 1] ?? 0;
  if (first < 0x80) return first;
  return first === 0x81 ? (octets[offset + 2] ?? 0) : octets.readUInt16BE(offset + 2);
}

const digestOf = (hash: string, value: Uint8Array): Buffer => createHash(hash).update(value).digest();

function certId(issuer: Issued, serial: bigint, hash: keyof typeof CERT_ID_HASHES): Buffer {
  return sequence(
    sequence(oid(CERT_ID_HASHES[hash]), nothing),
    octetString(digestOf(hash, issuer.subject)),
    octetString(digestOf(hash, keyOctets(issuer))),
    integer(serial),
  );
}

/** One SingleResponse. */
export function singleResponse(issuer: Issued, serial: bigint, options: OcspOptions = {}): Buffer {
  const { status = 'good', reason, thisUpdate = at(-60), nextUpdate = at(600) } = options;
  const why = reason === undefined ? [] : [explicit(0, enumerated(reason))];
  const states = {
    good: implicit(0, Buffer.alloc(0)),
    revoked: explicit(1, generalizedTime(at(-3600)), ...why),
    unknown: implicit(2, Buffer.alloc(0)),
  };
  const { singleExtensions } = options;
  return sequence(
    certId(issuer, serial, options.hash ?? 'sha1'),
    states[status],
    generalizedTime(thisUpdate),
    ...(nextUpdate === null ? [] : [explicit(0, generalizedTime(nextUpdate))]),
    ...(singleExtensions === undefined ? [] : [explicit(1, sequence(...singleExtensions))]),
  );
}

/** An OCSPResponse about `certificate`, issued by `issuer`. */
export function ocspResponse(issuer: Authority, certificate: Issued, options: OcspOptions = {}): Buffer {
  if (options.responseStatus !== undefined) return sequence(enumerated(options.responseStatus));
  const signer = options.signer ?? issuer;
  const { about = {}, more = [], extensions = [], nonce } = options;
  const single = singleResponse(about.issuer ?? issuer, about.serial ?? certificate.serial, options);
  const all = [...(nonce === undefined ? [] : [extension('1.3.6.1.5.5.7.48.1.2', octetString(nonce))]), ...extensions];
  const data = sequence(
    ...(options.version === undefined ? [] : [options.version]),
    options.byKey === true
      ? explicit(2, octetString(digestOf('sha1', keyOctets(signer))))
      : explicit(1, signer.subject),
    generalizedTime(options.producedAt ?? at(-60)),
    sequence(single, ...more),
    ...(all.length === 0 ? [] : [explicit(1, sequence(...all))]),
  );
  const { digest = 'sha256' } = options;
  const certificates = options.certificates ?? (options.signer === undefined ? [] : [signer.der]);
  const list = certificates.length === 0 ? [] : [explicit(0, sequence(...certificates))];
  const signature = createSignature(digest, data, signer);
  const basic = sequence(data, algorithmOf(signer.key, digest), bitString(signature), ...list);
  return sequence(enumerated(0), explicit(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic))));
}

function createSignature(digest: string, data: Uint8Array, { key }: Issued): Buffer {
  return sign(key.asymmetricKeyType === 'ed25519' ? null : digest, data, key);
}

/** A delegated responder of `issuer`. */
export function responderOf(issuer: Authority, options: Parameters<Authority['issue']>[0] = {}): Issued {
  return issuer.issue({
    commonName: 'Responder',
    extendedKeyUsages: ['ocspSigning'],
    extensions: [extension('1.3.6.1.5.5.7.48.1.5', nothing)],
    ...options,
  });
}

/** What a test wants in a CRL. */
export interface CrlOptions {
  readonly thisUpdate?: Date | undefined;
  /** `null`: none. */
  readonly nextUpdate?: Date | null | undefined;
  readonly number?: bigint | null | undefined;
  readonly extensions?: readonly Uint8Array[] | undefined;
  /** Whole entries as DER instead of serials. */
  readonly entries?: readonly Uint8Array[] | undefined;
  readonly issuerName?: Uint8Array | undefined;
  readonly digest?: string | undefined;
  readonly version?: Uint8Array | undefined;
  readonly outerAlgorithm?: Uint8Array | undefined;
}

/** One entry. */
export function crlEntry(serial: bigint, reason?: number, ...extensions: readonly Uint8Array[]): Buffer {
  const list = [...(reason === undefined ? [] : [extension('2.5.29.21', enumerated(reason))]), ...extensions];
  return sequence(integer(serial), time(at(-3600)), ...(list.length === 0 ? [] : [sequence(...list)]));
}

/** A CertificateList of `issuer`. */
export function crl(issuer: Issued, serials: readonly bigint[], options: CrlOptions = {}): Buffer {
  const entries = options.entries ?? serials.map((serial) => crlEntry(serial));
  const { nextUpdate = at(3600), number = 1n, digest = 'sha256' } = options;
  const algorithm = algorithmOf(issuer.key, digest);
  const extensions = [
    ...(number === null ? [] : [extension('2.5.29.20', integer(number))]),
    ...(options.extensions ?? []),
  ];
  const tbs = sequence(
    options.version ?? integer(1),
    algorithm,
    options.issuerName ?? issuer.subject,
    time(options.thisUpdate ?? at(-60)),
    ...(nextUpdate === null ? [] : [time(nextUpdate)]),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    ...(extensions.length === 0 ? [] : [explicit(0, sequence(...extensions))]),
  );
  return sequence(tbs, options.outerAlgorithm ?? algorithm, bitString(createSignature(digest, tbs, issuer)));
}

/** An issuing distribution point: `url`, and the numbers of the flags that are TRUE. */
export function issuingDistributionPoint(
  url: string | undefined,
  flags: readonly number[] = [],
  some?: Uint8Array,
): Buffer {
  const point = url === undefined ? [] : [explicit(0, explicit(0, implicit(6, Buffer.from(url))))];
  const set = [1, 2, 3, 4, 5].flatMap((number) => {
    if (number === 3 && some !== undefined) return [implicit(3, some)];
    return flags.includes(number) ? [tagged(0x80 | number, Buffer.from([0xff]))] : [];
  });
  return extension('2.5.29.28', sequence(...point, ...set), true);
}
