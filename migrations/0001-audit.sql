-- The audit trail: append-only records, hash-chained per writing process (design: architecture.md §5, LAB-45).
CREATE SCHEMA audit;

-- Every chain ever begun. Two chains a process: one inside callers' transactions, one for the queue of the request path.
-- The base moves only when retention removes the oldest records.
CREATE TABLE audit.chains (
  chain uuid PRIMARY KEY,
  ordinal bigint NOT NULL UNIQUE,
  kind text NOT NULL,
  started_at timestamptz(3) NOT NULL,
  base_sequence bigint NOT NULL,
  base_hash text NOT NULL,
  head_sequence bigint NOT NULL,
  head_hash text NOT NULL
);

-- How many chains there are and which came last: the removal of the newest chain is seen here.
CREATE TABLE audit.trail (
  id integer PRIMARY KEY CHECK (id = 1),
  chains bigint NOT NULL,
  last_chain uuid
);
INSERT INTO audit.trail (id, chains, last_chain) VALUES (1, 0, NULL);

-- No CHECK on the texts: a value that the database refused would stop the whole queue behind it.
CREATE TABLE audit.events (
  chain uuid NOT NULL,
  sequence bigint NOT NULL,
  at timestamptz(3) NOT NULL,
  family text NOT NULL,
  action text NOT NULL,
  outcome text NOT NULL,
  bank text,
  participant text,
  client text,
  subject text,
  consent text,
  interaction text,
  reason text,
  detail text,
  facts jsonb NOT NULL,
  previous_hash text NOT NULL,
  hash text NOT NULL,
  PRIMARY KEY (chain, sequence)
);
CREATE INDEX events_by_time ON audit.events (at, chain, sequence);
CREATE INDEX events_by_participant ON audit.events (participant, at, chain, sequence) WHERE participant IS NOT NULL;
CREATE INDEX events_by_client ON audit.events (client, at, chain, sequence) WHERE client IS NOT NULL;
CREATE INDEX events_by_consent ON audit.events (consent, at, chain, sequence) WHERE consent IS NOT NULL;
CREATE INDEX events_by_interaction ON audit.events (interaction, at, chain, sequence) WHERE interaction IS NOT NULL;
