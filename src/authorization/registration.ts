import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { checkApproved, type Participant } from '../directory/index.ts';
import { readBody } from '../platform/form.ts';
import { Refusal } from '../platform/refusal.ts';
import type { ClientCertificate } from '../trust/index.ts';
import type { AuthorizationBank, AuthorizationRooms, StatementSource } from './bank.ts';
import { ROUTES } from './configuration.ts';
import { isEnrolled, type Peer, peerOf } from './peer.ts';
import { registrationOf, setRegistration } from './registration-context.ts';
import { metadataOf } from './registration-metadata.ts';
import { invalidMetadata, readRequest } from './registration-request.ts';
import { rolesAtRegistration } from './roles.ts';
import type { SoftwareStatement } from './software-statement.ts';

/** Larger bodies are no registration (engine.md §10). */
const MAXIMUM_BODY_BYTES = 56 * 1024;

/**
 * Stands before the engine's registration endpoints (RFC 7591, RFC 7592): nothing raw reaches the engine. A POST or PUT that
 * passes leaves here as the metadata this platform derived, marked with the participant and certificate it belongs to.
 */
export function registrationGate(
  engine: Provider,
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  source: StatementSource,
) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    if (ctx.path !== ROUTES.registration && !ctx.path.startsWith(`${ROUTES.registration}/`)) return next();
    const certificate = certificateOf(peerOf(ctx.req));
    const managed = ctx.path === ROUTES.registration ? undefined : ctx.path.slice(ROUTES.registration.length + 1);
    if (managed !== undefined) await checkManager(bank, rooms, ctx, managed, certificate);
    if (ctx.method === 'POST' && managed === undefined) await admit(bank, rooms, source, ctx, certificate, undefined);
    if (ctx.method === 'PUT' && managed !== undefined && (await holdsToken(engine, ctx, managed))) {
      await admit(bank, rooms, source, ctx, certificate, managed);
    }
    await next();
    if (ctx.method === 'POST' && ctx.status !== 201) await undo(bank, rooms, ctx);
  };
}

/** N-132: when a later step fails, the client that an earlier one wrote does not stay. */
async function undo(bank: AuthorizationBank, rooms: AuthorizationRooms, ctx: KoaContextWithOIDC): Promise<void> {
  const registration = registrationOf(ctx.req);
  const client = ctx.oidc?.entities.Client?.clientId;
  if (registration === undefined || registration.replaces !== undefined || client === undefined) return;
  const actor = { kind: 'system', reference: 'registration', interaction: peerOf(ctx.req).interaction } as const;
  await rooms.directory.removeClient(bank.id, client, actor);
}

/** @throws Refusal `invalid_client` 401: a registration needs a certificate this bank trusts (N-25, N-128) */
function certificateOf(peer: Peer): ClientCertificate {
  if (peer.verdict?.ok === true) return peer.verdict.certificate;
  const reason = peer.verdict?.reason ?? 'certificate_missing';
  peer.refusal = { reason, detail: peer.verdict?.detail ?? 'certificate_absent' };
  const sentence = peer.verdict?.message ?? 'no client certificate reached this endpoint';
  throw new Refusal('invalid_client', 401, `${reason}: ${sentence}`);
}

/** Reading, replacing and deleting need the client's own certificate beside its token (N-170); a renewed one may only replace. A suspended participant keeps what it has, and may not even end it (LAB-15). */
async function checkManager(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  ctx: KoaContextWithOIDC,
  client: string,
  certificate: ClientCertificate,
): Promise<void> {
  const peer = peerOf(ctx.req);
  peer.standing = await rooms.directory.standing(bank.id, client);
  if (isEnrolled(peer)) {
    checkApproved(peer.standing?.participant);
    return;
  }
  const owner = peer.standing?.participant.registrationNumber;
  if (ctx.method === 'PUT' && owner !== undefined && certificate.organizationIdentifier === owner) return;
  peer.refusal = { reason: 'certificate_not_enrolled', detail: 'binding_mismatch' };
  throw new Refusal(
    'invalid_token',
    401,
    'the registration access token is not valid for this client and certificate',
    {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
    },
  );
}

/** True when the presented registration access token is the client's; otherwise the engine refuses before it looks at the body (N-133). */
async function holdsToken(engine: Provider, ctx: KoaContextWithOIDC, client: string): Promise<boolean> {
  const [scheme, token, ...rest] = ctx.get('authorization').split(' ');
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0) return false;
  const found = await engine.RegistrationAccessToken.find(token);
  return found?.clientId === client;
}

async function admit(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  source: StatementSource,
  ctx: KoaContextWithOIDC,
  certificate: ClientCertificate,
  replaces: string | undefined,
): Promise<void> {
  const body = await readBody(ctx.req, MAXIMUM_BODY_BYTES);
  const request = await readRequest(body, ctx.get('content-type'), bank, rooms, source);
  const participant = await loadParticipant(rooms, request.statement, certificate);
  limitRate(rooms, participant);
  const roles = await rolesAtRegistration(bank, peerOf(ctx.req), request.statement, participant, certificate);
  const metadata = metadataOf({ members: request.members, statement: request.statement, roles, certificate, bank });
  checkSameSoftware(peerOf(ctx.req), replaces, request.statement);
  setRegistration(ctx.req, {
    participant: participant.id,
    softwareId: request.statement.softwareId,
    certificate,
    replaces,
  });
  Object.assign(ctx.req, {
    body: replaces === undefined ? metadata : { ...metadata, ...managementMembers(request.members) },
  });
  ctx.req.headers['content-type'] = 'application/json';
}

/** Members of RFC 7592 §2.2 that the engine checks itself. */
function managementMembers(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = [
    'client_id',
    'client_secret',
    'registration_access_token',
    'registration_client_uri',
    'client_secret_expires_at',
    'client_id_issued_at',
  ];
  return Object.fromEntries(names.filter((name) => members[name] !== undefined).map((name) => [name, members[name]]));
}

/** The organisation of statement and certificate is an approved participant of the directory (N-128, DCR-V1, DCR-V4). */
async function loadParticipant(
  rooms: AuthorizationRooms,
  statement: SoftwareStatement,
  certificate: ClientCertificate,
): Promise<Participant> {
  const participant = await rooms.directory.findParticipant(statement.organisation);
  if (participant?.status !== 'approved') {
    throw new Refusal(
      'unapproved_software_statement',
      400,
      'the organisation in the software statement is not an approved participant here',
    );
  }
  if (certificate.organizationIdentifier !== participant.registrationNumber) {
    throw invalidMetadata('the transport certificate belongs to another organisation than the software statement');
  }
  return participant;
}

function limitRate(rooms: AuthorizationRooms, participant: Participant): void {
  const seconds = rooms.directory.takeRequest(participant);
  if (seconds === undefined) return;
  throw new Refusal('rate_limited', 429, `too many requests: try again in ${seconds} seconds`, {
    headers: { 'retry-after': String(seconds) },
  });
}

function checkSameSoftware(peer: Peer, replaces: string | undefined, statement: SoftwareStatement): void {
  if (replaces === undefined || peer.standing?.client.softwareId === statement.softwareId) return;
  throw invalidMetadata('software_id cannot be changed: register the other software as a client of its own');
}
