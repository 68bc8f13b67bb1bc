import { ROLES, type Role } from '../participant.ts';
import type { RegisterAnswer, RegisterQuestion, RolesByCountry } from './register.ts';

/** One authorisation as a snapshot holds it: a provider may have had several under one number. */
export interface Authorisation {
  readonly roles: RolesByCountry;
  /** Authorised from here on; undefined: since ever. */
  readonly from: Date | undefined;
  /** Withdrawn from here on; undefined: not withdrawn. */
  readonly until: Date | undefined;
}

/** A published register as read: authorisations by country, authority and number. */
export interface Snapshot {
  readonly publishedAt: Date;
  readonly authorisations: ReadonlyMap<string, readonly Authorisation[]>;
}

/** The key of a snapshot (certificates.md §14). The number may hold any character and stands last, so that no two are one. */
export function keyOf({
  country,
  authority,
  number,
}: Pick<RegisterQuestion, 'country' | 'authority' | 'number'>): string {
  return `${country}-${authority}-${number}`;
}

/** What the authorisations under one number come to at a moment. */
export function answerFrom(authorisations: readonly Authorisation[] | undefined, now: Date): RegisterAnswer {
  if (authorisations === undefined) return { status: 'unknown' };
  const inForce = authorisations.filter(
    ({ from, until }) => (from === undefined || from <= now) && (until === undefined || now < until),
  );
  if (inForce.length === 0) return { status: 'withdrawn' };
  const ends = inForce.flatMap(({ until }) => until ?? []);
  const until = ends.length === 0 ? undefined : new Date(Math.min(...ends.map((end) => end.getTime())));
  return { status: 'authorised', roles: united(inForce), until };
}

function united(authorisations: readonly Authorisation[]): RolesByCountry {
  const [only, ...more] = authorisations;
  if (only !== undefined && more.length === 0) return only.roles;
  return rolesByCountry(authorisations.flatMap(({ roles }) => Object.entries(roles)));
}

/** The roles of every country, where a country may be named more than once. */
export function rolesByCountry(entries: readonly (readonly [string, readonly Role[]])[]): RolesByCountry {
  const byCountry = new Map<string, Set<Role>>();
  for (const [country, roles] of entries) {
    const held = byCountry.get(country) ?? new Set<Role>();
    for (const role of roles) held.add(role);
    byCountry.set(country, held);
  }
  return Object.fromEntries([...byCountry].map(([country, held]) => [country, ROLES.filter((role) => held.has(role))]));
}

/** Enters authorisations beside those that are known under the same key. */
export function enter(
  known: Map<string, Authorisation[]>,
  key: string,
  authorisations: readonly Authorisation[],
): void {
  const others = known.get(key);
  if (others === undefined) known.set(key, [...authorisations]);
  else others.push(...authorisations);
}
