-- The signature of an ECDSA certificate can be altered into another valid one: same issuer, serial and key, another thumbprint.
-- One certificate is therefore also one issuer and serial (CA-02, CA-19; certificates.md F7). The prefix keeps a long issuer
-- within what an index holds.
CREATE UNIQUE INDEX certificates_one_serial ON directory.certificates (bank, serial, left(issuer, 500));

ALTER TABLE directory.withdrawn_certificates ADD COLUMN issuer text;

ALTER TABLE directory.withdrawn_certificates ADD COLUMN serial text;

CREATE INDEX withdrawn_certificates_by_serial ON directory.withdrawn_certificates (bank, serial);
