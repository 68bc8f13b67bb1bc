import { createReadStream } from 'node:fs';
import { isRecord } from '../../platform/json.ts';
import type { Role } from '../participant.ts';
import { malformed, parseMoment } from './answer.ts';
import { type Authorisation, enter, keyOf, rolesByCountry, type Snapshot } from './authorisation.ts';
import { jsonObjects } from './json-objects.ts';
import type { RolesByCountry } from './register.ts';

/** The published file has a few hundred megabytes, nearly all of it agents. */
const MAXIMUM_OCTETS = 2 * 1024 * 1024 * 1024;
const MAXIMUM_ENTITIES = 2_000_000;
/** Read in pieces of this size, so that requests are answered between them. */
const PIECE_OCTETS = 256 * 1024;
const MAXIMUM_DATES = 100;

/** Entities that have an authorisation of their own; agents and branches have their parent's, the excluded have none. */
const KINDS: ReadonlySet<string> = new Set(['PSD_PI', 'PSD_EMI', 'PSD_AISP', 'PSD_EPI', 'PSD_EEMI', 'PSD_ENL']);
/** Services of Annex I of PSD2 that make a third party: 5a issuing of payment instruments, 7 initiation, 8 information. */
const ROLE_OF_SERVICE: Readonly<Record<string, Role>> = { PS_05A: 'CBPII', PS_070: 'PISP', PS_080: 'AISP' };

/** How a published file is read. */
export interface EbaOptions {
  /** The file itself bears no date: when it was last written. */
  readonly publishedAt: Date;
  readonly size: number;
  /** Names of authorities in the file that differ from those in certificates, such as `DE_BAFI` to `DE-BAFIN`. */
  readonly authorities: Readonly<Record<string, string>>;
}

/**
 * Reads the payment institutions register as the European Banking Authority publishes it (JSON, unpacked).
 * @throws RegisterUnavailable `register_malformed`: an entity that cannot be understood spoils the file, because what it says
 * may be a withdrawal
 */
export async function readEba(path: string, options: EbaOptions): Promise<Snapshot> {
  if (options.size > MAXIMUM_OCTETS) throw malformed(`a snapshot has at most ${MAXIMUM_OCTETS} octets`);
  return collect(createReadStream(path, { highWaterMark: PIECE_OCTETS }), options);
}

/** The same for the octets of a file. @throws RegisterUnavailable `register_malformed` */
export async function collect(chunks: AsyncIterable<Uint8Array>, options: EbaOptions): Promise<Snapshot> {
  const authorisations = new Map<string, Authorisation[]>();
  let entities = 0;
  for await (const item of jsonObjects(chunks)) {
    entities += 1;
    if (entities > MAXIMUM_ENTITIES) throw malformed(`a snapshot has at most ${MAXIMUM_ENTITIES} entities`);
    if (!isRecord(item) || typeof item.EntityType !== 'string' || !KINDS.has(item.EntityType)) continue;
    enter(authorisations, ...readEntity(item, options.authorities));
  }
  // An empty list is more likely a failed download than the end of all institutions.
  if (authorisations.size === 0) throw malformed('the snapshot names no institution');
  return { publishedAt: options.publishedAt, authorisations };
}

function readEntity(
  entity: Readonly<Record<string, unknown>>,
  authorities: EbaOptions['authorities'],
): readonly [string, readonly Authorisation[]] {
  const properties = propertiesOf(entity.Properties);
  const number = properties.get('ENT_NAT_REF_COD');
  if (typeof number !== 'string' || number === '') throw malformed('an institution has no ENT_NAT_REF_COD');
  const roles = rolesOf(entity.Services);
  const periods = periodsOf(properties.get('ENT_AUT'));
  return [keyOf({ ...authorityOf(entity.CA_OwnerID, authorities), number }), periods.map((p) => ({ ...p, roles }))];
}

const OWNER = /^([A-Z]{2})_([A-Z0-9_]{1,40})$/;
const AUTHORITY_ID = /^([A-Z]{2})-([A-Z]{2,8})$/;

/** `FI_FIN_FSA` in the file is `FI-FINFSA` in certificates, unless the settings say otherwise. */
function authorityOf(owner: unknown, authorities: EbaOptions['authorities']): { country: string; authority: string } {
  if (typeof owner !== 'string') throw malformed('an institution has no CA_OwnerID');
  const mapped = Object.hasOwn(authorities, owner) ? AUTHORITY_ID.exec(authorities[owner] ?? '') : OWNER.exec(owner);
  const [, country, authority] = mapped ?? [];
  if (country === undefined || authority === undefined)
    throw malformed('the CA_OwnerID of an institution is malformed');
  return { country, authority: authority.replaceAll('_', '') };
}

/** A list of objects with one member each, as published. */
function propertiesOf(value: unknown): ReadonlyMap<string, unknown> {
  if (!Array.isArray(value)) throw malformed('an institution has no list of Properties');
  const properties = new Map<string, unknown>();
  for (const item of value) {
    if (!isRecord(item)) throw malformed('a property of an institution is no object');
    for (const [name, content] of Object.entries(item)) {
      if (properties.has(name)) throw malformed('a property of an institution is there twice');
      properties.set(name, content);
    }
  }
  return properties;
}

/** ENT_AUT: dates of change in order; the odd ones begin an authorisation, the even ones withdraw it. */
function periodsOf(value: unknown): readonly Pick<Authorisation, 'from' | 'until'>[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const dates = items.map((item) => parseMoment(item, 'ENT_AUT'));
  if (dates.length > MAXIMUM_DATES || dates.some((date) => date === undefined))
    throw malformed('the dates in ENT_AUT are missing or malformed');
  const moments = dates.map((date) => date?.getTime() ?? 0);
  const ordered = moments.every((moment, index) => index === 0 || moment >= (moments[index - 1] ?? 0));
  if (!ordered) throw malformed('the dates in ENT_AUT are out of order');
  return dates.flatMap((from, index) => (index % 2 === 0 ? [{ from, until: dates[index + 1] }] : []));
}

/** Services: objects of one or more codes by country. No services at all: authorised for nothing that counts here. */
function rolesOf(value: unknown): RolesByCountry {
  if (value === undefined || value === null) return {};
  if (!Array.isArray(value)) throw malformed('the Services of an institution are no list');
  const entries = value.flatMap((item: unknown) => {
    if (!isRecord(item)) throw malformed('a service of an institution is no object');
    return Object.entries(item);
  });
  return rolesByCountry(entries.map(([country, codes]) => [country, rolesOfCodes(codes)]));
}

function rolesOfCodes(codes: unknown): readonly Role[] {
  const items: unknown[] = Array.isArray(codes) ? codes : [codes];
  return items.flatMap((code) => {
    if (typeof code !== 'string') throw malformed('the code of a service is no text');
    return ROLE_OF_SERVICE[code] ?? [];
  });
}
