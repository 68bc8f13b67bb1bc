import { type AlgorithmPolicy, DEFAULT_ALGORITHM_POLICY } from './algorithms.ts';
import { compileDenyList, type DeniedCertificate, type DenyList } from './deny-list.ts';
import type { Grant } from './grant.ts';
import { type CompiledIssuerFetch, compileIssuerFetch, type IssuerFetchSettings } from './issuer-fetch.ts';
import { Malformed } from './malformed.ts';
import type { Anchor } from './path.ts';
import { certificatesOfPem } from './pem.ts';
import type { StatementRules } from './psd2.ts';
import { type CompiledRevocation, compileRevocation, type RevocationSettings } from './revocation-settings.ts';
import { parseCertificate } from './x509.ts';

/** What certificates of a scheme are for: proving who is at the other end of a connection, or sealing a message. */
export type CertificateUse = 'transport' | 'signature';

/** An anchor with the times in which its status was granted (ETSI TS 119 615). */
export interface GrantedAnchor extends Grant {
  readonly pem: string;
  /** Such as `trusted list BE`. */
  readonly origin: string;
}

/** Key usages a scheme may ask of a leaf. */
export type LeafKeyUsage = 'digitalSignature' | 'nonRepudiation';

/** Which certificates a bank trusts, and how strictly: data of the configuration and the regime (§8.5). */
export interface TrustScheme {
  /** PEM certificates of the anchors: roots or issuing CAs. */
  readonly anchors: readonly string[];
  /** Anchors that count for a time only, as trusted lists grant and withdraw them. */
  readonly grantedAnchors?: readonly GrantedAnchor[] | undefined;
  /** Territories whose trusted list is to be used and is not at hand; undefined when no list is to be used. */
  readonly missingLists?: readonly string[] | undefined;
  /** Purpose OIDs or names the leaf's EKU must contain; empty when the scheme does not ask. Default: clientAuth. */
  readonly extendedKeyUsages: readonly string[];
  /** Default `transport`. */
  readonly use?: CertificateUse | undefined;
  /** Key usages the leaf must have, all of them. Default: digitalSignature; for signatures, that or nonRepudiation. */
  readonly keyUsages?: readonly LeafKeyUsage[] | undefined;
  /** Must the certificate be qualified under EU law (QcCompliance, no foreign legislation)? Default false. */
  readonly qualified?: boolean | undefined;
  /** Must QcType be there? When it is there, it always has to fit the use. Default false. */
  readonly qcTypeRequired?: boolean | undefined;
  /** Must a PSD2 statement with roles be there? When it is there, it always has to be well-formed. Default false. */
  readonly rolesRequired?: boolean | undefined;
  readonly statements?: Partial<StatementRules> | undefined;
  readonly algorithms?: Partial<AlgorithmPolicy> | undefined;
  /** Default `off`: an authority without responder and list would lock everybody out. */
  readonly revocation?: 'off' | RevocationSettings | undefined;
  /** Where intermediates that a caller did not send may be fetched. Absent: nowhere. */
  readonly fetchIssuers?: IssuerFetchSettings | undefined;
  /** Certificates that never count. */
  readonly denied?: readonly DeniedCertificate[] | undefined;
}

/** The anchors of one origin or both, as they are from now on; what is not named stays as it is. */
export type AnchorChange = Partial<Pick<TrustScheme, 'anchors' | 'grantedAnchors' | 'missingLists'>>;

/** A scheme with its anchors read and its settings complete. */
export interface CompiledScheme {
  readonly anchors: readonly Anchor[];
  /** See `TrustScheme`. */
  readonly missingLists: readonly string[] | undefined;
  readonly extendedKeyUsages: readonly string[];
  readonly use: CertificateUse;
  readonly keyUsages: readonly LeafKeyUsage[] | undefined;
  readonly qualified: boolean;
  readonly qcTypeRequired: boolean;
  readonly rolesRequired: boolean;
  readonly statements: StatementRules;
  readonly algorithms: AlgorithmPolicy;
  readonly revocation: CompiledRevocation | undefined;
  readonly fetchIssuers: CompiledIssuerFetch | undefined;
  readonly denied: DenyList;
}

/** Trusted lists of the Union name a few hundred services. */
const MAXIMUM_ANCHORS = 2_000;
const PURPOSES: Readonly<Record<string, string>> = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
  documentSigning: '1.3.6.1.4.1.311.10.3.12',
};
const DOTTED = /^[0-2](\.(0|[1-9]\d*))+$/;

/** Reads a scheme. @throws Error naming the entry that is wrong: a bank without sound anchors does not start. */
export function compileScheme(scheme: TrustScheme): CompiledScheme {
  const awaited = scheme.missingLists?.length ?? 0;
  if (countOf(scheme) + awaited === 0) throw new Error('trust scheme: no anchor: nobody could call');
  return {
    anchors: compileAnchors(scheme),
    missingLists: scheme.missingLists,
    extendedKeyUsages: scheme.extendedKeyUsages.map(purposeOf),
    use: scheme.use ?? 'transport',
    keyUsages: scheme.keyUsages,
    qualified: scheme.qualified ?? false,
    qcTypeRequired: scheme.qcTypeRequired ?? false,
    rolesRequired: scheme.rolesRequired ?? false,
    statements: {
      rolesEncoding: 'etsi',
      authority: 'relaxed',
      organizationIdentifier: 'any',
      ...defined(scheme.statements),
    },
    algorithms: { ...DEFAULT_ALGORITHM_POLICY, ...defined(scheme.algorithms) },
    revocation: typeof scheme.revocation === 'object' ? compileRevocation(scheme.revocation) : undefined,
    fetchIssuers: scheme.fetchIssuers && compileIssuerFetch(scheme.fetchIssuers),
    denied: compileDenyList(scheme.denied ?? []),
  };
}

/** A running bank may lose its last anchor, and then lets nobody in. @throws Error naming the entry that cannot be read */
export function compileAnchors(scheme: TrustScheme): readonly Anchor[] {
  if (countOf(scheme) > MAXIMUM_ANCHORS) throw new Error(`trust scheme: more than ${MAXIMUM_ANCHORS} anchors`);
  const { anchors, grantedAnchors: granted = [] } = scheme;
  return [
    ...anchors.flatMap((pem, index) => anchorsOf({ pem, origin: 'configured' }, index)),
    ...granted.flatMap((anchor, index) => anchorsOf(anchor, anchors.length + index)),
  ];
}

function countOf({ anchors, grantedAnchors }: TrustScheme): number {
  return anchors.length + (grantedAnchors?.length ?? 0);
}

/** Settings that are given; an absent one must not hide its default. */
function defined<T extends object>(settings: T | undefined): Partial<T> {
  const given: Partial<T> = {};
  return Object.assign(
    given,
    Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined)),
  );
}

function anchorsOf({ pem, ...grant }: GrantedAnchor, index: number): readonly Anchor[] {
  try {
    const certificates = certificatesOfPem(pem).map((der) => parseCertificate(der, { anchor: true }));
    return certificates.map((certificate) => ({ certificate, ...grant }));
  } catch (cause) {
    if (cause instanceof Malformed) {
      throw new Error(`trust scheme: anchor ${index + 1} cannot be read (${cause.code}): ${cause.message}`, { cause });
    }
    throw cause;
  }
}

function purposeOf(purpose: string): string {
  const id = PURPOSES[purpose] ?? purpose;
  if (!DOTTED.test(id))
    throw new Error(`trust scheme: extended key usage "${purpose}" is neither a known name nor an OID`);
  return id;
}
