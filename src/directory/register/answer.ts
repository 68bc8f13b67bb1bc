import { isRecord } from '../../platform/json.ts';
import { ROLES, type Role } from '../participant.ts';
import { type RegisterAnswer, type RegisterQuestion, RegisterUnavailable, type RolesByCountry } from './register.ts';

/** More countries than there are. */
const MAXIMUM_COUNTRIES = 300;
const COUNTRY = /^[A-Z]{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * The answer of a service to a question. It names whom it is about: an answer about somebody else counts for nothing (N-30).
 * @throws RegisterUnavailable `register_malformed`, `register_other_number`
 */
export function parseAnswer(value: unknown, question: RegisterQuestion): RegisterAnswer {
  if (!isRecord(value)) throw malformed('an answer must be an object');
  for (const name of ['country', 'authority', 'number'] as const) {
    if (value[name] !== question[name])
      throw new RegisterUnavailable('register_other_number', `the register answered about another ${name}`);
  }
  switch (value.status) {
    case 'authorised':
      return { status: 'authorised', roles: parseRoles(value.roles), until: parseMoment(value.until, 'until') };
    case 'withdrawn':
      return { status: 'withdrawn' };
    case 'unknown':
      return { status: 'unknown' };
    default:
      throw malformed('status must be authorised, withdrawn or unknown');
  }
}

/** Roles by country as JSON states them. @throws RegisterUnavailable `register_malformed` */
export function parseRoles(value: unknown): RolesByCountry {
  if (!isRecord(value)) throw malformed('roles must be an object of lists by country');
  const entries = Object.entries(value);
  if (entries.length > MAXIMUM_COUNTRIES) throw malformed(`roles name more than ${MAXIMUM_COUNTRIES} countries`);
  return Object.fromEntries(
    entries.map(([country, roles]) => {
      if (!COUNTRY.test(country)) throw malformed('a country has two capital letters');
      return [country, listOfRoles(roles)];
    }),
  );
}

function listOfRoles(value: unknown): readonly Role[] {
  if (!Array.isArray(value)) throw malformed('the roles in a country are a list');
  const items: unknown[] = value;
  const strange = items.some((item) => !ROLES.some((role) => role === item));
  if (strange) throw malformed(`a role is one of ${ROLES.join(', ')}`);
  return ROLES.filter((role) => items.includes(role));
}

/** A date or a moment with its zone; undefined when absent. @throws RegisterUnavailable `register_malformed` */
export function parseMoment(value: unknown, name: string): Date | undefined {
  if (value === undefined || value === null) return undefined;
  const moment = typeof value === 'string' && MOMENT.test(value) ? new Date(value) : undefined;
  if (typeof value !== 'string' || moment === undefined || Number.isNaN(moment.getTime()) || !isDay(value.slice(0, 10)))
    throw malformed(`${name} must be a date, or a moment with its zone`);
  return moment;
}

/** A day that does not exist, such as 30 February, would be read as another one. */
function isDay(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** A register that said something, and not what it should. */
export function malformed(message: string): RegisterUnavailable {
  return new RegisterUnavailable('register_malformed', message);
}
