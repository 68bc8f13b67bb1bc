import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import { verifySignedJwt } from '../trust/index.ts';
import type { AuthorizationBank, AuthorizationRooms, StatementSource } from './bank.ts';
import { markRegistrationUsed } from './registration-replay.ts';
import { type SoftwareStatement, verifyStatement } from './software-statement.ts';

/** A signed registration request lives this long at most: it is made for one call (DCR-C2). */
const MAXIMUM_REQUEST_SECONDS = 1_800;
const JWT_TYPES = new Set(['application/jwt', 'application/jose']);
/** Claims of the signed form that are no metadata. */
const ENVELOPE = new Set(['iss', 'aud', 'exp', 'iat', 'nbf', 'jti', 'sub']);

/** A registration request as read: its members, and the verified statement inside it. */
export interface RegistrationRequest {
  readonly members: Readonly<Record<string, unknown>>;
  readonly statement: SoftwareStatement;
}

/** A refusal of a metadata member (RFC 7591 §3.2.2). */
export function invalidMetadata(sentence: string): Refusal {
  return new Refusal('invalid_client_metadata', 400, sentence);
}

/**
 * Reads a registration: JSON, or a JWT signed with a key of the statement's own key set.
 * @throws Refusal `invalid_client_metadata`, `invalid_software_statement` 400
 */
export async function readRequest(
  body: Uint8Array,
  contentType: string,
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  source: StatementSource,
): Promise<RegistrationRequest> {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const text = decode(body);
  if (type === 'application/json') {
    const members = parseObject(text);
    const statement = await verifyStatement(members.software_statement, source, rooms.clock);
    checkIssuer(members, statement);
    return { members, statement };
  }
  if (!JWT_TYPES.has(type)) {
    throw new Refusal('invalid_request', 415, 'send the registration as application/json or application/jwt');
  }
  return readSigned(text.trim(), bank, rooms, source);
}

async function readSigned(
  token: string,
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  source: StatementSource,
): Promise<RegistrationRequest> {
  const unverified = payloadOf(token);
  const statement = await verifyStatement(unverified.software_statement, source, rooms.clock);
  const claims = await verifySignedJwt(token, {
    keys: statement.keys,
    algorithms: ['PS256', 'ES256'],
    issuer: statement.softwareId,
    audience: bank.issuer,
    maximumAgeSeconds: MAXIMUM_REQUEST_SECONDS,
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti'],
    clock: rooms.clock,
    refusal: { code: 'invalid_client_metadata', status: 400 },
  });
  await consumeOnce(bank, rooms, claims, statement);
  const members = Object.fromEntries(Object.entries(claims).filter(([name]) => !ENVELOPE.has(name)));
  return { members, statement };
}

/** N-127: the same request is taken once, whichever node it reaches. */
async function consumeOnce(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  claims: Readonly<Record<string, unknown>>,
  statement: SoftwareStatement,
): Promise<void> {
  const { jti, exp } = claims;
  if (typeof jti !== 'string' || jti === '' || jti.length > 256 || typeof exp !== 'number') {
    throw invalidMetadata('the signed request needs a jti of 1 to 256 characters');
  }
  const first = await markRegistrationUsed(rooms, bank.id, `${statement.softwareId} ${jti}`, new Date(exp * 1000));
  if (!first) throw invalidMetadata('this signed request was used before: sign a new one with another jti');
}

function checkIssuer(members: Readonly<Record<string, unknown>>, statement: SoftwareStatement): void {
  if (members.iss !== undefined && members.iss !== statement.softwareId) {
    throw invalidMetadata('iss must be the software_id of the software statement');
  }
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new Refusal('invalid_client_metadata', 400, 'the body is not UTF-8', { cause });
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Refusal('invalid_client_metadata', 400, 'the body is not JSON', { cause });
  }
  if (!isRecord(value)) throw invalidMetadata('the body must be a JSON object');
  return value;
}

/** The claims of a JWT before its signature is checked: only to find the statement inside, which is verified first. */
function payloadOf(token: string): Readonly<Record<string, unknown>> {
  const parts = token.split('.');
  const [, payload] = parts;
  if (parts.length !== 3 || payload === undefined || !/^[A-Za-z0-9_-]+$/.test(payload)) {
    throw invalidMetadata('the body is not a signed JWT');
  }
  return parseObject(Buffer.from(payload, 'base64url').toString('utf8'));
}
