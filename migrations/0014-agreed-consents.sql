-- Consents a customer agreed to whose code was not redeemed yet. Redeemed: the row goes. Not redeemed in time: the consent ends,
-- and the row says why to whoever looks.
CREATE TABLE oauth.unredeemed (
  bank text NOT NULL,
  consent text NOT NULL,
  agreed_at timestamptz NOT NULL,
  look_at timestamptz NOT NULL,
  ended_at timestamptz,
  PRIMARY KEY (bank, consent)
);

CREATE INDEX unredeemed_due ON oauth.unredeemed (look_at) WHERE ended_at IS NULL;
CREATE INDEX unredeemed_old ON oauth.unredeemed (ended_at) WHERE ended_at IS NOT NULL;
