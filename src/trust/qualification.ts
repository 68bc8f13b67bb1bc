import { cursorOf, elementsOf, readDer, TAG } from './der.ts';
import { oidOf } from './der-values.ts';
import { Malformed } from './malformed.ts';
import type { Certificate } from './x509.ts';

/** What a qualifier says: not qualified at all, or of which kind. Others change nothing here. */
export type Qualifier = 'not-qualified' | 'web' | 'eseal' | 'esign';

/** A statement of a trusted list about those certificates of a service that meet the criteria (TS 119 612 §5.5.9.2). */
export interface Qualification {
  readonly qualifiers: readonly Qualifier[];
  readonly criteria: Criteria;
}

/** Which certificates are meant. */
export interface Criteria {
  readonly assert: 'all' | 'atLeastOne' | 'none';
  /** Each: all of these key usage bits have these values. */
  readonly keyUsages: readonly (readonly { readonly bit: number; readonly value: boolean }[])[];
  /** Each: all of these policies are named. */
  readonly policies: readonly (readonly string[])[];
  /** Each: all of these extended key usages are named. */
  readonly extendedKeyUsages: readonly (readonly string[])[];
  /** Each: all of these attributes are in the subject. */
  readonly subjectAttributes: readonly (readonly string[])[];
  readonly nested: readonly Criteria[];
  /** How many criteria nobody here understands. */
  readonly unknown: number;
}

const CERTIFICATE_POLICIES = '2.5.29.32';
const MAXIMUM_POLICIES = 64;

/**
 * True when the list leaves the leaf qualified for this use. A list takes away and never gives: what is qualified has to say
 * so itself. Criteria that cannot be judged count as met where they take away, and as not met where they leave (fail closed).
 */
export function qualifiesFor(
  leaf: Certificate,
  use: 'transport' | 'signature',
  qualifications: readonly Qualification[],
): boolean {
  const judged = qualifications.map(({ criteria, qualifiers }) => ({ met: meets(leaf, criteria), qualifiers }));
  const certain = new Set(judged.flatMap(({ met, qualifiers }) => (met === true ? qualifiers : [])));
  const possible = new Set(judged.flatMap(({ met, qualifiers }) => (met === false ? [] : qualifiers)));
  if (possible.has('not-qualified')) return false;
  const kinds = ['web', 'eseal', 'esign'] as const;
  const wanted = use === 'transport' ? 'web' : 'eseal';
  return certain.has(wanted) || !kinds.some((kind) => kind !== wanted && possible.has(kind));
}

type Answer = boolean | undefined;

/** Undefined where it cannot be known. */
function meets(leaf: Certificate, criteria: Criteria): Answer {
  const policies = criteria.policies.length === 0 ? [] : policiesOf(leaf);
  const attributes = leaf.subject.rdns.flat().map(({ type }) => type);
  const answers: readonly Answer[] = [
    ...criteria.keyUsages.map((bits) => bits.every(({ bit, value }) => (leaf.keyUsage?.has(bit) ?? false) === value)),
    ...criteria.policies.map((wanted) => policies && wanted.every((policy) => policies.includes(policy))),
    ...criteria.extendedKeyUsages.map((wanted) => includesAll(leaf.extendedKeyUsages ?? [], wanted)),
    ...criteria.subjectAttributes.map((wanted) => includesAll(attributes, wanted)),
    ...criteria.nested.map((inner) => meets(leaf, inner)),
    ...Array.from({ length: criteria.unknown }, () => undefined),
  ];
  if (criteria.assert === 'all')
    return answers.includes(false) ? false : answers.includes(undefined) ? undefined : true;
  const one = answers.includes(true) ? true : answers.includes(undefined) ? undefined : false;
  return criteria.assert === 'atLeastOne' || one === undefined ? one : !one;
}

function includesAll(values: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((value) => values.includes(value));
}

/** Policies a leaf names (RFC 5280 §4.2.1.4); undefined when they cannot be read. */
function policiesOf(leaf: Certificate): readonly string[] | undefined {
  const extension = leaf.extensions.get(CERTIFICATE_POLICIES);
  if (extension === undefined) return [];
  try {
    const list = elementsOf(readDer(extension.value, TAG.sequence), MAXIMUM_POLICIES);
    return list.map((part) => oidOf(cursorOf(part).next(TAG.oid)));
  } catch (cause) {
    if (cause instanceof Malformed) return undefined;
    throw cause;
  }
}
