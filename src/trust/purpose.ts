import { organizationIdentifierOf } from './client-certificate.ts';
import { EXTENSION, KEY_USAGE } from './extensions.ts';
import { rolesOf } from './psd2.ts';
import { parseQcStatements, type QcCode, QcProblem, type QcStatements } from './qc-statements.ts';
import type { CompiledScheme, LeafKeyUsage } from './scheme.ts';
import type { Certificate } from './x509.ts';

/** Why a certificate on a good path is still not the right one. */
export interface PurposeProblem {
  readonly code: QcCode | 'key_usage' | 'eku';
  readonly message: string;
}

/** What a leaf is for, and the roles it grants. */
export interface Purpose {
  readonly problem: PurposeProblem | undefined;
  readonly roles: readonly string[] | undefined;
  readonly statements: QcStatements | undefined;
}

/** Judges key usage, extended key usage and the eIDAS and PSD2 statements of a leaf (§7.1 rule 9, §8). */
export function purposeOf(leaf: Certificate, scheme: CompiledScheme): Purpose {
  try {
    const extension = leaf.extensions.get(EXTENSION.qcStatements);
    const statements = extension === undefined ? undefined : parseQcStatements(extension.value);
    const problem = usageProblem(leaf, scheme) ?? statementProblem(statements, scheme);
    const roles = statements && rolesOf(statements, organizationIdentifierOf(leaf), scheme.statements);
    return { problem: problem ?? rolesProblem(roles, scheme), roles, statements };
  } catch (cause) {
    if (!(cause instanceof QcProblem)) throw cause;
    const message = `The eIDAS or PSD2 statements of the certificate are not as TS 119 495 demands: ${cause.message}.`;
    return {
      problem: usageProblem(leaf, scheme) ?? { code: cause.code, message },
      roles: undefined,
      statements: undefined,
    };
  }
}

function usageProblem(leaf: Certificate, scheme: CompiledScheme): PurposeProblem | undefined {
  const wanted = missingKeyUsage(leaf, scheme);
  if (wanted !== undefined) return { code: 'key_usage', message: `The certificate lacks the key usage ${wanted}.` };
  const usages = leaf.extendedKeyUsages ?? [];
  const missing = scheme.extendedKeyUsages.filter((usage) => !usages.includes(usage));
  if (missing.length === 0) return undefined;
  return { code: 'eku', message: `The certificate lacks the extended key usage ${missing.map(nameOf).join(', ')}.` };
}

function missingKeyUsage({ keyUsage }: Certificate, { use, keyUsages }: CompiledScheme): string | undefined {
  const has = (usage: LeafKeyUsage) => keyUsage?.has(KEY_USAGE[usage]) === true;
  if (keyUsages !== undefined) return keyUsages.find((usage) => !has(usage));
  const fits = has('digitalSignature') || (use === 'signature' && has('nonRepudiation'));
  return fits ? undefined : 'digitalSignature';
}

function nameOf(usage: string): string {
  return usage === '1.3.6.1.5.5.7.3.2' ? 'clientAuth' : usage;
}

/** A seal certificate passes every TLS stack as a client certificate (F5): QcType tells the two apart. */
function statementProblem(statements: QcStatements | undefined, scheme: CompiledScheme): PurposeProblem | undefined {
  const wanted = scheme.use === 'transport' ? 'web' : 'eseal';
  const types = statements?.types ?? [];
  const fits = types.length === 1 && types[0] === wanted;
  if ((types.length > 0 || scheme.qcTypeRequired) && !fits) {
    const message = `The certificate is not of the kind for this use: its QcType must be ${wanted} alone.`;
    return { code: 'qc_type', message };
  }
  if (!scheme.qualified) return undefined;
  if (statements === undefined)
    return { code: 'qc_missing', message: 'The certificate makes no qualified statements.' };
  if (statements.compliance && !statements.legislation) return undefined;
  return { code: 'not_qualified', message: 'The certificate is not qualified under the law of the Union.' };
}

function rolesProblem(roles: readonly string[] | undefined, scheme: CompiledScheme): PurposeProblem | undefined {
  if (!scheme.rolesRequired || roles !== undefined) return undefined;
  return { code: 'psd2_missing', message: 'The certificate has no PSD2 statement with roles.' };
}
