import type { Name, RelativeName } from './name.ts';
import { valuesOf } from './name.ts';
import type { Subtree } from './name-constraints-syntax.ts';
import type { Certificate } from './x509.ts';

const COMMON_NAME = '2.5.4.3';
const LOOKS_LIKE_HOST = /^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/;

/**
 * Why `certificate` breaks the name constraints of an authority above it (RFC 5280 §4.2.1.10); undefined when it does not.
 * An authority whose constraints have a kind that is not evaluated here is refused as a whole.
 */
export function nameConstraintProblem(authority: Certificate, certificate: Certificate): string | undefined {
  const constraints = authority.nameConstraints;
  if (constraints === undefined) return undefined;
  const { permitted, excluded } = constraints;
  if ([...permitted, ...excluded].some(({ kind }) => kind === 'unsupported')) {
    return 'the authority constrains names of a kind that is not evaluated';
  }
  const names = namesOf(certificate);
  const outside = names.find((name) => {
    const rules = permitted.filter(({ kind }) => kind === name.kind);
    return rules.length > 0 && !rules.some((rule) => within(name, rule, 'permitted'));
  });
  if (outside !== undefined) return `a ${outside.kind} name outside the permitted subtrees`;
  const inside = names.find((name) => excluded.some((rule) => within(name, rule, 'excluded')));
  return inside === undefined ? undefined : `a ${inside.kind} name inside an excluded subtree`;
}

type Constrained =
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'directory'; readonly value: Name }
  | { readonly kind: 'ip'; readonly value: Uint8Array };

function namesOf(certificate: Certificate): readonly Constrained[] {
  const { dnsNames, directoryNames, ipAddresses } = certificate.alternativeNames;
  const hosts = dnsNames.length > 0 ? dnsNames : valuesOf(certificate.subject, COMMON_NAME).filter(isHost);
  const subject = certificate.subject.rdns.length > 0 ? [certificate.subject] : [];
  return [
    ...hosts.map((value): Constrained => ({ kind: 'dns', value: value.toLowerCase().replace(/\.$/, '') })),
    ...[...subject, ...directoryNames].map((value): Constrained => ({ kind: 'directory', value })),
    ...ipAddresses.map((value): Constrained => ({ kind: 'ip', value })),
  ];
}

/** A common name that some TLS stack would take for a host counts as one. */
function isHost(value: string): boolean {
  return LOOKS_LIKE_HOST.test(value);
}

function within(name: Constrained, rule: Subtree, side: 'permitted' | 'excluded'): boolean {
  if (name.kind === 'dns' && rule.kind === 'dns') return hostWithin(name.value, rule.base, side);
  if (name.kind === 'directory' && rule.kind === 'directory') return directoryWithin(name.value, rule.base, side);
  return name.kind === 'ip' && rule.kind === 'ip' && addressWithin(name.value, rule.address, rule.mask);
}

function hostWithin(host: string, base: string, side: 'permitted' | 'excluded'): boolean {
  if (base === '' || host === base) return true;
  const suffix = base.startsWith('.') ? base : `.${base}`;
  if (host.endsWith(suffix)) return true;
  // `*.example` stands for names inside an excluded `a.example` too.
  return side === 'excluded' && host.startsWith('*.') && suffix.endsWith(host.slice(1));
}

function directoryWithin(name: Name, base: Name, side: 'permitted' | 'excluded'): boolean {
  // What reads the same is excluded with it (RFC 4518 §2); nothing more is permitted by that.
  const spelling = side === 'excluded' ? folded : canonical;
  return base.rdns.every((rdn, index) => textOf(name.rdns[index], spelling) === textOf(rdn, spelling));
}

function textOf(rdn: RelativeName | undefined, spelling: (value: string) => string): string | undefined {
  return rdn && JSON.stringify(rdn.map(({ type, value }) => [type, spelling(value)]).toSorted());
}

/** Case and repeated spaces do not distinguish names for this purpose (RFC 5280 §7.1). */
function canonical(value: string): string {
  return value.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

/** Nor do other spellings of the same characters, and characters that nobody sees. */
function folded(value: string): string {
  return canonical(value.normalize('NFKC').replaceAll(/\p{Default_Ignorable_Code_Point}/gu, ''));
}

function addressWithin(address: Uint8Array, base: Uint8Array, mask: Uint8Array): boolean {
  if (address.length !== base.length) return false;
  return address.every((octet, index) => {
    const { [index]: bits = 0xff } = mask;
    const { [index]: wanted = 0 } = base;
    return (octet & bits) === (wanted & bits);
  });
}
