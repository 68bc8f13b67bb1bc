CREATE SCHEMA IF NOT EXISTS trusted_lists;

-- The last good national list of each bank and territory: the signed document as it came, which is verified again by whoever
-- loads it. A row is replaced by a list with a higher number alone.
CREATE TABLE trusted_lists.lists (
  bank text NOT NULL,
  territory text NOT NULL,
  sequence bigint NOT NULL,
  sha256 text NOT NULL,
  document text NOT NULL,
  issued_at timestamptz NOT NULL,
  next_update timestamptz NOT NULL,
  imported_at timestamptz NOT NULL,
  PRIMARY KEY (bank, territory)
);

-- When a list is due to be fetched: the process that moves the time ahead fetches it.
CREATE TABLE trusted_lists.refreshes (
  bank text NOT NULL,
  territory text NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  failures integer NOT NULL,
  PRIMARY KEY (bank, territory)
);
