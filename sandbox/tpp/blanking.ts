/** Values that prove something to somebody: a transcript says that they were there, not what they were. */
const SECRETS: ReadonlySet<string> = new Set([
  'access_token',
  'client_secret',
  'code',
  'code_verifier',
  'csrf',
  'password',
  'refresh_token',
  'registration_access_token',
  'token',
]);

/** Fields that hold a signed statement worth reading. */
const STATEMENTS: ReadonlySet<string> = new Set(['client_assertion', 'id_token', 'software_statement']);

/** Longest list that is shown whole. */
const SHOWN_ITEMS = 3;
/** Longest text that is shown whole: a key's modulus teaches nobody. */
const SHOWN_CHARACTERS = 160;

/** A value as a transcript may show it, by the name it has. */
export function shown(name: string, value: unknown): unknown {
  if (typeof value === 'string') return shownText(name, value);
  if (Array.isArray(value)) return shownList(name, value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(key, inner)]));
}

function shownText(name: string, value: string): unknown {
  if (name === 'request_uri') return value.replace(/[^:]+$/, (handle) => blank(handle));
  if (STATEMENTS.has(name) || (SECRETS.has(name) && value.split('.').length === 3)) return decoded(value);
  if (SECRETS.has(name)) return blank(value);
  return value.length > SHOWN_CHARACTERS ? `${value.slice(0, SHOWN_CHARACTERS)}… (${value.length} characters)` : value;
}

function shownList(name: string, items: readonly unknown[]): readonly unknown[] {
  const first = items.slice(0, SHOWN_ITEMS).map((item) => shown(name, item));
  return items.length > SHOWN_ITEMS ? [...first, `… and ${items.length - SHOWN_ITEMS} more`] : first;
}

/** Stands for a secret. */
export function blank(value: string): string {
  return `‹${value.length} characters›`;
}

/** Header and claims of a JWT; the signature, without which it proves nothing, is left out. */
function decoded(token: string): unknown {
  const [header, claims] = token.split('.').map(parsePart);
  return header === undefined || claims === undefined
    ? blank(token)
    : { header, claims: shown('', claims), signature: '‹left out›' };
}

function parsePart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The parameters of a form or query, blanked. */
export function shownParameters(parameters: URLSearchParams): Readonly<Record<string, unknown>> {
  const names = [...new Set(parameters.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = parameters.getAll(name).map((value) => shown(name, value));
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}

/** An address whose query holds no secret. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  if (url === null || url.search === '') return address;
  const query = Object.entries(shownParameters(url.searchParams)).map(([name, value]) => `${name}=${String(value)}`);
  return `${url.origin}${url.pathname}?${query.join('&')}`;
}
