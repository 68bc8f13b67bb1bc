import type { Statements } from '../platform/database.ts';
import type { Row } from '../platform/row.ts';
import { instant, optionalInstant, optionalInteger, optionalText, text, texts } from '../platform/row.ts';
import { metadataValue } from './client-fields.ts';
import {
  type NewParticipant,
  PARTICIPANT_STATUSES,
  type Participant,
  type ParticipantStatus,
  type RegisteredClient,
  ROLES,
} from './participant.ts';

/** What a change announces to every node. */
export interface Change {
  readonly participant: string;
  readonly bank?: string;
  readonly client?: string;
}

/** A client as it is stored: with the moment its secrets change by themselves. */
export interface StoredClient {
  readonly client: RegisteredClient;
  /** When the first of the secrets that are valid now ends; undefined when none does. */
  readonly secretsChangeAt: Date | undefined;
}

/** A client to be inserted; metadata as canonical JSON text. */
export interface ClientRow {
  readonly bank: string;
  readonly id: string;
  readonly participant: string;
  readonly softwareId: string | undefined;
  readonly metadata: string;
}

/** More than any market has; a page of the console asks for less. */
const MAXIMUM_PARTICIPANTS_LISTED = 10_000;
const MAXIMUM_CLIENTS_LISTED = 10_000;

const PARTICIPANT_COLUMNS = `id, name, registration_number, email, phone, roles, status, status_reason,
  requests_per_minute, created_at, updated_at`;
const OWNER_COLUMNS = `participant.id, participant.name, participant.registration_number, participant.email,
  participant.phone, participant.roles, participant.status, participant.status_reason, participant.requests_per_minute,
  participant.created_at, participant.updated_at`;
/** $1 is the present moment: a secret whose end has passed is not read. */
const CLIENT_COLUMNS = `client.bank, client.id, client.participant, client.software_id, client.metadata, client.created_at,
  ARRAY(SELECT secret.secret_hash FROM directory.client_secrets secret WHERE secret.bank = client.bank
    AND secret.client = client.id AND (secret.ends_at IS NULL OR secret.ends_at > $1)
    ORDER BY secret.ends_at DESC NULLS FIRST) AS secret_hashes,
  (SELECT min(secret.ends_at) FROM directory.client_secrets secret WHERE secret.bank = client.bank
    AND secret.client = client.id AND secret.ends_at > $1) AS secrets_change_at`;

/** Inserts a participant; undefined when its id is taken. */
export async function insertParticipant(
  statements: Statements,
  participant: NewParticipant,
  now: Date,
): Promise<Participant | undefined> {
  const rows = await statements.query(
    `INSERT INTO directory.participants (${PARTICIPANT_COLUMNS})
     VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $8, $9, $9)
     ON CONFLICT (id) DO NOTHING RETURNING ${PARTICIPANT_COLUMNS}`,
    [
      participant.id,
      participant.name,
      participant.registrationNumber,
      participant.email,
      participant.phone ?? null,
      [...participant.roles],
      participant.status,
      participant.requestsPerMinute ?? null,
      now,
    ],
  );
  return rows.map(participantOf)[0];
}

/** The participant with this id. */
export async function selectParticipant(statements: Statements, id: string): Promise<Participant | undefined> {
  const rows = await statements.query(`SELECT ${PARTICIPANT_COLUMNS} FROM directory.participants WHERE id = $1`, [id]);
  return rows.map(participantOf)[0];
}

/** The same, held until the transaction ends: its changes come one after the other. */
export async function lockParticipant(statements: Statements, id: string): Promise<Participant | undefined> {
  const rows = await statements.query(
    `SELECT ${PARTICIPANT_COLUMNS} FROM directory.participants WHERE id = $1 FOR NO KEY UPDATE`,
    [id],
  );
  return rows.map(participantOf)[0];
}

/** The participant a client belongs to, held until the transaction ends; always taken before the client's own rows. */
export async function lockOwner(
  statements: Statements,
  bank: string,
  client: string,
): Promise<Participant | undefined> {
  const rows = await statements.query(
    `SELECT ${OWNER_COLUMNS} FROM directory.participants participant
     JOIN directory.clients client ON client.participant = participant.id
     WHERE client.bank = $1 AND client.id = $2 FOR NO KEY UPDATE OF participant`,
    [bank, client],
  );
  return rows.map(participantOf)[0];
}

/** Every participant, by id. */
export async function selectParticipants(statements: Statements): Promise<readonly Participant[]> {
  const rows = await statements.query(
    `SELECT ${PARTICIPANT_COLUMNS} FROM directory.participants ORDER BY id LIMIT ${MAXIMUM_PARTICIPANTS_LISTED}`,
  );
  return rows.map(participantOf);
}

/** Sets a status and why; undefined when there is no such participant. */
export async function updateStatus(
  statements: Statements,
  id: string,
  status: ParticipantStatus,
  reason: string | undefined,
  now: Date,
): Promise<Participant | undefined> {
  const rows = await statements.query(
    `UPDATE directory.participants SET status = $2, status_reason = $3, updated_at = $4 WHERE id = $1
     RETURNING ${PARTICIPANT_COLUMNS}`,
    [id, status, reason ?? null, now],
  );
  return rows.map(participantOf)[0];
}

/** Sets a rate limit; undefined when there is no such participant. */
export async function updateRateLimit(
  statements: Statements,
  id: string,
  requestsPerMinute: number | undefined,
  now: Date,
): Promise<Participant | undefined> {
  const rows = await statements.query(
    `UPDATE directory.participants SET requests_per_minute = $2, updated_at = $3 WHERE id = $1
     RETURNING ${PARTICIPANT_COLUMNS}`,
    [id, requestsPerMinute ?? null, now],
  );
  return rows.map(participantOf)[0];
}

