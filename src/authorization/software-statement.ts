import type { Clock } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import { type SignedJwtExpectation, verifySignedJwt } from '../trust/index.ts';
import type { StatementSource } from './bank.ts';

type PublicKeys = SignedJwtExpectation['keys'];
type PublicKey = PublicKeys['keys'][number];

/** What the directory vouches for (RFC 7591 §2.3, standards.md §4), verified and read. */
export interface SoftwareStatement {
  /** The statement as it came; answered back unchanged. */
  readonly text: string;
  readonly softwareId: string;
  readonly clientName: string;
  /** The participant's id in the directory. */
  readonly organisation: string;
  readonly roles: readonly string[];
  readonly redirectUris: readonly string[];
  readonly keys: PublicKeys;
  readonly jwksUri: string | undefined;
  /** All claims, for members that may not differ from them (N-160). */
  readonly claims: Readonly<Record<string, unknown>>;
}

const MAXIMUM_KEYS = 16;
const MAXIMUM_REDIRECT_URIS = 16;
/** Control characters and markup have no place in a name that people read (N-153, N-227). */
const NAME = /^[^\p{C}<>&"]{1,100}$/u;
const SOFTWARE_ID = /^[0-9a-zA-Z_-]{1,36}$/;

/**
 * Verifies a statement with the configured directory's keys, which come from configuration alone (N-123, N-124).
 * @throws Refusal `invalid_software_statement` 400; `unapproved_software_statement` 400 for an unknown issuer
 */
export async function verifyStatement(
  text: unknown,
  source: StatementSource,
  clock: Clock,
): Promise<SoftwareStatement> {
  if (typeof text !== 'string' || text === '')
    throw invalid('software_statement is missing: get one from the directory');
  const claims = await verifySignedJwt(text, {
    keys: source.keys,
    algorithms: ['PS256', 'ES256'],
    maximumAgeSeconds: source.maximumAgeSeconds,
    requiredClaims: ['iss', 'iat', 'jti'],
    clock,
    refusal: { code: 'invalid_software_statement', status: 400 },
  });
  if (claims.iss !== source.issuer) {
    throw new Refusal(
      'unapproved_software_statement',
      400,
      'the software statement comes from a directory this bank does not know',
    );
  }
  return read(text, claims);
}

function read(text: string, claims: Readonly<Record<string, unknown>>): SoftwareStatement {
  const softwareId = claims.software_id;
  const clientName = claims.software_client_name;
  if (typeof softwareId !== 'string' || !SOFTWARE_ID.test(softwareId))
    throw invalid('software_id is missing or malformed in the statement');
  if (typeof clientName !== 'string' || !NAME.test(clientName))
    throw invalid('software_client_name is missing or malformed in the statement');
  if (typeof claims.org_id !== 'string' || claims.org_id === '') throw invalid('org_id is missing in the statement');
  return {
    text,
    softwareId,
    clientName,
    organisation: claims.org_id,
    roles: textsOf(claims.software_roles, 'software_roles', MAXIMUM_REDIRECT_URIS),
    redirectUris: textsOf(claims.software_redirect_uris, 'software_redirect_uris', MAXIMUM_REDIRECT_URIS),
    keys: keysOf(claims.software_jwks),
    jwksUri: typeof claims.software_jwks_endpoint === 'string' ? claims.software_jwks_endpoint : undefined,
    claims,
  };
}

function textsOf(value: unknown, name: string, most: number): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > most || !value.every((item) => typeof item === 'string')) {
    throw invalid(`${name} in the statement must be a list of at most ${most} texts`);
  }
  return value;
}

/** Keys by value: nothing is fetched from an address that a registration names (N-125). */
function keysOf(value: unknown): PublicKeys {
  if (typeof value !== 'object' || value === null || !('keys' in value) || !Array.isArray(value.keys)) {
    throw invalid('the statement must carry software_jwks: this bank fetches no keys from addresses in a registration');
  }
  if (value.keys.length === 0 || value.keys.length > MAXIMUM_KEYS)
    throw invalid(`software_jwks must hold 1 to ${MAXIMUM_KEYS} keys`);
  return { keys: value.keys.map(publicKeyOf) };
}

const PUBLIC_MEMBERS = ['kty', 'kid', 'use', 'alg', 'crv', 'x', 'y', 'n', 'e', 'x5c', 'x5t#S256'] as const;

function publicKeyOf(value: unknown): PublicKey {
  if (typeof value !== 'object' || value === null) throw invalid('software_jwks holds something that is no key');
  const key = new Map<string, unknown>(Object.entries(value));
  if (key.has('d') || key.has('k') || key.has('p')) {
    throw invalid('software_jwks holds a private key: publish the public part only');
  }
  const kty = key.get('kty');
  if (typeof kty !== 'string' || typeof key.get('kid') !== 'string')
    throw invalid('every key in software_jwks needs a kty and a kid');
  const members = PUBLIC_MEMBERS.filter((name) => key.has(name)).map((name) => [name, key.get(name)] as const);
  return { ...Object.fromEntries(members), kty };
}

function invalid(sentence: string): Refusal {
  return new Refusal('invalid_software_statement', 400, sentence);
}
