-- Sign-in attempts per bank and user name, so that the lock counts over restarts and nodes. The name is a keyed hash.
CREATE SCHEMA IF NOT EXISTS web;

CREATE TABLE web.sign_in_attempts (
  bank text NOT NULL,
  username_hash text NOT NULL,
  attempts integer NOT NULL,
  last_attempt_at timestamptz NOT NULL,
  locked_until timestamptz,
  PRIMARY KEY (bank, username_hash)
);

CREATE INDEX sign_in_attempts_by_time ON web.sign_in_attempts (last_attempt_at);
