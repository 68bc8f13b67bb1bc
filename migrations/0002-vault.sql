-- Key material and account numbers, sealed: ciphertext, wrapped data key and master key id in one text (LAB-30).
CREATE SCHEMA vault;

-- A generation holds one key per algorithm. It is current while retires_at is null and published until retires_at.
CREATE TABLE vault.signing_keys (
  bank text NOT NULL,
  generation integer NOT NULL,
  algorithm text NOT NULL,
  kid text NOT NULL,
  sealed_key text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  retires_at timestamptz(3),
  PRIMARY KEY (bank, generation, algorithm),
  UNIQUE (bank, kid)
);

CREATE TABLE vault.secrets (
  bank text NOT NULL,
  purpose text NOT NULL,
  sealed_secret text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (bank, purpose)
);

-- The token itself is nowhere: only its keyed hash. People point at an entry by its reference (LAB-29).
CREATE TABLE vault.account_tokens (
  bank text NOT NULL,
  token_hash text NOT NULL,
  reference text NOT NULL UNIQUE,
  customer text NOT NULL,
  account text NOT NULL,
  sealed_number text NOT NULL,
  masked_number text NOT NULL,
  consent text,
  participant text,
  created_at timestamptz(3) NOT NULL,
  PRIMARY KEY (bank, token_hash)
);
CREATE INDEX account_tokens_by_customer ON vault.account_tokens (bank, customer, created_at);
