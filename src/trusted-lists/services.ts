import { findAnchorFacts, type GrantedPeriod, type XmlElement } from '../trust/index.ts';
import { informationOf, type ServiceInformation } from './information.ts';
import { children, type ListedService, type SkippedServices, type SkipReason, textAt } from './list.ts';

const ISSUES_QUALIFIED = 'http://uri.etsi.org/TrstSvc/Svctype/CA/QC';
const GRANTED = 'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/granted';
const INFORMATION = 'http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt';
/** A service with more certificates of one key than this is none. */
const MAXIMUM_CERTIFICATES = 32;

/** The services of a list: those that may issue, or once issued, qualified certificates, and why the others are left out. */
export function servicesOf(list: XmlElement): {
  readonly services: readonly ListedService[];
  readonly skipped: SkippedServices;
} {
  const services: ListedService[] = [];
  const skipped: Partial<Record<SkipReason, number>> = {};
  for (const provider of children(list, 'TrustServiceProviderList/TrustServiceProvider')) {
    for (const service of children(provider, 'TSPServices/TSPService')) {
      const read = serviceOf(service, nameIn(provider, 'TSPInformation/TSPName'));
      if (typeof read === 'string') skipped[read] = (skipped[read] ?? 0) + 1;
      else services.push(read);
    }
  }
  return { services, skipped };
}

/** The English name, or the first one. */
function nameIn(parent: XmlElement, path: string): string {
  const names = children(parent, `${path}/Name`);
  const english = names.find(({ attributes }) => attributes.get('xml:lang') === 'en');
  return (english ?? names[0])?.text ?? '';
}

function serviceOf(service: XmlElement, provider: string): ListedService | SkipReason {
  const [present] = children(service, 'ServiceInformation');
  if (present === undefined) return 'malformed';
  const current = informationOf(present);
  const former = children(service, 'ServiceHistory/ServiceHistoryInstance').map(informationOf);
  if (current === undefined || former.includes(undefined)) return 'malformed';
  const times = timesOf([current, ...former.flatMap((item) => item ?? [])]);
  if (!times.some(({ information: { type } }) => type === ISSUES_QUALIFIED)) return 'another type of service';
  const granted = { transport: grantsOf(times, 'ForWebSiteAuthentication'), signature: grantsOf(times, 'ForeSeals') };
  if (granted.transport.length + granted.signature.length === 0) {
    return current.understood ? 'never granted for websites or seals' : 'a critical extension that is not understood';
  }
  const identity = identityOf(present);
  if (typeof identity === 'string') return identity;
  const root = current.uses.includes(`${INFORMATION}/RootCA-QC`);
  return { provider, name: nameIn(present, 'ServiceName'), root, granted, ...identity };
}

interface Time {
  readonly information: ServiceInformation;
  readonly from: Date;
  readonly until: Date | undefined;
}

/** A status holds until the next one begins (TS 119 612 §5.6). */
function timesOf(statuses: readonly ServiceInformation[]): readonly Time[] {
  const sorted = statuses.toSorted((one, other) => one.from.getTime() - other.from.getTime());
  return sorted.map((information, index) => ({
    information,
    from: information.from,
    until: sorted[index + 1]?.from,
  }));
}

/** The times of a use; statuses of the law before 2016 are others than `granted`, and count for nothing. */
function grantsOf(times: readonly Time[], use: string): readonly GrantedPeriod[] {
  return times.flatMap(({ information, from, until }) => {
    const { type, status, uses, understood, qualifications } = information;
    const grants = type === ISSUES_QUALIFIED && status === GRANTED && uses.includes(`${INFORMATION}/${use}`);
    return grants && understood ? [{ from, until, qualifications }] : [];
  });
}

function identityOf(present: XmlElement): Pick<ListedService, 'certificates' | 'subject' | 'thumbprint'> | SkipReason {
  const texts = children(present, 'ServiceDigitalIdentity')
    .flatMap((identity) => children(identity, 'DigitalId'))
    .flatMap((id) => textAt(id, 'X509Certificate') ?? []);
  if (texts.length > MAXIMUM_CERTIFICATES) return 'malformed';
  const found = texts.map((base64) => findAnchorFacts(Buffer.from(base64.replaceAll(/\s/g, ''), 'base64')));
  const certificates = found.flatMap((facts) => facts ?? []);
  const [first] = certificates;
  if (texts.length === 0) return 'no certificate, only names or key identifiers';
  if (first === undefined || certificates.length < texts.length) return 'a certificate that cannot be read';
  if (certificates.some(({ authority }) => !authority)) return 'a certificate that may not issue others';
  if (certificates.some(({ spkiSha256 }) => spkiSha256 !== first.spkiSha256)) return 'certificates of different keys';
  return { certificates: certificates.map(({ pem }) => pem), subject: first.subject, thumbprint: first.thumbprint };
}
