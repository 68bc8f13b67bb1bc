-- A customer may change the accounts of a consent that stands, where the bank allows it; the step holds both versions (N-207).
ALTER TABLE consent.steps ADD COLUMN accounts_before text[];
ALTER TABLE consent.steps ADD COLUMN accounts_after text[];
ALTER TABLE consent.steps DROP CONSTRAINT steps_action_check;
ALTER TABLE consent.steps ADD CONSTRAINT steps_action_check
  CHECK (action IN ('create', 'authorise', 'reject', 'consume', 'revoke', 'expire', 'change'));
ALTER TABLE consent.steps ADD CONSTRAINT steps_change_check
  CHECK ((action = 'change') = (accounts_before IS NOT NULL AND accounts_after IS NOT NULL));
