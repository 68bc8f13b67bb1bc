import type { IncomingMessage } from 'node:http';
import type { Audit } from '../../audit/index.ts';
import { MANAGEMENT_ROLE, type ManagementScope } from '../../authorization/index.ts';
import { checkApproved, type Directory, type Standing } from '../../directory/index.ts';
import type { Clock } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { TokenFacts, TokenResolution, Tokens } from '../../tokens/index.ts';
import { CertificateRefusal, type ClientCertificate, type Trust } from '../../trust/index.ts';

/** A bank as the management API sees it. */
export interface ManagementBank {
  readonly id: string;
  readonly issuer: string;
  /** The audience of its management tokens: its address at the management door. */
  readonly audience: string;
  /** The bank's own entry in the directory; undefined: nobody manages this bank here. */
  readonly participant: string | undefined;
  /** True when its staff may change the directory, which all banks share. */
  readonly changesDirectory: boolean;
}

/** The rooms that know who somebody is. */
export interface GuardRooms {
  readonly trust: Pick<Trust, 'clientCertificate'>;
  readonly tokens: Pick<Tokens, 'resolve'>;
  readonly directory: Pick<Directory, 'standing' | 'takeRequest'>;
  readonly audit: Pick<Audit, 'checkWritable'>;
  readonly clock: Clock;
}

/** Somebody the bank lets act in its name. */
export interface Caller {
  readonly client: string;
  readonly participant: string;
}

/** Longest token that is looked at, in characters: a JWT of ours has about a thousand. */
const MAXIMUM_TOKEN = 8_192;
/** RFC 6750 §2.1. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Lets a service of the bank itself in, and nobody else: its enrolled certificate, its own token bound to that certificate,
 * the bank's entry in the directory, and exactly this scope (N-229, N-234, N-241). In the order of acceptance.md §1.3.
 * @throws Refusal 401 for certificate or token, 403 for everybody who is not the bank, or has not the scope; `rate_limited` 429
 */
export async function admit(
  rooms: GuardRooms,
  bank: ManagementBank,
  request: IncomingMessage,
  scope: ManagementScope,
): Promise<Caller> {
  const certificate = await certificateOf(rooms, bank, request);
  const token = await tokenOf(rooms, bank, request);
  checkBinding(token, certificate);
  const standing = await standingOf(rooms, bank, token, certificate);
  checkOwn(bank, standing, certificate);
  if (token.audience !== bank.audience)
    throw new Refusal('wrong_audience', 401, `The access token was made for another API than ${bank.audience}.`);
  if (token.kind !== 'participant')
    throw new Refusal('wrong_token_type', 401, 'This API needs a token by client credentials.');
  if (!token.scopes.includes(scope))
    throw new Refusal('insufficient_scope', 403, `This operation needs the scope "${scope}".`);
  checkRate(rooms, standing);
  rooms.audit.checkWritable();
  return { client: token.client, participant: standing.participant.id };
}

async function certificateOf(
  { trust }: GuardRooms,
  bank: ManagementBank,
  request: IncomingMessage,
): Promise<ClientCertificate> {
  const verdict = await trust.clientCertificate(request, bank.id);
  if (verdict.ok) return verdict.certificate;
  throw new CertificateRefusal(verdict);
}

async function tokenOf({ tokens, clock }: GuardRooms, bank: ManagementBank, request: IncomingMessage) {
  const resolution = await tokens.resolve(bank.id, bank.issuer, bearerOf(request));
  const token = activeOf(resolution);
  if (token.bank !== bank.id) throw invalidToken('foreign_bank');
  if (token.expiresAt <= clock.now()) throw expiredToken();
  return token;
}

function bearerOf(request: IncomingMessage): string {
  const headers = request.headersDistinct.authorization ?? [];
  const [header] = headers;
  if (header === undefined || !/^bearer(?: |$)/i.test(header))
    throw new Refusal('token_missing', 401, 'Send the access token as "Authorization: Bearer".');
  if (headers.length > 1) throw new Refusal('header_invalid', 400, 'Send one Authorization header, not several.');
  const token = header.length > MAXIMUM_TOKEN ? undefined : BEARER.exec(header)?.[1];
  if (token === undefined) throw invalidToken('token_malformed');
  return token;
}

function activeOf(resolution: TokenResolution): TokenFacts {
  switch (resolution.state) {
    case 'active':
      return resolution.facts;
    case 'expired':
      throw expiredToken();
    case 'revoked':
      throw new Refusal('token_revoked', 401, 'The access token was revoked.');
    case 'invalid':
      throw invalidToken(resolution.detail);
    default:
      return resolution satisfies never;
  }
}

/** Always bound, whatever the bank's security profile: a token alone never manages a bank. */
function checkBinding({ thumbprint }: TokenFacts, certificate: ClientCertificate): void {
  if (thumbprint === certificate.thumbprint) return;
  const detail = thumbprint === undefined ? 'cnf_missing' : 'other_certificate';
  throw new Refusal('certificate_not_bound', 401, 'The access token is not bound to this client certificate.', {
    detail,
  });
}

async function standingOf(
  { directory, clock }: GuardRooms,
  bank: ManagementBank,
  token: TokenFacts,
  { thumbprint }: ClientCertificate,
): Promise<Standing> {
  const standing = await directory.standing(bank.id, token.client);
  if (standing === undefined || standing.participant.id !== token.participant)
    throw new Refusal('participant_unknown', 403, 'The participant of this access token is not in the directory.');
  const enrolled = standing.certificates.find((stored) => stored.thumbprint === thumbprint);
  if (enrolled === undefined || (enrolled.endsAt !== undefined && enrolled.endsAt <= clock.now()))
    throw new Refusal('certificate_not_enrolled', 401, 'The client certificate is not enrolled for this client.');
  checkApproved(standing.participant);
  return standing;
}

function checkOwn(bank: ManagementBank, { participant }: Standing, { roles }: ClientCertificate): void {
  const stated: readonly string[] = roles ?? participant.roles;
  const own = participant.id === bank.participant;
  if (own && participant.roles.includes(MANAGEMENT_ROLE) && stated.includes(MANAGEMENT_ROLE)) return;
  throw new Refusal('role_missing', 403, 'This API is for the services of the bank itself.', {
    detail: own ? 'directory_role' : 'not_the_bank',
  });
}

function checkRate({ directory }: GuardRooms, { participant }: Standing): void {
  const wait = directory.takeRequest(participant);
  if (wait === undefined) return;
  const seconds = String(Math.max(1, Math.ceil(wait)));
  throw new Refusal('rate_limited', 429, `The request limit is reached; try again in ${seconds} s.`, {
    headers: { 'retry-after': seconds },
  });
}

function invalidToken(detail: string): Refusal {
  return new Refusal('token_invalid', 401, 'The access token is not valid here.', { detail });
}

function expiredToken(): Refusal {
  return new Refusal('token_expired', 401, 'The access token has expired; ask for a new one.');
}
