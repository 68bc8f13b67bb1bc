-- What customers allowed, to whom, for which accounts, until when, and every step of each consent's life.
CREATE SCHEMA consent;

-- `state` is the last state written: an Authorised row past `expires_at` reads as Expired, an Awaiting one as Rejected.
CREATE TABLE consent.consents (
  bank text NOT NULL,
  id text NOT NULL,
  participant text NOT NULL,
  client text NOT NULL,
  customer text,
  state text NOT NULL CHECK (state IN ('Awaiting', 'Authorised', 'Rejected', 'Consumed', 'Revoked', 'Expired')),
  scopes text[] NOT NULL,
  accounts text[] NOT NULL,
  authorization_details jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  last_used_at timestamptz,
  PRIMARY KEY (bank, id),
  CHECK (state IN ('Awaiting', 'Rejected', 'Revoked') OR customer IS NOT NULL)
);

-- Lists are newest first, by bank, customer, participant or client.
CREATE INDEX consents_newest ON consent.consents (bank, created_at DESC, id DESC);
CREATE INDEX consents_of_customer ON consent.consents (bank, customer, created_at DESC, id DESC);
CREATE INDEX consents_of_participant ON consent.consents (bank, participant, created_at DESC, id DESC);
CREATE INDEX consents_of_client ON consent.consents (bank, client, created_at DESC, id DESC);

-- What the expiry run looks for.
CREATE INDEX consents_due ON consent.consents (expires_at) WHERE state IN ('Awaiting', 'Authorised');

CREATE TABLE consent.steps (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  bank text NOT NULL,
  consent text NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL CHECK (action IN ('create', 'authorise', 'reject', 'consume', 'revoke', 'expire')),
  state text NOT NULL CHECK (state IN ('Awaiting', 'Authorised', 'Rejected', 'Consumed', 'Revoked', 'Expired')),
  actor text NOT NULL CHECK (actor IN ('customer', 'participant', 'staff', 'system')),
  actor_reference text NOT NULL,
  reason text,
  FOREIGN KEY (bank, consent) REFERENCES consent.consents (bank, id)
);

CREATE INDEX steps_of_consent ON consent.steps (bank, consent, number);
