import { readAt } from './der.ts';
import { stringOf } from './der-values.ts';
import { Malformed } from './malformed.ts';
import type { Attribute, RelativeName } from './name.ts';

/** Descriptors of RFC 4514 §3, and those that participants' certificates use; the first name of an OID is the one written. */
const DESCRIPTORS: readonly (readonly [descriptor: string, type: string])[] = [
  ['CN', '2.5.4.3'],
  ['L', '2.5.4.7'],
  ['ST', '2.5.4.8'],
  ['O', '2.5.4.10'],
  ['OU', '2.5.4.11'],
  ['C', '2.5.4.6'],
  ['STREET', '2.5.4.9'],
  ['DC', '0.9.2342.19200300.100.1.25'],
  ['UID', '0.9.2342.19200300.100.1.1'],
  ['organizationIdentifier', '2.5.4.97'],
  ['serialNumber', '2.5.4.5'],
  ['businessCategory', '2.5.4.15'],
  ['postalCode', '2.5.4.17'],
  ['SN', '2.5.4.4'],
  ['givenName', '2.5.4.42'],
  ['title', '2.5.4.12'],
  ['emailAddress', '1.2.840.113549.1.9.1'],
  ['jurisdictionLocalityName', '1.3.6.1.4.1.311.60.2.1.1'],
  ['jurisdictionStateOrProvinceName', '1.3.6.1.4.1.311.60.2.1.2'],
  ['jurisdictionCountryName', '1.3.6.1.4.1.311.60.2.1.3'],
  ['commonName', '2.5.4.3'],
  ['localityName', '2.5.4.7'],
  ['stateOrProvinceName', '2.5.4.8'],
  ['organizationName', '2.5.4.10'],
  ['organizationalUnitName', '2.5.4.11'],
  ['countryName', '2.5.4.6'],
  ['streetAddress', '2.5.4.9'],
  ['domainComponent', '0.9.2342.19200300.100.1.25'],
  ['userId', '0.9.2342.19200300.100.1.1'],
  ['surname', '2.5.4.4'],
];
const TYPE_OF = new Map(DESCRIPTORS.map(([descriptor, type]) => [descriptor.toLowerCase(), type]));
const DESCRIPTOR_OF = new Map(DESCRIPTORS.toReversed().map(([descriptor, type]) => [type, descriptor]));

/** A registered subject longer than this is no subject. */
const MAXIMUM_TEXT = 4_096;
/** RFC 4514 §2.4 specials. */
const SPECIAL = new Set(['"', '+', ',', ';', '<', '>', '\\', '=']);
/** What must never reach a log or a header raw: controls, format and bidi characters, line separators. */
const UNSAFE = /^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]$/u;

/** RFC 4514 text of a name, last RDN first; dangerous characters escaped, so that one record stays one line (attack 74). */
export function textOfName(rdns: readonly RelativeName[]): string {
  return rdns
    .toReversed()
    .map((rdn) => rdn.map(({ type, value }) => `${DESCRIPTOR_OF.get(type) ?? type}=${escapeValue(value)}`).join('+'))
    .join(',');
}

function escapeValue(value: string): string {
  const characters = [...value];
  return characters
    .map((character, index) => {
      const edge = index === 0 || index === characters.length - 1;
      if (character === ' ' && edge) return '\\ ';
      if (character === '#' && index === 0) return '\\#';
      if (SPECIAL.has(character)) return `\\${character}`;
      return UNSAFE.test(character) ? hexPairs(character) : character;
    })
    .join('');
}

function hexPairs(character: string): string {
  return Buffer.from(character, 'utf8')
    .toString('hex')
    .replaceAll(/../g, (pair) => `\\${pair.toUpperCase()}`);
}

/** RDNs of RFC 4514 text, in certificate order (the reverse of the text); undefined when the text is not well-formed. */
export function parseNameText(text: string): readonly RelativeName[] | undefined {
  if (text.length === 0 || text.length > MAXIMUM_TEXT || text.includes('\0')) return undefined;
  try {
    return parts(text, ',')
      .map((rdn) => parts(rdn, '+').map(attributeOf))
      .toReversed();
  } catch (cause) {
    if (cause instanceof Malformed) return undefined;
    throw cause;
  }
}

/** Splits at a separator that no backslash escapes. */
function parts(text: string, separator: string): readonly string[] {
  const found: string[] = [];
  let start = 0;
  for (let index = 0; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1;
    else if (text[index] === separator) {
      found.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...found, text.slice(start)];
}

const DOTTED = /^[0-2](\.(0|[1-9]\d*))+$/;

function attributeOf(text: string): Attribute {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Malformed('name_syntax', 'an attribute without "="');
  const descriptor = text.slice(0, equals).trim();
  const type = DOTTED.test(descriptor) ? descriptor : TYPE_OF.get(descriptor.toLowerCase());
  if (type === undefined) throw new Malformed('name_syntax', 'an attribute type nobody knows');
  const raw = trimUnescaped(text.slice(equals + 1));
  return { type, value: raw.startsWith('#') ? fromHex(raw.slice(1)) : unescapeValue(raw) };
}

/** Spaces around a value are not part of it, unless escaped. */
function trimUnescaped(value: string): string {
  const left = value.trimStart();
  const right = left.trimEnd();
  let backslashes = 0;
  while (right[right.length - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1 ? left.slice(0, right.length + 1) : right;
}

function fromHex(text: string): string {
  if (!/^([0-9A-Fa-f]{2})+$/.test(text)) throw new Malformed('name_syntax', 'a hexadecimal value that is not');
  const octets = Buffer.from(text, 'hex');
  const element = readAt(octets, 0, octets.length, 2);
  if (element.end !== octets.length) throw new Malformed('der_trailing', 'octets follow the value');
  return stringOf(element);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A hex pair, an escaped special, or a character that needs no escape. */
const TOKEN = /\\([0-9A-Fa-f]{2})|\\([ "#+,;<=>\\])|([^\\";<>])/gu;

function unescapeValue(value: string): string {
  const octets: Buffer[] = [];
  let consumed = 0;
  for (const [token, pair, special, plain = ''] of value.matchAll(TOKEN)) {
    octets.push(pair === undefined ? Buffer.from(special ?? plain, 'utf8') : Buffer.from(pair, 'hex'));
    consumed += token.length;
  }
  if (consumed !== value.length || consumed === 0) throw new Malformed('name_syntax', 'a value that is not escaped');
  try {
    return decoder.decode(Buffer.concat(octets));
  } catch {
    throw new Malformed('name_syntax', 'escaped octets that are no UTF-8');
  }
}
