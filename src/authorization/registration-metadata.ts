import { Refusal } from '../platform/refusal.ts';
import { type ClientCertificate, subjectMatches } from '../trust/index.ts';
import type { AuthorizationBank } from './bank.ts';
import { managementScopesOf } from './management.ts';
import { invalidMetadata } from './registration-request.ts';
import type { SoftwareStatement } from './software-statement.ts';

/** What the metadata of a client is derived from. */
export interface RegistrationFacts {
  readonly members: Readonly<Record<string, unknown>>;
  readonly statement: SoftwareStatement;
  /** Roles that count: statement, certificate and directory agree on them. */
  readonly roles: readonly string[];
  readonly certificate: ClientCertificate;
  readonly bank: AuthorizationBank;
}

const ALGORITHMS = ['PS256', 'ES256'];
const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'];
const NAME = /^[^\p{C}<>&"]{1,100}$/u;
const SUBJECT_MEMBERS = [
  'tls_client_auth_subject_dn',
  'tls_client_auth_san_dns',
  'tls_client_auth_san_uri',
  'tls_client_auth_san_ip',
  'tls_client_auth_san_email',
];
const MAXIMUM_MEMBERS = 64;

/**
 * The metadata this bank grants for a request: every value checked or derived, nothing taken over unread
 * (registration matrix N-140 to N-161). @throws Refusal `invalid_client_metadata`, `invalid_redirect_uri` 400
 */
export function metadataOf(facts: RegistrationFacts): Readonly<Record<string, unknown>> {
  const { members, statement, bank } = facts;
  checkNulls(members);
  checkFixed(facts);
  const method = authenticationMethod(facts);
  const grantTypes = listOf(members, 'grant_types', GRANT_TYPES);
  if (grantTypes === undefined || grantTypes.length === 0)
    throw invalidMetadata(`grant_types is required: some of ${GRANT_TYPES.join(', ')}`);
  const redirects = grantTypes.includes('authorization_code');
  const bound = boundTokens(facts);
  return {
    client_name: clientName(facts),
    application_type: 'web',
    software_id: statement.softwareId,
    software_statement: statement.text,
    org_id: statement.organisation,
    security_profile: bank.profile.id,
    token_endpoint_auth_method: method,
    ...signingAlgorithm(members, method),
    ...subjectMember(facts, method),
    grant_types: grantTypes,
    response_types: responseTypes(members, redirects),
    redirect_uris: redirects ? redirectUris(facts) : [],
    scope: scopes(facts, redirects),
    jwks: { keys: statement.keys.keys },
    id_token_signed_response_alg: oneOf(members, 'id_token_signed_response_alg', ALGORITHMS) ?? 'PS256',
    tls_client_certificate_bound_access_tokens: bound,
    subject_type: 'pairwise',
    ...(bank.profile.requirePushedAuthorizationRequests ? { require_pushed_authorization_requests: true } : {}),
  };
}

function checkNulls(members: Readonly<Record<string, unknown>>): void {
  const names = Object.keys(members);
  if (names.length > MAXIMUM_MEMBERS) throw invalidMetadata(`a registration has at most ${MAXIMUM_MEMBERS} members`);
  const empty = names.find((name) => members[name] === null && name !== 'client_name');
  if (empty === 'redirect_uris') throw new Refusal('invalid_redirect_uri', 400, 'redirect_uris must not be null');
  if (empty !== undefined) throw invalidMetadata(`${empty} must not be null: leave it out or give it a value`);
}

/** Members that may be absent but, when present, must say what the statement or the bank says. */
function checkFixed(facts: RegistrationFacts): void {
  const { members, statement } = facts;
  if (members.software_id !== undefined && members.software_id !== statement.softwareId) {
    throw invalidMetadata('software_id differs from the software statement');
  }
  if (members.jwks !== undefined)
    throw invalidMetadata('jwks by value is not taken beside a software statement: its keys count');
  if (members.jwks_uri !== undefined && members.jwks_uri !== statement.jwksUri) {
    throw invalidMetadata('jwks_uri differs from software_jwks_endpoint of the software statement');
  }
  if (members.application_type !== undefined && members.application_type !== 'web')
    throw invalidMetadata('application_type must be web');
  if (members.subject_type !== undefined && members.subject_type !== 'pairwise')
    throw invalidMetadata('subject_type must be pairwise');
  oneOf(members, 'request_object_signing_alg', ALGORITHMS);
  checkFlag(members, 'token_endpoint_allow_reuse_pvt_key_jwt', 'a client assertion is never usable twice');
  checkFlag(members, 'require_signed_request_object', 'this bank takes pushed requests without request objects');
  checkExtensions(members, statement);
}

function checkFlag(members: Readonly<Record<string, unknown>>, name: string, why: string): void {
  if (members[name] !== undefined && members[name] !== false)
    throw invalidMetadata(`${name} must be false or absent: ${why}`);
}

/** N-160: a member the statement also makes may not contradict it. */
function checkExtensions(members: Readonly<Record<string, unknown>>, statement: SoftwareStatement): void {
  const different = Object.keys(members).find(
    (name) =>
      (name.startsWith('software_') || name.startsWith('org_')) &&
      name !== 'software_statement' &&
      statement.claims[name] !== undefined &&
      JSON.stringify(statement.claims[name]) !== JSON.stringify(members[name]),
  );
  if (different !== undefined) throw invalidMetadata(`${different} differs from the software statement`);
}

function authenticationMethod({ members, bank }: RegistrationFacts): string {
  const method = oneOf(members, 'token_endpoint_auth_method', bank.profile.clientAuthenticationMethods);
  if (method === undefined) {
    throw invalidMetadata(
      `token_endpoint_auth_method is required: ${bank.profile.clientAuthenticationMethods.join(' or ')}`,
    );
  }
  return method;
}

function signingAlgorithm(members: Readonly<Record<string, unknown>>, method: string): Record<string, string> {
  const algorithm = oneOf(members, 'token_endpoint_auth_signing_alg', ALGORITHMS);
  if (method !== 'private_key_jwt') return {};
  if (algorithm === undefined)
    throw invalidMetadata('token_endpoint_auth_signing_alg is required with private_key_jwt: PS256 or ES256');
  return { token_endpoint_auth_signing_alg: algorithm };
}

/** RFC 8705 §2.1.2: exactly one attribute, and it must be the presented certificate's own (N-146). */
function subjectMember({ members, certificate }: RegistrationFacts, method: string): Record<string, string> {
  const given = SUBJECT_MEMBERS.filter((name) => members[name] !== undefined);
  if (method !== 'tls_client_auth') {
    if (given.length > 0) throw invalidMetadata(`${given[0]} belongs to tls_client_auth`);
    return {};
  }
  const [name, ...more] = given;
  if (name === undefined || more.length > 0)
    throw invalidMetadata(`tls_client_auth needs exactly one of ${SUBJECT_MEMBERS.join(', ')}`);
  const value = members[name];
  if (typeof value !== 'string' || value.length > 512 || !subjectMatches(certificate, name, value)) {
    throw invalidMetadata(`${name} does not name the certificate this registration came with`);
  }
  return { [name]: value };
}

function boundTokens({ members, bank }: RegistrationFacts): boolean {
  const value = members.tls_client_certificate_bound_access_tokens;
  if (value === undefined) return bank.profile.requireBoundTokens;
  if (typeof value !== 'boolean')
    throw invalidMetadata('tls_client_certificate_bound_access_tokens must be true or false');
  if (!value && bank.profile.requireBoundTokens) {
    throw invalidMetadata('tls_client_certificate_bound_access_tokens must be true at this bank');
  }
  return value;
}

function clientName({ members, statement }: RegistrationFacts): string {
  const name = members.client_name ?? statement.clientName;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalidMetadata('client_name must be 1 to 100 characters without control or markup characters');
  }
  return name;
}

