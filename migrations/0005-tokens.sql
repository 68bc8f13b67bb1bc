-- Issued access tokens of both formats, known by a keyed hash of the opaque token or of the JWT's id: no row holds a token.
CREATE SCHEMA tokens;

CREATE TABLE tokens.access_tokens (
  bank text NOT NULL,
  hash text NOT NULL,
  format text NOT NULL CHECK (format IN ('opaque', 'jwt')),
  kind text NOT NULL CHECK (kind IN ('customer', 'participant')),
  client text NOT NULL,
  participant text NOT NULL,
  customer text,
  subject text NOT NULL,
  scopes text[] NOT NULL,
  consent text,
  audience text NOT NULL,
  thumbprint text,
  issued_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  denied_at timestamptz,
  payload jsonb,
  PRIMARY KEY (bank, hash),
  CHECK ((kind = 'customer') = (customer IS NOT NULL)),
  CHECK (kind = 'customer' OR subject = client),
  CHECK ((format = 'opaque') = (payload IS NOT NULL))
);

-- What tokens are denied by.
CREATE INDEX access_tokens_of_consent ON tokens.access_tokens (bank, consent) WHERE consent IS NOT NULL;
CREATE INDEX access_tokens_of_client ON tokens.access_tokens (bank, client);
CREATE INDEX access_tokens_of_participant ON tokens.access_tokens (bank, participant);
CREATE INDEX access_tokens_of_customer ON tokens.access_tokens (bank, customer) WHERE customer IS NOT NULL;
CREATE INDEX access_tokens_of_thumbprint ON tokens.access_tokens (bank, thumbprint) WHERE thumbprint IS NOT NULL;

-- What the sweep looks for.
CREATE INDEX access_tokens_expired ON tokens.access_tokens (expires_at);
