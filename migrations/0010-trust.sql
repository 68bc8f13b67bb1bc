-- What is known about withdrawn certificates, shared by the processes of one platform. CREATE SCHEMA IF NOT EXISTS: parts of this
-- room arrive each with a migration of its own.
CREATE SCHEMA IF NOT EXISTS trust;

-- Counts how often everything was forgotten: an answer that was asked for before may not be kept after.
CREATE TABLE trust.answer_generations (
  only_row boolean PRIMARY KEY CHECK (only_row),
  generation bigint NOT NULL
);

INSERT INTO trust.answer_generations (only_row, generation) VALUES (true, 0);

-- OCSP responses and lists exactly as they were signed. Nothing here is believed: whoever reads a row verifies the octets again.
CREATE TABLE trust.revocation_answers (
  key text PRIMARY KEY,
  protocol text NOT NULL CHECK (protocol IN ('ocsp', 'crl')),
  source text NOT NULL,
  answer bytea NOT NULL,
  signed_at timestamptz NOT NULL,
  fetched_at timestamptz NOT NULL,
  useful_until timestamptz NOT NULL
);

CREATE INDEX revocation_answers_by_end ON trust.revocation_answers (useful_until);

-- Certificates and keys that never count, beside those of the configuration. The bank * means all banks of the platform.
CREATE TABLE trust.denied_certificates (
  bank text NOT NULL,
  entry text NOT NULL,
  issuer text,
  serial text,
  spki_sha256 text,
  reason text,
  denied_by text NOT NULL,
  denied_at timestamptz NOT NULL,
  PRIMARY KEY (bank, entry),
  CHECK ((spki_sha256 IS NULL) = (issuer IS NOT NULL AND serial IS NOT NULL))
);
