-- Consents in a bank's own store that were withdrawn here: from that moment on they are refused, whatever the store says.
-- The bank's store is told until it confirms; the row stays longer than any consent lives, so that a store that comes back
-- from an old copy opens nothing.
CREATE TABLE consent.withdrawals (
  bank text NOT NULL,
  id text NOT NULL,
  requested_at timestamptz NOT NULL,
  actor text NOT NULL CHECK (actor IN ('customer', 'participant', 'staff', 'system')),
  actor_reference text NOT NULL,
  reason text,
  interaction text,
  attempts integer NOT NULL,
  next_attempt_at timestamptz NOT NULL,
  confirmed_at timestamptz,
  PRIMARY KEY (bank, id)
);

CREATE INDEX withdrawals_waiting ON consent.withdrawals (bank, next_attempt_at) WHERE confirmed_at IS NULL;
CREATE INDEX withdrawals_old ON consent.withdrawals (requested_at) WHERE confirmed_at IS NOT NULL;
