import { isCountry } from './countries.ts';
import { type Psd2Statement, type PspRole, QcProblem, type QcStatements } from './qc-statements.ts';

/** How strictly statements are read: a setting of the trust scheme (§8.3 to §8.5). */
export interface StatementRules {
  /** `etsi`: as the standard says. `flattened`: UK certificates of 2020/21 too. `sandbox`: a bare statement too. */
  readonly rolesEncoding: 'etsi' | 'flattened' | 'sandbox';
  /**
   * `strict`: the authority's country exists and equals that of a PSD organizationIdentifier, as does its code.
   * `relaxed`: the form alone is checked (UK identifiers say OB where the statement says FCA; sandboxes use XX).
   */
  readonly authority: 'strict' | 'relaxed';
  /** `psd`: only the PSD form counts. `any`: other legal-person schemes too (a "should" since TS 119 495 V1.5.1). */
  readonly organizationIdentifier: 'psd' | 'any';
}

/** Role names that must accompany the OIDs (TS 119 495 §5.2.2-5) and what they mean here; undefined grants nothing. */
const ROLES: Readonly<Record<string, { readonly name: string; readonly role: string | undefined }>> = {
  '0.4.0.19495.1.0': { name: 'Unspecified', role: undefined },
  '0.4.0.19495.1.1': { name: 'PSP_AS', role: 'ASPSP' },
  '0.4.0.19495.1.2': { name: 'PSP_PI', role: 'PISP' },
  '0.4.0.19495.1.3': { name: 'PSP_AI', role: 'AISP' },
  '0.4.0.19495.1.4': { name: 'PSP_IC', role: 'CBPII' },
  '0.4.0.19495.1.5': { name: 'PSP_CB', role: undefined },
  '0.4.0.19495.1.6': { name: 'PSP_PA', role: undefined },
  '0.4.0.19495.1.51': { name: 'VOP_RS', role: undefined },
  '0.4.0.19495.1.52': { name: 'VOP_VS', role: undefined },
};
const UNSPECIFIED = '0.4.0.19495.1.0';
/** The two kinds of provider that need no authority. */
const WITHOUT_AUTHORITY: ReadonlySet<string> = new Set(['PSP_CB', 'PSP_PA']);

/** The platform's roles of a PSD2 statement. @throws QcProblem when the statement breaks a rule of §8.3. */
export function rolesOf(
  statements: QcStatements,
  organizationIdentifier: string | undefined,
  rules: StatementRules,
): readonly string[] | undefined {
  const { psd2 } = statements;
  if (statements.bare && rules.rolesEncoding !== 'sandbox') throw new QcProblem('roles_encoding', 'a bare statement');
  if (psd2 === undefined) return undefined;
  if (psd2.encoding === 'flattened' && rules.rolesEncoding === 'etsi') {
    throw new QcProblem('roles_encoding', 'roles in the flattened form');
  }
  for (const role of psd2.roles) checkRole(role);
  if (psd2.roles.length > 1 && psd2.roles.some(({ id }) => id === UNSPECIFIED)) {
    throw new QcProblem('role_mismatch', '"Unspecified" beside other roles');
  }
  checkAuthority(psd2, rules);
  checkIdentifier(psd2, organizationIdentifier, rules);
  return [...new Set(psd2.roles.flatMap(({ id }) => ROLES[id]?.role ?? []))];
}

function checkRole({ id, name }: PspRole): void {
  const known = ROLES[id];
  if (known === undefined) throw new QcProblem('role_unknown', 'a role that does not exist');
  if (known.name !== name) throw new QcProblem('role_mismatch', `the name of a role that is not ${known.name}`);
}

const AUTHORITY_ID = /^([A-Z]{2})-([A-Z]{2,8})$/;
/** Latin letters with their diacritics, digits, spaces and the punctuation of names. */
const LATIN_NAME = /^[\p{Script=Latin}\p{M}\p{N}\p{Zs}\p{P}\p{S}]+$/u;
const LATIN_LETTER = /\p{Script=Latin}/u;

function checkAuthority({ authorityId, authorityName, roles }: Psd2Statement, rules: StatementRules): void {
  const exempt = roles.some(({ name }) => WITHOUT_AUTHORITY.has(name));
  if (authorityName === 'NA' ? !exempt : !LATIN_NAME.test(authorityName) || !LATIN_LETTER.test(authorityName)) {
    throw new QcProblem('nca_name', 'the name of the authority');
  }
  if (authorityId === 'NA' && exempt) return;
  const country = AUTHORITY_ID.exec(authorityId)?.[1];
  if (country === undefined) throw new QcProblem('nca_format', 'the identifier of the authority');
  if (rules.authority === 'strict' && !isCountry(country))
    throw new QcProblem('nca_format', 'the country of the authority');
}

const PSD_IDENTIFIER = /^PSD([A-Z]{2})-([A-Z]{2,8})-.+$/;
/** EN 319 412-1 §5.1.4: three letters, country, hyphen, reference; or a national scheme of two letters and a colon. */
const LEGAL_IDENTIFIER = /^(PSD|VAT|NTR|LEI|EID|[A-Z]{2}:)[A-Z]{2}-\S.*$/;

function checkIdentifier({ authorityId }: Psd2Statement, identifier: string | undefined, rules: StatementRules): void {
  if (identifier === undefined) throw new QcProblem('orgid_missing', 'no organizationIdentifier');
  const accepted = rules.organizationIdentifier === 'psd' ? PSD_IDENTIFIER : LEGAL_IDENTIFIER;
  if (!accepted.test(identifier) || identifier !== identifier.trim()) {
    throw new QcProblem('orgid_format', 'the form of the organizationIdentifier');
  }
  const [, country, authority] = PSD_IDENTIFIER.exec(identifier) ?? [];
  if (identifier.startsWith('PSD') && country === undefined) {
    throw new QcProblem('orgid_format', 'the form of the organizationIdentifier');
  }
  const differs = country !== undefined && `${country}-${authority}` !== authorityId;
  if (rules.authority === 'strict' && differs) {
    throw new QcProblem('nca_mismatch', 'the authority differs from the one in the organizationIdentifier');
  }
}
