import type { Statements } from '../platform/database.ts';
import type { Row } from '../platform/row.ts';
import { instant, optionalInstant, optionalText, text } from '../platform/row.ts';
import type { BoundCertificate } from './participant.ts';

const CERTIFICATE_COLUMNS = `bank, thumbprint, client, subject, issuer, serial, organization_identifier, not_before,
  not_after, bound_at, ends_at`;

/** The certificates related to a client at `now`: the active one first, then the one whose window is still open. */
export async function selectCertificates(
  statements: Statements,
  bank: string,
  client: string,
  now: Date,
): Promise<readonly BoundCertificate[]> {
  const rows = await statements.query(
    `SELECT ${CERTIFICATE_COLUMNS} FROM directory.certificates
     WHERE bank = $1 AND client = $2 AND (ends_at IS NULL OR ends_at > $3) ORDER BY ends_at DESC NULLS FIRST`,
    [bank, client, now],
  );
  return rows.map(certificateOf);
}

/**
 * Relates a certificate to a client. The unique keys decide, whatever runs beside: false when a client of the bank has this
 * certificate, or this client has an active one (CA-02).
 */
export async function insertCertificate(statements: Statements, certificate: BoundCertificate): Promise<boolean> {
  const rows = await statements.query(
    `INSERT INTO directory.certificates (${CERTIFICATE_COLUMNS})
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, NULL) ON CONFLICT DO NOTHING RETURNING thumbprint`,
    [
      certificate.bank,
      certificate.thumbprint,
      certificate.client,
      certificate.subject,
      certificate.issuer,
      certificate.serial,
      certificate.organizationIdentifier ?? null,
      certificate.notBefore,
      certificate.notAfter,
      certificate.boundAt,
    ],
  );
  return rows.length === 1;
}

/** Gives the active certificate of a client its end. */
export async function endActive(statements: Statements, bank: string, client: string, endsAt: Date): Promise<void> {
  await statements.query(
    'UPDATE directory.certificates SET ends_at = $3 WHERE bank = $1 AND client = $2 AND ends_at IS NULL',
    [bank, client, endsAt],
  );
}

/** Removes the relations of a certificate or client that ended before `now`, so that the unique keys no longer see them. */
export async function deleteEnded(
  statements: Statements,
  { bank, client, thumbprint, issuer, serial }: BoundCertificate,
  now: Date,
): Promise<void> {
  await statements.query(
    `DELETE FROM directory.certificates WHERE bank = $1 AND ends_at <= $4
     AND (client = $2 OR thumbprint = $3 OR (issuer = $5 AND serial = $6))`,
    [bank, client, thumbprint, now, issuer, serial],
  );
}

/** Ends what a rotation left: gives the thumbprint that was still in its window, if any. */
export async function deleteRotating(
  statements: Statements,
  bank: string,
  client: string,
  now: Date,
): Promise<string | undefined> {
  const rows = await statements.query(
    `DELETE FROM directory.certificates WHERE bank = $1 AND client = $2 AND ends_at IS NOT NULL
     RETURNING thumbprint, ends_at`,
    [bank, client],
  );
  const open = rows.find((row) => instant(row, 'ends_at') > now);
  return open === undefined ? undefined : text(open, 'thumbprint');
}

/** Removes one relation that is in force and gives what names its certificate; undefined when there was none. */
export async function deleteCertificate(
  statements: Statements,
  bank: string,
  client: string,
  thumbprint: string,
  now: Date,
): Promise<CertificateName | undefined> {
  const [row] = await statements.query(
    `DELETE FROM directory.certificates WHERE bank = $1 AND client = $2 AND thumbprint = $3
     AND (ends_at IS NULL OR ends_at > $4) RETURNING issuer, serial`,
    [bank, client, thumbprint, now],
  );
  return row === undefined ? undefined : { bank, thumbprint, issuer: text(row, 'issuer'), serial: text(row, 'serial') };
}

/** What names a certificate at a bank. Issuer and serial do it as well as the thumbprint: an altered signature changes that alone (F7). */
export type CertificateName = Pick<BoundCertificate, 'bank' | 'thumbprint' | 'issuer' | 'serial'>;

/** Keeps a certificate from being enrolled again without review (CA-19). */
export async function insertWithdrawn(
  statements: Statements,
  withdrawn: CertificateName & { readonly client: string; readonly participant: string },
  now: Date,
): Promise<void> {
  const { bank, thumbprint, issuer, serial, client, participant } = withdrawn;
  await statements.query(
    `INSERT INTO directory.withdrawn_certificates (bank, thumbprint, issuer, serial, client, participant, withdrawn_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bank, thumbprint)
     DO UPDATE SET issuer = excluded.issuer, serial = excluded.serial, client = excluded.client,
       participant = excluded.participant, withdrawn_at = excluded.withdrawn_at`,
    [bank, thumbprint, issuer, serial, client, participant, now],
  );
}

/** The same for every certificate of a participant that is in force. */
export async function withdrawCertificatesOf(statements: Statements, participant: string, now: Date): Promise<void> {
  await statements.query(
    `INSERT INTO directory.withdrawn_certificates (bank, thumbprint, issuer, serial, client, participant, withdrawn_at)
     SELECT certificate.bank, certificate.thumbprint, certificate.issuer, certificate.serial, certificate.client,
       client.participant, $2::timestamptz
     FROM directory.certificates certificate
     JOIN directory.clients client ON client.bank = certificate.bank AND client.id = certificate.client
     WHERE client.participant = $1 AND (certificate.ends_at IS NULL OR certificate.ends_at > $2)
     ON CONFLICT (bank, thumbprint) DO UPDATE SET issuer = excluded.issuer, serial = excluded.serial,
       client = excluded.client, participant = excluded.participant, withdrawn_at = excluded.withdrawn_at`,
    [participant, now],
  );
}

/** Whether a certificate waits for review, held until the transaction ends. */
export async function isWithdrawn(
  statements: Statements,
  { bank, thumbprint, issuer, serial }: CertificateName,
): Promise<boolean> {
  const rows = await statements.query(
    `SELECT thumbprint FROM directory.withdrawn_certificates
     WHERE bank = $1 AND (thumbprint = $2 OR (issuer = $3 AND serial = $4)) FOR UPDATE`,
    [bank, thumbprint, issuer, serial],
  );
  return rows.length > 0;
}

/** A review let the certificate in again. */
export async function deleteWithdrawn(
  statements: Statements,
  { bank, thumbprint, issuer, serial }: CertificateName,
): Promise<void> {
  await statements.query(
    `DELETE FROM directory.withdrawn_certificates
     WHERE bank = $1 AND (thumbprint = $2 OR (issuer = $3 AND serial = $4))`,
    [bank, thumbprint, issuer, serial],
  );
}

function certificateOf(row: Row): BoundCertificate {
  return {
    bank: text(row, 'bank'),
    client: text(row, 'client'),
    thumbprint: text(row, 'thumbprint'),
    subject: text(row, 'subject'),
    issuer: text(row, 'issuer'),
    serial: text(row, 'serial'),
    organizationIdentifier: optionalText(row, 'organization_identifier'),
    notBefore: instant(row, 'not_before'),
    notAfter: instant(row, 'not_after'),
    boundAt: instant(row, 'bound_at'),
    endsAt: optionalInstant(row, 'ends_at'),
  };
}
