-- State of the OAuth engine beside access tokens: codes, refresh tokens, pushed requests, sessions, interactions, grants,
-- registration tokens and replay marks. Ids of secrets are kept as keyed hashes.
CREATE SCHEMA IF NOT EXISTS oauth;

CREATE TABLE oauth.artifacts (
  bank text NOT NULL,
  model text NOT NULL,
  id text NOT NULL,
  grant_id text,
  uid text,
  payload text NOT NULL,
  sealed boolean NOT NULL,
  consumed_at timestamptz,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (bank, model, id)
);

CREATE INDEX artifacts_by_grant ON oauth.artifacts (bank, grant_id) WHERE grant_id IS NOT NULL;

CREATE INDEX artifacts_by_uid ON oauth.artifacts (bank, uid) WHERE uid IS NOT NULL;

CREATE INDEX artifacts_by_expiry ON oauth.artifacts (expires_at);
