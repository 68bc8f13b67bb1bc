import type { Criteria, Qualification, Qualifier, XmlElement } from '../trust/index.ts';
import { children } from './list.ts';

const QUALIFIERS: ReadonlyMap<string, Qualifier> = new Map([
  ['NotQualified', 'not-qualified'],
  ['QCForWSA', 'web'],
  ['QCForESeal', 'eseal'],
  ['QCForESig', 'esign'],
]);
const INFORMATION = 'http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt/';
const BITS: readonly string[] = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'crlSign',
  'encipherOnly',
  'decipherOnly',
];
const ASSERTIONS = ['all', 'atLeastOne', 'none'] as const;

/** What a list says of some certificates of a service; qualifiers that change nothing here are left out. */
export function qualificationsOf(element: XmlElement): readonly Qualification[] {
  return children(element, 'QualificationElement').flatMap((qualification) => {
    const addresses = children(qualification, 'Qualifiers/Qualifier').map(({ attributes }) => attributes.get('uri'));
    const qualifiers = addresses.flatMap((address) => qualifierOf(address) ?? []);
    const lists = children(qualification, 'CriteriaList').map(criteriaOf);
    const [criteria = NOBODY_KNOWS] = lists;
    return qualifiers.length === 0 ? [] : [{ qualifiers, criteria: lists.length === 1 ? criteria : NOBODY_KNOWS }];
  });
}

function qualifierOf(address: string | undefined): Qualifier | undefined {
  return address?.startsWith(INFORMATION) ? QUALIFIERS.get(address.slice(INFORMATION.length)) : undefined;
}

const NOTHING: Criteria = {
  assert: 'all',
  keyUsages: [],
  policies: [],
  extendedKeyUsages: [],
  subjectAttributes: [],
  nested: [],
  unknown: 0,
};
/** Criteria that cannot be judged: every certificate may be meant. */
const NOBODY_KNOWS: Criteria = { ...NOTHING, unknown: 1 };

function criteriaOf(list: XmlElement): Criteria {
  const assert = ASSERTIONS.find((name) => name === list.attributes.get('assert'));
  if (assert === undefined) return NOBODY_KNOWS;
  const parts = list.children.flatMap((child) => (child.name === 'otherCriteriaList' ? child.children : [child]));
  return parts.map(criterionOf).reduce<Criteria>(joined, { ...NOTHING, assert });
}

function joined(one: Criteria, other: Partial<Criteria>): Criteria {
  return {
    assert: one.assert,
    keyUsages: [...one.keyUsages, ...(other.keyUsages ?? [])],
    policies: [...one.policies, ...(other.policies ?? [])],
    extendedKeyUsages: [...one.extendedKeyUsages, ...(other.extendedKeyUsages ?? [])],
    subjectAttributes: [...one.subjectAttributes, ...(other.subjectAttributes ?? [])],
    nested: [...one.nested, ...(other.nested ?? [])],
    unknown: one.unknown + (other.unknown ?? 0),
  };
}

function criterionOf(element: XmlElement): Partial<Criteria> {
  const { name } = element;
  if (name === 'Description') return {};
  if (name === 'CriteriaList') return { nested: [criteriaOf(element)] };
  if (name === 'KeyUsage') return keyUsageOf(element);
  const ids = element.children.map(identifierOf);
  const known = ids.flatMap((id) => id ?? []);
  if (ids.length === 0 || known.length < ids.length) return { unknown: 1 };
  if (name === 'PolicySet') return { policies: [known] };
  if (name === 'ExtendedKeyUsage') return { extendedKeyUsages: [known] };
  if (name === 'CertSubjectDNAttribute') return { subjectAttributes: [known] };
  return { unknown: 1 };
}

function keyUsageOf(element: XmlElement): Partial<Criteria> {
  const bits = element.children.map(({ attributes, text }) => {
    const bit = BITS.indexOf(attributes.get('name') ?? '');
    const value = ['true', '1'].includes(text) ? true : ['false', '0'].includes(text) ? false : undefined;
    return bit === -1 || value === undefined ? undefined : { bit, value };
  });
  const known = bits.flatMap((bit) => bit ?? []);
  return known.length === 0 || known.length < bits.length ? { unknown: 1 } : { keyUsages: [known] };
}

/** An object identifier, plain or as `urn:oid:…`, inside the one `Identifier` of XAdES. */
function identifierOf(element: XmlElement): string | undefined {
  const [identifier, ...more] = children(element, 'Identifier');
  const id = identifier?.text.replace(/^urn:oid:/i, '');
  return more.length === 0 && id !== undefined && /^[0-2](\.\d+)+$/.test(id) ? id : undefined;
}
