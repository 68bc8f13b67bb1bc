import { ia5, oid, printable, sequence, utf8 } from './der.ts';

/** The eIDAS and PSD2 statements of a certificate (ETSI EN 319 412-5, TS 119 495). */
export interface QcStatementOptions {
  /** Platform names (`AISP`, `PISP`, `CBPII`, `ASPSP`) or ETSI names (`PSP_AI`, …). Undefined: no PSD2 statement. */
  readonly roles?: readonly string[] | undefined;
  readonly authorityName?: string | undefined;
  /** Such as `XX-TEST`. */
  readonly authorityId?: string | undefined;
  /** Default `web` when there are roles. */
  readonly qcType?: 'web' | 'eseal' | 'esign' | 'none' | undefined;
  readonly qualified?: boolean | undefined;
  /** Flattened roles as UK certificates of 2020 have them. */
  readonly flattenedRoles?: boolean | undefined;
  /** Further QCStatement values as DER. */
  readonly statements?: readonly Uint8Array[] | undefined;
}

const ROLES: Readonly<Record<string, readonly [number, string]>> = {
  Unspecified: [0, 'Unspecified'],
  ASPSP: [1, 'PSP_AS'],
  PISP: [2, 'PSP_PI'],
  AISP: [3, 'PSP_AI'],
  CBPII: [4, 'PSP_IC'],
  PSP_AS: [1, 'PSP_AS'],
  PSP_PI: [2, 'PSP_PI'],
  PSP_AI: [3, 'PSP_AI'],
  PSP_IC: [4, 'PSP_IC'],
  PSP_CB: [5, 'PSP_CB'],
  PSP_PA: [6, 'PSP_PA'],
  VOP_RS: [51, 'VOP_RS'],
  VOP_VS: [52, 'VOP_VS'],
};
const TYPES = { esign: 1, eseal: 2, web: 3 } as const;

/** The value of the qcStatements extension; undefined when nothing is asked for. */
export function qcStatements(options: QcStatementOptions): Buffer | undefined {
  const type = options.qcType ?? (options.roles === undefined ? 'none' : 'web');
  const statements = [
    ...(options.qualified === true ? [statement('0.4.0.1862.1.1')] : []),
    ...(type === 'none' ? [] : [statement('0.4.0.1862.1.6', sequence(oid(`0.4.0.1862.1.6.${TYPES[type]}`)))]),
    ...(options.roles === undefined ? [] : [psd2(options, options.roles)]),
    ...(options.statements ?? []),
  ];
  return statements.length === 0 ? undefined : sequence(...statements);
}

/** One QCStatement. */
export const statement = (id: string, ...information: readonly Uint8Array[]): Buffer =>
  sequence(oid(id), ...information);

/** QcPDS, for certificates that look real. */
export const pdsStatement = (url: string): Buffer =>
  statement('0.4.0.1862.1.5', sequence(sequence(ia5(url), printable('en'))));

/** The PSD2 statement around any encoding of RolesOfPSP. */
export const psd2Statement = (roles: Uint8Array, name = 'Test Authority', id = 'XX-TEST'): Buffer =>
  statement('0.4.0.19495.2', sequence(roles, utf8(name), utf8(id)));

function psd2(options: QcStatementOptions, roles: readonly string[]): Buffer {
  const pairs = roles.map((role) => {
    const [number, name] = ROLES[role] ?? [99, role];
    return [oid(`0.4.0.19495.1.${number}`), utf8(name)];
  });
  const encoded = options.flattenedRoles === true ? sequence(...pairs.flat()) : undefined;
  const list = encoded === undefined ? pairs.map((pair) => sequence(...pair)) : [encoded];
  return psd2Statement(sequence(...list), options.authorityName, options.authorityId);
}
