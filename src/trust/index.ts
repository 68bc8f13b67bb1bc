export { type AnchorFacts, findAnchorFacts } from './anchor-facts.ts';
export { isCertificateHeader, stripCertificateHeaders } from './certificate-headers.ts';
export type { JudgeOptions, Trust, TrustRoom } from './contract.ts';
export { type DeniedCertificate, denialId } from './deny-list.ts';
export type { CertificateFields, ExplainedCheck, Explanation } from './explain.ts';
export { CertificateRefusal, refusalFacts, verdictFacts } from './fault.ts';
export { compileSource as checkForwardedSource, type ForwardedSource } from './forwarded.ts';
export type { ForwardedFormat } from './forwarded-formats.ts';
export type { ForwardedParser } from './forwarded-parser.ts';
export type { GrantedPeriod } from './grant.ts';
export type { TrustLog, TrustObservation } from './observation.ts';
export { certificatesOfPem } from './pem.ts';
export type { Criteria, Qualification, Qualifier } from './qualification.ts';
export type { RevocationOrder, RevocationSettings } from './revocation-settings.ts';
export type { AnchorChange, CertificateUse, GrantedAnchor, LeafKeyUsage, TrustScheme } from './scheme.ts';
export { checkServerCertificate } from './server-certificate.ts';
export { openSharing, type Sharing } from './sharing.ts';
export { type SignedJwtExpectation, verifySignedJwt } from './signed-jwt.ts';
export { readSignedXml, type SignedDocument } from './signed-xml.ts';
export {
  countDenied,
  type DeniedEntry,
  deleteDenied,
  insertDenied,
  listDenied,
  MAXIMUM_DENIED_ENTRIES,
} from './store.ts';
export { type SubjectMatches, type SubjectProperty, subjectMatches } from './subject.ts';
export { createTrust, type TrustOptions } from './trust.ts';
export type {
  CertificateFault,
  CertificateReason,
  CertificateVerdict,
  ClientCertificate,
  RevocationEvidence,
} from './verdict.ts';
export { MAXIMUM_XML_BYTES, type XmlElement } from './xml-element.ts';
