import { readFile } from 'node:fs/promises';
import { isRecord } from '../../platform/json.ts';
import { malformed, parseMoment, parseRoles } from './answer.ts';
import type { Authorisation, Snapshot } from './authorisation.ts';
import { enter, keyOf } from './authorisation.ts';

/** A list that a person or a script keeps; the published register of a union of states has a format of its own. */
const MAXIMUM_OCTETS = 16 * 1024 * 1024;
const MAXIMUM_AUTHORISATIONS = 100_000;
const MEMBERS = ['country', 'authority', 'number', 'roles', 'from', 'until'];
const COUNTRY = /^[A-Z]{2}$/;
const AUTHORITY = /^[A-Z]{2,8}$/;

/** Reads a snapshot in this platform's own form (docs/operate/authority-register.md). @throws RegisterUnavailable `register_malformed` */
export async function readPlain(path: string, size: number): Promise<Snapshot> {
  if (size > MAXIMUM_OCTETS) throw malformed(`a plain snapshot has at most ${MAXIMUM_OCTETS} octets`);
  return parsePlain(parseJson(await readFile(path)));
}

function parseJson(octets: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(octets));
  } catch {
    throw malformed('the snapshot is not JSON');
  }
}

/** The same for what JSON gave. @throws RegisterUnavailable `register_malformed`, naming the entry */
export function parsePlain(value: unknown): Snapshot {
  if (!isRecord(value)) throw malformed('a snapshot must be an object');
  const { publishedAt, authorisations: list } = value;
  const published = parseMoment(publishedAt, 'publishedAt');
  if (published === undefined) throw malformed('publishedAt is missing');
  if (!Array.isArray(list) || list.length > MAXIMUM_AUTHORISATIONS)
    throw malformed(`authorisations must be a list of at most ${MAXIMUM_AUTHORISATIONS}`);
  const authorisations = new Map<string, Authorisation[]>();
  for (const [index, item] of list.entries()) enter(authorisations, ...readEntry(item, `authorisations[${index}]`));
  return { publishedAt: published, authorisations };
}

function readEntry(item: unknown, at: string): readonly [string, readonly Authorisation[]] {
  if (!isRecord(item)) throw malformed(`${at} must be an object`);
  const strange = Object.keys(item).find((name) => !MEMBERS.includes(name));
  // A misspelt "until" must not leave a withdrawn provider authorised.
  if (strange !== undefined) throw malformed(`${at} has a member that is not known`);
  const country = textOf(item.country, COUNTRY, `${at}.country`);
  const authority = textOf(item.authority, AUTHORITY, `${at}.authority`);
  const number = textOf(item.number, /^.{1,200}$/, `${at}.number`);
  const authorisation = {
    roles: parseRoles(item.roles),
    from: parseMoment(item.from, `${at}.from`),
    until: parseMoment(item.until, `${at}.until`),
  };
  return [keyOf({ country, authority, number }), [authorisation]];
}

function textOf(value: unknown, pattern: RegExp, at: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw malformed(`${at} is missing or malformed`);
  return value;
}
