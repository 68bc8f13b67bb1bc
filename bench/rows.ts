import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A customer's token and the consent behind it, as they lie in the database. */
export interface Grant {
  readonly token: string;
  readonly consent: string;
}

/** For whom rows are made. */
export interface Holder {
  readonly bank: string;
  readonly client: string;
  readonly participant: string;
  readonly thumbprint: string;
  readonly audience: string;
}

/** How long everything made here lives: longer than any run. */
const LIFE = "interval '1 day'";
const BATCH = 5_000;

/** Fills the database as years of use would, with statements of its own: nobody creates a million consents one by one. */
export interface Rows {
  /** Participants, each with a client and a certificate, at a bank. */
  addCrowd(bank: string, count: number): Promise<void>;
  /** Authorised consents of the crowd, up to `total` in the table; nobody here uses them. */
  addConsents(bank: string, total: number, crowd: number): Promise<void>;
  /** Consents with a live token each, for a client that calls; `hash` is the token room's, `ids` what it is taken of. */
  addGrants(
    holder: Holder,
    format: 'opaque' | 'jwt',
    ids: readonly string[],
    hash: (id: string) => string,
  ): Promise<void>;
  /** Ids of consents spread over the whole table. */
  sampleConsents(bank: string, count: number): Promise<readonly string[]>;
  countConsents(): Promise<number>;
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to a migrated database. */
export async function openRows(url: string): Promise<Rows> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    addCrowd: (bank, count) => addCrowd(client, bank, count),
    addConsents: (bank, total, crowd) => addConsents(client, bank, total, crowd),
    addGrants: async (holder, format, ids, hash) => {
      for (let at = 0; at < ids.length; at += BATCH)
        await addGrants(client, holder, format, ids.slice(at, at + BATCH), hash);
    },
    sampleConsents: async (bank, count) => {
      const text = 'SELECT id FROM consent.consents WHERE bank = $1 ORDER BY random() LIMIT $2';
      const { rows } = await client.query<{ id: string }>(text, [bank, count]);
      return rows.map(({ id }) => id);
    },
    countConsents: async () => {
      const { rows } = await client.query<{ count: string }>('SELECT count(*) AS count FROM consent.consents');
      return Number(rows[0]?.count ?? 0);
    },
    settle: async () => {
      await client.query('VACUUM ANALYZE');
      await client.query('CHECKPOINT');
    },
    close: () => client.end(),
  };
}

async function addCrowd(client: pg.Client, bank: string, count: number): Promise<void> {
  const series = 'generate_series(1, $1::int) AS n';
  await client.query(
    `INSERT INTO directory.participants (id, name, registration_number, email, roles, status, created_at, updated_at)
     SELECT 'crowd-' || n, 'Crowd ' || n, 'PSDXX-BENCH-' || n, 'ops@crowd.example', '{AISP,PISP}', 'approved', now(), now()
     FROM ${series} ON CONFLICT DO NOTHING`,
    [count],
  );
  await client.query(
    `INSERT INTO directory.clients (bank, id, participant, metadata, created_at, updated_at)
     SELECT $2, 'crowd-client-' || n, 'crowd-' || n, '{"client_id":"crowd-client-' || n || '"}', now(), now()
     FROM ${series} ON CONFLICT DO NOTHING`,
    [count, bank],
  );
  await client.query(
    `INSERT INTO directory.certificates (bank, thumbprint, client, subject, issuer, serial, not_before, not_after, bound_at)
     SELECT $2, lpad(n::text, 43, 'A'), 'crowd-client-' || n, 'CN=crowd', 'CN=bench', n::text, now(), now() + ${LIFE}, now()
     FROM ${series} ON CONFLICT DO NOTHING`,
    [count, bank],
  );
}

async function addConsents(client: pg.Client, bank: string, total: number, crowd: number): Promise<void> {
  const { rows } = await client.query<{ count: string }>('SELECT count(*) AS count FROM consent.consents');
  const present = Number(rows[0]?.count ?? 0);
  if (present >= total) return;
  await client.query(
    `INSERT INTO consent.consents (bank, id, participant, client, customer, state, scopes, accounts, authorization_details,
       created_at, changed_at, expires_at)
     SELECT $1, 'consent-' || md5(n::text), 'crowd-' || (n % $4 + 1), 'crowd-client-' || (n % $4 + 1), 'customer-' || n / 3,
       'Authorised', '{accounts}', ARRAY['account-' || n], '[]', now(), now(), now() + ${LIFE}
     FROM generate_series($2::int, $3::int) AS n`,
    [bank, present + 1, total, crowd],
  );
}

async function addGrants(
  client: pg.Client,
  holder: Holder,
  format: 'opaque' | 'jwt',
  ids: readonly string[],
  hash: (id: string) => string,
): Promise<void> {
  const { bank, participant, client: id, audience, thumbprint } = holder;
  const consents = ids.map(consentOf);
  await client.query(
    `INSERT INTO consent.consents (bank, id, participant, client, customer, state, scopes, accounts, authorization_details,
       created_at, changed_at, expires_at)
     SELECT $1, consent, $2, $3, 'customer-1', 'Authorised', '{accounts}', '{account-1,account-2}', '[]', now(), now(),
       now() + ${LIFE}
     FROM unnest($4::text[]) AS consent`,
    [bank, participant, id, consents],
  );
  await client.query(
    `INSERT INTO tokens.access_tokens (bank, hash, format, kind, client, participant, customer, subject, scopes, consent,
       audience, thumbprint, issued_at, expires_at, payload)
     SELECT $1, hash, $2::text, 'customer', $3, $4, 'customer-1', 'subject-1', '{accounts}', consent, $5, $6, now(), now() + ${LIFE},
       CASE WHEN $2::text = 'opaque' THEN '{}'::jsonb END
     FROM unnest($7::text[], $8::text[]) AS made (hash, consent)`,
    [bank, format, id, participant, audience, thumbprint, ids.map(hash), consents],
  );
}

/** The consent behind a token made here. */
export function consentOf(id: string): string {
  return `granted-${id.slice(0, 24)}`;
}

/** Ids as the engine makes them: 256 random bits. */
export function newIds(count: number): readonly string[] {
  return Array.from({ length: count }, () => randomBytes(32).toString('base64url'));
}
