import { oid, sequence, utf8 } from './der.ts';

/** The PSD2 roles a participant can have, by the names the platform uses. */
export type Role = 'AISP' | 'PISP' | 'CBPII' | 'ASPSP';

/** Role number below 0.4.0.19495.1 and the name that must accompany it (TS 119 495 clause 5.2.2). */
const STATEMENT_ROLES: Readonly<Record<Role, readonly [number, string]>> = {
  ASPSP: [1, 'PSP_AS'],
  PISP: [2, 'PSP_PI'],
  AISP: [3, 'PSP_AI'],
  CBPII: [4, 'PSP_IC'],
};

/** True for a name of a PSD2 role. */
export function isRole(name: string): name is Role {
  return Object.hasOwn(STATEMENT_ROLES, name);
}

/** Every role, for messages. */
export const roleNames: readonly string[] = Object.keys(STATEMENT_ROLES);

/** Who certified the roles: name and id of the competent authority, such as `XX-SANDBOX`. */
export interface CompetentAuthority {
  readonly name: string;
  readonly id: string;
}

/** The PSD2 statement: RolesOfPSP, NCAName, NCAId (certificates.md §6.3, ETSI form). */
export function psd2Statement(roles: readonly Role[], authority: CompetentAuthority): Buffer {
  const entries = roles.map((role) => {
    const [number, name] = STATEMENT_ROLES[role];
    return sequence(oid(`0.4.0.19495.1.${number}`), utf8(name));
  });
  const information = sequence(sequence(...entries), utf8(authority.name), utf8(authority.id));
  return sequence(oid('0.4.0.19495.2'), information);
}

const QC_TYPES = { eseal: '0.4.0.1862.1.6.2', web: '0.4.0.1862.1.6.3' } as const;

/** What a certificate is for: `web` for the connection, `eseal` for signatures (ETSI EN 319 412-5). */
export type QcType = keyof typeof QC_TYPES;

/** The value of the qcStatements extension: QcType and the PSD2 statement. */
export function qcStatements(type: QcType, roles: readonly Role[], authority: CompetentAuthority): Buffer {
  const typeStatement = sequence(oid('0.4.0.1862.1.6'), sequence(oid(QC_TYPES[type])));
  return sequence(typeStatement, psd2Statement(roles, authority));
}
