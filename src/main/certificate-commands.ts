import { readFile } from 'node:fs/promises';
import { Refusal } from '../platform/refusal.ts';
import { type CertificateFields, certificatesOfPem, type Explanation } from '../trust/index.ts';
import type { CommandRequest, CommandResult, CommandWords } from './command.ts';
import type { Rooms } from './rooms.ts';
import { bankOf, type Settings } from './settings.ts';

/** A file with more certificates than this is no chain. */
const MAXIMUM_CERTIFICATES = 20;

/** Every check over the certificates of a file, leaf first, for one bank or for each of them. */
export const explainCertificate = {
  usage: 'certificate explain <file> [--bank <id>]',
  summary: 'Prints fields, roles, path, revocation and the verdict of every check; status 1 when it is refused.',
  words: 1,
  options: ['bank'],
  read: ({ words: [path] }: CommandWords) => readPemFile(path),
  run: async (request: CommandRequest, rooms: Rooms, settings: Settings): Promise<CommandResult> => {
    const { bank } = request.options;
    const banks = bank === undefined ? settings.banks : [bankOf(settings, bank)];
    const chain = chainOf(request.file ?? '');
    const lines: string[] = [];
    let status = 0;
    for (const { id } of banks) {
      const explanation = await rooms.trust.explain(chain, id);
      if (!explanation.verdict.ok) status = 1;
      if (lines.length === 0) lines.push(...explanation.certificates.flatMap(fieldLines));
      lines.push('', `For bank ${id}:`, ...checkLines(explanation));
    }
    return { lines, status };
  },
};

/** For the minute after an authority withdrew a certificate: answers are otherwise believed as long as they say. */
export const forgetCertificates = {
  usage: 'certificate forget',
  summary: 'Forgets every verdict and every answer about revocation, in all processes: the next request asks anew.',
  words: 0,
  options: [],
  run: async (_request: CommandRequest, rooms: Rooms): Promise<CommandResult> => {
    try {
      await rooms.trust.forget();
      return { lines: ['verdicts and answers about revocation are forgotten, in all processes'], status: 0 };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : 'the database does not answer';
      return { lines: [`forgotten here; other processes could not be told: ${why}`], status: 1 };
    }
  },
};

/** The certificates of a file. @throws Refusal `file_invalid` 400 when the file holds no PEM certificates, or more than a chain has */
export function chainOf(pem: string): readonly Uint8Array[] {
  const chain = readPem(pem);
  if (chain.length === 0) throw new Refusal('file_invalid', 400, 'the file holds no certificate');
  if (chain.length <= MAXIMUM_CERTIFICATES) return chain;
  throw new Refusal('file_invalid', 400, `the file holds more than ${MAXIMUM_CERTIFICATES} certificates`);
}

/** DER begins with a SEQUENCE, PEM never does. */
const DER_SEQUENCE = 0x30;

/** A file of certificates as PEM; a single one may also be there as DER. */
export async function readPemFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const content = await readFile(path);
  if (content[0] !== DER_SEQUENCE) return content.toString('utf8');
  return `-----BEGIN CERTIFICATE-----\n${content.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

function readPem(pem: string): readonly Uint8Array[] {
  try {
    return certificatesOfPem(pem);
  } catch (cause) {
    throw new Refusal('file_invalid', 400, 'the file holds something else than PEM or DER certificates', { cause });
  }
}

function fieldLines(fields: CertificateFields, index: number): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['subject', fields.subject],
    ['issuer', fields.issuer],
    ['serial', fields.serial],
    ['thumbprint', fields.thumbprint],
    ['key', fields.spkiSha256],
    ['valid', `${fields.notBefore.toISOString()} to ${fields.notAfter.toISOString()}`],
    ['purposes', list(fields.extendedKeyUsages)],
    ['organisation', fields.organizationIdentifier ?? 'none'],
    ['roles', fields.roles === undefined ? 'no PSD2 statement' : list(fields.roles)],
    ['kind', list(fields.qcTypes)],
    ['qualified', fields.qualified ? 'says so' : 'no'],
    ['OCSP', list(fields.ocspUrls)],
    ['CRL', list(fields.crlUrls)],
  ];
  return [`Certificate ${index + 1}`, ...rows.map(([name, value]) => `  ${name.padEnd(13)}${value}`)];
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ');
}

function checkLines({ checks, path, verdict }: Explanation): readonly string[] {
  const rows = checks.map(
    ({ check, ok, detail, message }) => `  ${ok ? 'ok     ' : 'REFUSED'} ${check.padEnd(11)} ${detail}: ${message}`,
  );
  const way = path.length === 0 ? '  path: none' : `  path: ${path.join(' <- ')}`;
  const end = verdict.ok
    ? `  verdict: accepted, until ${verdict.validUntil.toISOString()} at most`
    : `  verdict: ${verdict.reason} (${verdict.detail}): ${verdict.message}`;
  return [...rows, way, end, ...faultLines(verdict)];
}

/** What failed, and what would have been right: staff may know what a caller is not told. */
function faultLines(verdict: Explanation['verdict']): readonly string[] {
  if (verdict.ok || verdict.fault === undefined) return [];
  const { check, certificate, expected } = verdict.fault;
  const which = certificate && `${certificate.subject}, serial ${certificate.serial}, ${certificate.thumbprint}`;
  return [`  failed: ${check}${which === undefined ? '' : ` of ${which}`}`, `  expected: ${expected}`];
}
