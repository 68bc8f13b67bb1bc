import type { Qualification, XmlElement } from '../trust/index.ts';
import { children, momentOf, textAt } from './list.ts';
import { qualificationsOf } from './qualifications.ts';

/** What a list says of a service for a time: its present information, or an instance of its history. */
export interface ServiceInformation {
  readonly type: string;
  readonly status: string;
  /** When this status began. */
  readonly from: Date;
  /** Addresses of the additional information, which tell what the service is for. */
  readonly uses: readonly string[];
  readonly qualifications: readonly Qualification[];
  /** False: it has a critical extension that nobody here knows, so it grants nothing. */
  readonly understood: boolean;
}

const KNOWN: ReadonlySet<string> = new Set([
  'AdditionalServiceInformation',
  'Qualifications',
  'ExpiredCertsRevocationInfo',
  'TakenOverBy',
]);

/** Reads the information of a service; undefined when it lacks what it must have. */
export function informationOf(element: XmlElement): ServiceInformation | undefined {
  const type = textAt(element, 'ServiceTypeIdentifier');
  const status = textAt(element, 'ServiceStatus');
  const from = momentOf(textAt(element, 'StatusStartingTime'));
  if (type === undefined || status === undefined || from === undefined) return undefined;
  const extensions = children(element, 'ServiceInformationExtensions').flatMap((list) => children(list, 'Extension'));
  const named = (name: string) => extensions.flatMap((extension) => children(extension, name));
  return {
    type,
    status,
    from,
    uses: named('AdditionalServiceInformation').flatMap((information) => textAt(information, 'URI') ?? []),
    qualifications: named('Qualifications').flatMap(qualificationsOf),
    understood: extensions.every(isUnderstood),
  };
}

function isUnderstood(extension: XmlElement): boolean {
  if (['false', '0'].includes(extension.attributes.get('Critical') ?? '')) return true;
  return extension.children.every(({ name }) => KNOWN.has(name));
}
