import { createHash, type KeyObject, sign } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import type { Issued } from './certificates.ts';

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const SHA256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const XADES = 'http://uri.etsi.org/01903/v1.3.2#';
const INFORMATION = 'http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt';
const STATUS = 'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
/** Exclusive canonical form without comments. */
export const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';

/** A status of a service and since when it holds. */
export interface ListedStatus {
  /** `granted`, `withdrawn`, or a whole address. */
  readonly status: string;
  readonly from: Date;
  /** Ends of addresses of additional information, such as `ForWebSiteAuthentication`. */
  readonly uses?: readonly string[];
  readonly type?: string;
  /** Further extensions as XML. */
  readonly extensions?: string;
}

/** A service of a list: its present status and the former ones. */
export interface ListedServiceOptions extends ListedStatus {
  readonly name?: string;
  readonly certificates: readonly Issued[];
  /** Instead of the certificates, the identifiers of a `DigitalId` as XML. */
  readonly identity?: string;
  readonly history?: readonly ListedStatus[];
}

/** What a list says; everything but the services has a default. */
export interface ListOptions {
  readonly territory?: string;
  readonly sequence?: number;
  readonly version?: number;
  readonly type?: string;
  readonly issuedAt?: Date;
  /** `null`: the list is closed. */
  readonly nextUpdate?: Date | null;
  readonly services?: readonly ListedServiceOptions[];
  /** Extra attributes of the root, such as an Id. */
  readonly rootAttributes?: string;
}

/** A trusted list without signature (ETSI TS 119 612). */
export function listXml(options: ListOptions = {}): string {
  const { territory = 'XX', sequence = 7, version = 5, services = [], rootAttributes = '' } = options;
  const issuedAt = options.issuedAt ?? new Date('2026-11-01T00:00:00Z');
  const next = options.nextUpdate === undefined ? new Date('2027-03-01T00:00:00Z') : options.nextUpdate;
  const type = options.type ?? 'http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric';
  return `<?xml version="1.0" encoding="UTF-8"?>
<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" TSLTag="http://uri.etsi.org/19612/TSLTag" ${rootAttributes}>
  <SchemeInformation>
    <TSLVersionIdentifier>${version}</TSLVersionIdentifier>
    <TSLSequenceNumber>${sequence}</TSLSequenceNumber>
    <TSLType>${type}</TSLType>
    <SchemeOperatorName><Name xml:lang="en">Test Operator</Name></SchemeOperatorName>
    <SchemeTerritory>${territory}</SchemeTerritory>
    <ListIssueDateTime>${stamp(issuedAt)}</ListIssueDateTime>
    <NextUpdate>${next === null ? '' : `<dateTime>${stamp(next)}</dateTime>`}</NextUpdate>
  </SchemeInformation>
  <TrustServiceProviderList><TrustServiceProvider>
    <TSPInformation><TSPName><Name xml:lang="en">Test Provider</Name></TSPName></TSPInformation>
    <TSPServices>${services.map(serviceXml).join('')}</TSPServices>
  </TrustServiceProvider></TrustServiceProviderList>
</TrustServiceStatusList>`;
}

function stamp(at: Date): string {
  return at.toISOString().replace('.000Z', 'Z');
}

function serviceXml({ name = 'Test Service', history = [], ...service }: ListedServiceOptions): string {
  const identity =
    service.identity ??
    service.certificates
      .map(({ der }) => `<DigitalId><X509Certificate>${base64(der)}</X509Certificate></DigitalId>`)
      .join('');
  const instances = history.map(
    (former) => `<ServiceHistoryInstance>${statusXml(former, name, '')}</ServiceHistoryInstance>`,
  );
  return `<TSPService><ServiceInformation>${statusXml(service, name, identity)}</ServiceInformation>
    <ServiceHistory>${instances.join('')}</ServiceHistory></TSPService>`;
}

function statusXml({ status, from, uses = [], type, extensions = '' }: ListedStatus, name: string, identity: string) {
  const information = uses.map(
    (use) =>
      `<Extension Critical="true"><AdditionalServiceInformation><URI xml:lang="en">${INFORMATION}/${use}</URI></AdditionalServiceInformation></Extension>`,
  );
  return `<ServiceTypeIdentifier>${type ?? 'http://uri.etsi.org/TrstSvc/Svctype/CA/QC'}</ServiceTypeIdentifier>
    <ServiceName><Name xml:lang="en">${name}</Name></ServiceName>
    <ServiceDigitalIdentity>${identity}</ServiceDigitalIdentity>
    <ServiceStatus>${status.includes(':') ? status : `${STATUS}/${status}`}</ServiceStatus>
    <StatusStartingTime>${stamp(from)}</StatusStartingTime>
    <ServiceInformationExtensions>${information.join('')}${extensions}</ServiceInformationExtensions>`;
}

