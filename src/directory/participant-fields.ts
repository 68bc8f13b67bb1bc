import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import { type NewParticipant, PARTICIPANT_STATUSES, type ParticipantStatus, ROLES, type Role } from './participant.ts';

/** Ids stand in paths, file names and labels: a DNS label says it best (RFC 1035 §2.3.1: 63 octets). */
const ID = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** Long enough for registered company names; bounded because pages and notices show it. */
const MAXIMUM_NAME_CHARACTERS = 200;
/** Control, format (bidirectional overrides), unassigned and line characters, and markup: a name is shown to customers. */
const UNSAFE_IN_TEXT = /[\p{C}\p{Zl}\p{Zp}<>]/u;
/** ETSI TS 119 495 §5.2.1 numbers and plain registry numbers; 64 characters hold every one known. */
const REGISTRATION_NUMBER = /^[A-Za-z0-9](?:[A-Za-z0-9 ._:/-]{0,62}[A-Za-z0-9])?$/;
/** RFC 5321 §4.5.3.1: 64 octets before the @, 254 in all. */
const MAXIMUM_EMAIL_CHARACTERS = 254;
const EMAIL_LOCAL = /^(?=.{1,64}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const EMAIL_DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/;
/** ITU-T E.164 allows 15 digits; the rest is for spaces and separators. */
const PHONE = /^\+?[0-9][0-9 ()/-]{3,30}$/;
/** About 16,000 a second: above it a limit limits nothing. */
const MAXIMUM_REQUESTS_PER_MINUTE = 1_000_000;
/** A reason is a sentence or two, kept in the audit trail for good. */
const MAXIMUM_REASON_CHARACTERS = 500;

const FIELDS = ['id', 'name', 'registrationNumber', 'email', 'phone', 'roles', 'status', 'requestsPerMinute'] as const;
type Field = (typeof FIELDS)[number];

/**
 * Reads a participant from outside, every field checked; `path` is put before the field's name in a refusal.
 * An unknown field is refused, because a misspelt limit would be no limit.
 * @throws Refusal `field_missing`, `field_invalid` 400 naming the field
 */
export function parseNewParticipant(value: unknown, path = ''): NewParticipant {
  if (!isRecord(value)) throw invalid(path === '' ? 'participant' : path, 'must be an object.');
  const prefix = path === '' ? '' : `${path}.`;
  const unknown = Object.keys(value).find((key) => !FIELDS.some((field) => field === key));
  if (unknown !== undefined) throw invalid(`${prefix}${printable(unknown)}`, 'is not a field of a participant.');
  const read = <T>(field: Field, parse: (value: unknown, name: string) => T): T => {
    const found = value[field];
    if (found === undefined || found === '') throw missing(`${prefix}${field}`);
    return parse(found, `${prefix}${field}`);
  };
  return {
    id: read('id', parseId),
    name: read('name', parseName),
    registrationNumber: read('registrationNumber', parseRegistrationNumber),
    email: read('email', parseEmail),
    phone: value.phone === undefined ? undefined : parsePhone(value.phone, `${prefix}phone`),
    roles: read('roles', parseRoles),
    status: read('status', parseFirstStatus),
    requestsPerMinute: parseRateLimit(value.requestsPerMinute, `${prefix}requestsPerMinute`),
  };
}

/** @throws Refusal `field_invalid` 400 when it is not one of the five statuses (LAB-12) */
export function parseStatus(value: unknown, field = 'status'): ParticipantStatus {
  const found = PARTICIPANT_STATUSES.find((status) => status === value);
  if (found === undefined) throw invalid(field, `must be one of ${PARTICIPANT_STATUSES.join(', ')}.`);
  return found;
}

/** Requests per minute; undefined means no limit. @throws Refusal `field_invalid` 400 */
export function parseRateLimit(value: unknown, field = 'requestsPerMinute'): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAXIMUM_REQUESTS_PER_MINUTE)
    return value;
  throw invalid(field, `must be a whole number from 1 to ${MAXIMUM_REQUESTS_PER_MINUTE}.`);
}

/** Why somebody changed something, as the record will keep it. @throws Refusal `field_invalid` 400 */
export function checkReason(reason: string | undefined): void {
  if (reason === undefined) return;
  if (reason.length > MAXIMUM_REASON_CHARACTERS || UNSAFE_IN_TEXT.test(reason))
    throw invalid('reason', `must be at most ${MAXIMUM_REASON_CHARACTERS} characters on one line, without markup.`);
}

function parseId(value: unknown, field: string): string {
  return matching(value, ID, field, 'must be 1 to 63 lower-case letters, digits and hyphens.');
}

function parseName(value: unknown, field: string): string {
  if (typeof value !== 'string' || value.length > MAXIMUM_NAME_CHARACTERS)
    throw invalid(field, `must be a text of at most ${MAXIMUM_NAME_CHARACTERS} characters.`);
  if (UNSAFE_IN_TEXT.test(value) || value.trim() !== value || value.normalize('NFC') !== value)
    throw invalid(field, 'must not contain control or markup characters, or spaces at its ends.');
  return value;
}

function parseRegistrationNumber(value: unknown, field: string): string {
  return matching(value, REGISTRATION_NUMBER, field, 'must be 1 to 64 letters, digits and . _ : / -');
}

function parseEmail(value: unknown, field: string): string {
  const sentence = 'must be an e-mail address.';
  if (typeof value !== 'string' || value.length > MAXIMUM_EMAIL_CHARACTERS) throw invalid(field, sentence);
  const at = value.lastIndexOf('@');
  if (at < 1 || !EMAIL_LOCAL.test(value.slice(0, at)) || !EMAIL_DOMAIN.test(value.slice(at + 1)))
    throw invalid(field, sentence);
  return value;
}

function parsePhone(value: unknown, field: string): string {
  return matching(value, PHONE, field, 'must be a telephone number such as +44 20 7946 0000.');
}

function parseRoles(value: unknown, field: string): readonly Role[] {
  const sentence = `must be a list of different roles out of ${ROLES.join(', ')}.`;
  if (!Array.isArray(value) || value.length > ROLES.length) throw invalid(field, sentence);
  const roles = ROLES.filter((role) => value.includes(role));
  if (roles.length !== value.length) throw invalid(field, sentence);
  return roles;
}

function parseFirstStatus(value: unknown, field: string): ParticipantStatus {
  const status = parseStatus(value, field);
  if (status === 'removed') throw invalid(field, 'cannot be removed from the start.');
  return status;
}

function matching(value: unknown, pattern: RegExp, field: string, sentence: string): string {
  if (typeof value !== 'string' || !pattern.test(value)) throw invalid(field, sentence);
  return value;
}

/** A caller's own key comes back to them in the sentence: short and without surprises. */
function printable(key: string): string {
  return /^[A-Za-z0-9_.-]{1,40}$/.test(key) ? key : '(unprintable)';
}

function missing(field: string): Refusal {
  return new Refusal('field_missing', 400, `${field} is missing.`, { detail: field });
}

/** A refusal of one field, named so that the caller can mend it. */
export function invalid(field: string, sentence: string): Refusal {
  return new Refusal('field_invalid', 400, `${field} ${sentence}`, { detail: field });
}