function responseTypes(members: Readonly<Record<string, unknown>>, redirects: boolean): readonly string[] {
  const given = listOf(members, 'response_types', ['code']);
  const granted = redirects ? ['code'] : [];
  if (given !== undefined && given.length !== granted.length) {
    throw invalidMetadata(`response_types must be ${JSON.stringify(granted)} for these grant_types`);
  }
  return granted;
}

/** Every URI on its own: one good one never legitimises the others (N-129). */
function redirectUris({ members, statement, bank }: RegistrationFacts): readonly string[] {
  const uris = members.redirect_uris ?? statement.redirectUris;
  if (!Array.isArray(uris) || uris.length === 0)
    throw invalidRedirect('redirect_uris must be a list with at least one URI');
  return uris.map((uri: unknown) => {
    if (typeof uri !== 'string' || !statement.redirectUris.includes(uri)) {
      throw invalidRedirect('every redirect URI must be one of the software statement');
    }
    checkRedirectUri(uri, bank.allowLoopbackRedirects);
    return uri;
  });
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** https, complete, without fragment, wildcard or credentials. @throws Refusal `invalid_redirect_uri` 400 */
export function checkRedirectUri(uri: string, allowLoopback: boolean): void {
  const parsed = URL.parse(uri);
  if (parsed === null || parsed.protocol !== 'https:') throw invalidRedirect('redirect URIs use https');
  if (parsed.hash !== '' || uri.includes('#')) throw invalidRedirect('redirect URIs have no fragment');
  if (uri.includes('*') || parsed.username !== '' || parsed.password !== '')
    throw invalidRedirect('redirect URIs have no wildcard and no credentials');
  if (LOOPBACK.has(parsed.hostname) && !allowLoopback)
    throw invalidRedirect('redirect URIs do not point to this machine');
}

/** Scopes that the counting roles allow; asked for more is refused, asked for nothing is all of them (N-149, WSN-16). */
function scopes(facts: RegistrationFacts, redirects: boolean): string {
  const { members } = facts;
  const allowed = allowedScopes(facts, redirects);
  if (allowed.length === 0)
    throw invalidMetadata('statement, certificate and directory share no role that this bank has an API for');
  if (members.scope === undefined) return ['openid', 'offline_access', ...allowed].join(' ');
  if (typeof members.scope !== 'string') throw invalidMetadata('scope must be a text of scopes separated by spaces');
  const asked = members.scope.split(' ').filter((scope) => scope !== '');
  // To the engine a client without a scope is a client without a limit.
  if (asked.length === 0) throw invalidMetadata('scope must name a scope, or be left out');
  const foreign = asked.find((scope) => !['openid', 'offline_access', ...allowed].includes(scope));
  if (foreign !== undefined)
    throw invalidMetadata(`scope ${foreign} is not allowed by the roles of statement and certificate`);
  return asked.join(' ');
}

/** Management scopes are for clients that act for the bank alone, never for one that customers are sent to. */
function allowedScopes({ statement, roles, bank }: RegistrationFacts, redirects: boolean): readonly string[] {
  const byRole = bank.scopes.filter((scope) => (bank.rolesByScope[scope] ?? []).some((role) => roles.includes(role)));
  const own = redirects ? [] : managementScopesOf(bank, { participant: statement.organisation, roles });
  return [...byRole, ...own];
}

function oneOf(
  members: Readonly<Record<string, unknown>>,
  name: string,
  allowed: readonly string[],
): string | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !allowed.includes(value))
    throw invalidMetadata(`${name} must be one of ${allowed.join(', ')}`);
  return value;
}

function listOf(
  members: Readonly<Record<string, unknown>>,
  name: string,
  allowed: readonly string[],
): readonly string[] | undefined {
  const value = members[name];
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw invalidMetadata(`${name} must be a list`);
  const items: unknown[] = value;
  const texts = items.filter((item) => typeof item === 'string');
  if (
    texts.length !== items.length ||
    !texts.every((item) => allowed.includes(item)) ||
    new Set(texts).size !== texts.length
  ) {
    throw invalidMetadata(`${name} may hold ${allowed.join(', ')}, each once`);
  }
  return texts;
}

function invalidRedirect(sentence: string): Refusal {
  return new Refusal('invalid_redirect_uri', 400, sentence);
}