/** How a list is signed; what is not said is as a good list has it. */
export interface SigningOptions {
  readonly signer: Issued;
  /** Names the certificate in the properties; the signer's unless given. */
  readonly named?: Issued;
  /** What stands in KeyInfo; the signer's unless given. */
  readonly shown?: readonly Issued[];
  readonly signatureAlgorithm?: string;
  readonly digestAlgorithm?: string;
  readonly canonicalization?: string;
  readonly transforms?: readonly string[];
  /** `URI` of the reference to the document, without `#`; empty unless given, and then an Id of the root. */
  readonly rootId?: string;
  /** SigningCertificate of the older XAdES. */
  readonly older?: boolean;
  /** Leaves the reference to the properties out. */
  readonly withoutProperties?: boolean;
  readonly location?: string;
  /** Changes the XAdES properties before they are signed. */
  readonly properties?: (xml: string) => string;
}

/** Signs a list as its operator does: enveloped XAdES baseline B. */
export function signList(xml: string, options: SigningOptions): string {
  const { signer, named = signer, shown = [signer], canonicalization = EXCLUSIVE, older = false } = options;
  const { properties = (xml) => xml } = options;
  const kind = signer.key.asymmetricKeyType === 'ec' ? 'ecdsa' : 'rsa';
  const signatureAlgorithm = options.signatureAlgorithm ?? `${MORE}${kind}-sha256`;
  const signature = new SignedXml({
    privateKey: signer.keyPem,
    publicCert: signer.certificatePem,
    signatureAlgorithm,
    canonicalizationAlgorithm: canonicalization,
    getKeyInfoContent: () =>
      `<ds:X509Data>${shown.map(({ der }) => `<ds:X509Certificate>${base64(der)}</ds:X509Certificate>`).join('')}</ds:X509Data>`,
    objects: [{ content: properties(propertiesXml(named, older)) }],
  });
  signature.SignatureAlgorithms[signatureAlgorithm] ??= ellipticSignature(signatureAlgorithm, signer.key);
  const digestAlgorithm = options.digestAlgorithm ?? SHA256;
  signature.addReference({
    xpath: '/*',
    transforms: options.transforms ?? [ENVELOPED, canonicalization],
    digestAlgorithm,
    ...(options.rootId === undefined ? { isEmptyUri: true } : {}),
  });
  if (options.withoutProperties !== true) {
    signature.addReference({
      xpath: "//*[local-name(.)='SignedProperties']",
      type: 'http://uri.etsi.org/01903#SignedProperties',
      transforms: [canonicalization],
      digestAlgorithm,
    });
  }
  const location = { reference: options.location ?? '/*', action: 'append' } as const;
  signature.computeSignature(xml, { prefix: 'ds', attrs: { Id: 'id-signature' }, location });
  return signature.getSignedXml();
}

function propertiesXml(named: Issued, older: boolean): string {
  const digest = createHash('sha256').update(named.der).digest('base64');
  const element = older ? 'SigningCertificate' : 'SigningCertificateV2';
  return `<xades:QualifyingProperties xmlns:xades="${XADES}" Target="#id-signature"><xades:SignedProperties Id="id-properties"><xades:SignedSignatureProperties><xades:SigningTime>2026-11-01T00:00:00Z</xades:SigningTime><xades:${element}><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="${SHA256}"/><ds:DigestValue>${digest}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:${element}></xades:SignedSignatureProperties></xades:SignedProperties></xades:QualifyingProperties>`;
}

/** The library knows RSA alone; trusted lists are signed with elliptic curves too. */
function ellipticSignature(name: string, key: KeyObject): SignedXml['SignatureAlgorithms'][string] {
  const hash = name.slice(-6);
  return class {
    getAlgorithmName = () => name;
    getSignature = (signed: unknown) =>
      sign(hash, Buffer.from(String(signed)), { key, dsaEncoding: 'ieee-p1363' }).toString('base64');
    verifySignature = () => false;
  };
}

function base64(der: Uint8Array): string {
  return Buffer.from(der).toString('base64');
}