/** Inserts a client; false when the bank has one with this id. */
export async function insertClient(statements: Statements, client: ClientRow, now: Date): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO directory.clients (bank, id, participant, software_id, metadata, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (bank, id) DO NOTHING RETURNING id`,
    [client.bank, client.id, client.participant, client.softwareId ?? null, client.metadata, now],
  );
  return rows.length === 1;
}

/** Whether the participant has this many clients at the bank. */
export async function hasClients(
  statements: Statements,
  bank: string,
  participant: string,
  count: number,
): Promise<boolean> {
  const rows = await statements.query(
    'SELECT 1 AS found FROM directory.clients WHERE bank = $1 AND participant = $2 OFFSET $3 LIMIT 1',
    [bank, participant, count - 1],
  );
  return rows.length === 1;
}

/** A client with the secrets that are valid at `now`. */
export async function selectClient(
  statements: Statements,
  bank: string,
  id: string,
  now: Date,
): Promise<StoredClient | undefined> {
  const rows = await statements.query(
    `SELECT ${CLIENT_COLUMNS} FROM directory.clients client WHERE client.bank = $2 AND client.id = $3`,
    [now, bank, id],
  );
  return rows.map(storedClientOf)[0];
}

/** The clients of a bank, or of one participant there, oldest first. */
export async function selectClients(
  statements: Statements,
  bank: string,
  participant: string | undefined,
  now: Date,
): Promise<readonly RegisteredClient[]> {
  const rows = await statements.query(
    `SELECT ${CLIENT_COLUMNS} FROM directory.clients client
     WHERE client.bank = $2 AND ($3::text IS NULL OR client.participant = $3)
     ORDER BY client.created_at, client.id LIMIT ${MAXIMUM_CLIENTS_LISTED}`,
    [now, bank, participant ?? null],
  );
  return rows.map((row) => storedClientOf(row).client);
}

/** Replaces a client's metadata; false when there is no such client. */
export async function updateMetadata(
  statements: Statements,
  bank: string,
  id: string,
  metadata: string,
  now: Date,
): Promise<boolean> {
  const rows = await statements.query(
    'UPDATE directory.clients SET metadata = $3, updated_at = $4 WHERE bank = $1 AND id = $2 RETURNING id',
    [bank, id, metadata, now],
  );
  return rows.length === 1;
}

/** Removes a client, and through the foreign keys its relation and secrets; false when there was none. */
export async function deleteClient(statements: Statements, bank: string, id: string): Promise<boolean> {
  const rows = await statements.query('DELETE FROM directory.clients WHERE bank = $1 AND id = $2 RETURNING id', [
    bank,
    id,
  ]);
  return rows.length === 1;
}

/** Removes every client of a participant at every bank, and gives them. */
export async function deleteClientsOf(
  statements: Statements,
  participant: string,
): Promise<readonly { readonly bank: string; readonly id: string }[]> {
  const rows = await statements.query('DELETE FROM directory.clients WHERE participant = $1 RETURNING bank, id', [
    participant,
  ]);
  return rows.map((row) => ({ bank: text(row, 'bank'), id: text(row, 'id') }));
}

/** Makes a secret the current one; the one before it ends at `formerEndsAt`, anything older at once. False when it is no new one. */
export async function insertSecret(
  statements: Statements,
  client: { readonly bank: string; readonly id: string },
  secretHash: string,
  formerEndsAt: Date,
  now: Date,
): Promise<boolean> {
  const key = [client.bank, client.id];
  await statements.query(
    'DELETE FROM directory.client_secrets WHERE bank = $1 AND client = $2 AND ends_at IS NOT NULL',
    key,
  );
  await statements.query(
    'UPDATE directory.client_secrets SET ends_at = $3 WHERE bank = $1 AND client = $2 AND ends_at IS NULL',
    [...key, formerEndsAt],
  );
  const rows = await statements.query(
    `INSERT INTO directory.client_secrets (bank, client, secret_hash, created_at, ends_at)
     VALUES ($1, $2, $3, $4, NULL) ON CONFLICT DO NOTHING RETURNING client`,
    [...key, secretHash, now],
  );
  return rows.length === 1;
}

/** Announces a change to every node when the transaction commits. */
export async function announce(statements: Statements, channel: string, change: Change): Promise<void> {
  await statements.query('SELECT pg_notify($1, $2)', [channel, JSON.stringify(change)]);
}

function participantOf(row: Row): Participant {
  const status = PARTICIPANT_STATUSES.find((item) => item === row.status);
  if (status === undefined) throw new Error('column status: unknown participant status');
  const stored = texts(row, 'roles');
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    registrationNumber: text(row, 'registration_number'),
    email: text(row, 'email'),
    phone: optionalText(row, 'phone'),
    roles: ROLES.filter((role) => stored.includes(role)),
    status,
    statusReason: optionalText(row, 'status_reason'),
    requestsPerMinute: optionalInteger(row, 'requests_per_minute'),
    createdAt: instant(row, 'created_at'),
    updatedAt: instant(row, 'updated_at'),
  };
}

function storedClientOf(row: Row): StoredClient {
  return {
    client: {
      id: text(row, 'id'),
      bank: text(row, 'bank'),
      participant: text(row, 'participant'),
      softwareId: optionalText(row, 'software_id'),
      metadata: metadataValue(text(row, 'metadata')),
      secretHashes: texts(row, 'secret_hashes'),
      createdAt: instant(row, 'created_at'),
    },
    secretsChangeAt: optionalInstant(row, 'secrets_change_at'),
  };
}
