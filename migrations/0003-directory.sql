-- The participant directory: who may come, with which clients and certificates, and how often.
CREATE SCHEMA directory;

CREATE TABLE directory.participants (
  id text PRIMARY KEY,
  name text NOT NULL,
  registration_number text NOT NULL,
  email text NOT NULL,
  phone text,
  roles text[] NOT NULL,
  status text NOT NULL CHECK (status IN ('pending', 'approved', 'suspended', 'rejected', 'removed')),
  status_reason text,
  requests_per_minute integer CHECK (requests_per_minute > 0),
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL
);

-- Metadata is canonical JSON text: jsonb would reorder the keys, and the engine caches a client by the hash of its text.
CREATE TABLE directory.clients (
  bank text NOT NULL,
  id text NOT NULL,
  participant text NOT NULL REFERENCES directory.participants (id),
  software_id text,
  metadata text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (bank, id)
);

CREATE INDEX clients_by_participant ON directory.clients (participant, bank);

-- Hashes only. ends_at is null for the current secret, and the end of the overlap for the one before it.
CREATE TABLE directory.client_secrets (
  bank text NOT NULL,
  client text NOT NULL,
  secret_hash text NOT NULL,
  created_at timestamptz NOT NULL,
  ends_at timestamptz,
  PRIMARY KEY (bank, client, secret_hash),
  FOREIGN KEY (bank, client) REFERENCES directory.clients (bank, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX client_secrets_one_current ON directory.client_secrets (bank, client) WHERE ends_at IS NULL;

-- The relation certificate to client (CA-01, CA-02). The primary key gives a certificate one client per bank; the partial index
-- gives a client one active certificate. A row whose ends_at has passed is no relation any more: readers compare it with the
-- clock, and whoever claims the certificate next removes the row first.
CREATE TABLE directory.certificates (
  bank text NOT NULL,
  thumbprint text NOT NULL,
  client text NOT NULL,
  subject text NOT NULL,
  issuer text NOT NULL,
  serial text NOT NULL,
  organization_identifier text,
  not_before timestamptz NOT NULL,
  not_after timestamptz NOT NULL,
  bound_at timestamptz NOT NULL,
  ends_at timestamptz,
  PRIMARY KEY (bank, thumbprint),
  FOREIGN KEY (bank, client) REFERENCES directory.clients (bank, id) ON DELETE CASCADE
);

CREATE UNIQUE INDEX certificates_one_active ON directory.certificates (bank, client) WHERE ends_at IS NULL;

CREATE INDEX certificates_by_client ON directory.certificates (bank, client);

-- Certificates whose relation was taken away: only staff may enrol them again (CA-19).
CREATE TABLE directory.withdrawn_certificates (
  bank text NOT NULL,
  thumbprint text NOT NULL,
  client text NOT NULL,
  participant text NOT NULL,
  withdrawn_at timestamptz NOT NULL,
  PRIMARY KEY (bank, thumbprint)
);

-- Requests per participant and minute, over all clients and nodes (LAB-17).
CREATE TABLE directory.request_counts (
  window_start timestamptz NOT NULL,
  participant text NOT NULL,
  requests bigint NOT NULL,
  PRIMARY KEY (window_start, participant)
);
