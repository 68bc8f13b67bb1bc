-- Customers signed in at the portal. The cookie's value is kept as a keyed hash; a row is a session that has not ended.
CREATE TABLE web.portal_sessions (
  bank text NOT NULL,
  id_hash text NOT NULL,
  customer text NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (bank, id_hash)
);

CREATE INDEX portal_sessions_by_use ON web.portal_sessions (used_at);
