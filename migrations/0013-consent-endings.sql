-- Revoked consents whose access tokens are not known to be dead: written with the revocation, removed once they are, so that
-- what a process left undone is done by the next.
CREATE TABLE consent.endings (
  bank text NOT NULL,
  consent text NOT NULL,
  attempts integer NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  PRIMARY KEY (bank, consent)
);

CREATE INDEX endings_due ON consent.endings (next_attempt_at);
