-- A consent whose code was redeemed stays known for a while: a second answer to the same request, of another tab, must not make it
-- look as if nobody had taken it up.
ALTER TABLE oauth.unredeemed ADD COLUMN redeemed_at timestamptz;

DROP INDEX oauth.unredeemed_due;

CREATE INDEX unredeemed_due ON oauth.unredeemed (look_at) WHERE ended_at IS NULL AND redeemed_at IS NULL;

CREATE INDEX unredeemed_redeemed ON oauth.unredeemed (redeemed_at) WHERE redeemed_at IS NOT NULL;
