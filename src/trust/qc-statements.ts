import { cursorOf, type Element, elementsOf, expectTag, readDer, TAG } from './der.ts';
import { oidOf, stringOf } from './der-values.ts';
import { Malformed } from './malformed.ts';

/** What a certificate states about itself under eIDAS and PSD2 (ETSI EN 319 412-5, TS 119 495). Read, not judged. */
export interface QcStatements {
  /** The extension was one bare statement instead of a list, as test authorities of sandbox tools write it. */
  readonly bare: boolean;
  readonly compliance: boolean;
  /** The last arc names of QcType: `web`, `eseal`, `esign`, or the OID. */
  readonly types: readonly string[];
  /** Countries of QcCClegislation; present means not EU legislation. */
  readonly legislation: boolean;
  readonly psd2: Psd2Statement | undefined;
}

/** The PSD2 statement (TS 119 495 §5.1). */
export interface Psd2Statement {
  readonly encoding: 'etsi' | 'flattened';
  readonly roles: readonly PspRole[];
  readonly authorityName: string;
  readonly authorityId: string;
}

/** A role with the name that stands beside its OID. */
export interface PspRole {
  readonly id: string;
  readonly name: string;
}

/** Why statements were not accepted (certificates.md §19 E). */
export type QcCode =
  | 'qc_syntax'
  | 'qc_missing'
  | 'qc_duplicate'
  | 'qc_type'
  | 'not_qualified'
  | 'psd2_missing'
  | 'roles_empty'
  | 'roles_encoding'
  | 'role_unknown'
  | 'role_mismatch'
  | 'nca_name'
  | 'nca_format'
  | 'nca_mismatch'
  | 'orgid_missing'
  | 'orgid_format';

/** Thrown by the reader of statements. */
export class QcProblem extends Error {
  readonly code: QcCode;

  constructor(code: QcCode, message: string) {
    super(message);
    this.name = 'QcProblem';
    this.code = code;
  }
}

const QC_COMPLIANCE = '0.4.0.1862.1.1';
const QC_TYPE = '0.4.0.1862.1.6';
const QC_LEGISLATION = '0.4.0.1862.1.7';
const PSD2 = '0.4.0.19495.2';
const TYPE_NAMES: Readonly<Record<string, string>> = {
  '0.4.0.1862.1.6.1': 'esign',
  '0.4.0.1862.1.6.2': 'eseal',
  '0.4.0.1862.1.6.3': 'web',
};
const MAXIMUM_STATEMENTS = 32;
const MAXIMUM_ROLES = 16;
const MAXIMUM_TYPES = 8;
/** TS 119 495 §5.1: UTF8String (SIZE 1..256). */
const MAXIMUM_TEXT = 256;

/** Reads the value of the qcStatements extension. @throws QcProblem */
export function parseQcStatements(value: Uint8Array): QcStatements {
  try {
    return read(readDer(value, TAG.sequence));
  } catch (cause) {
    if (cause instanceof Malformed) throw new QcProblem('qc_syntax', `the statements cannot be read: ${cause.message}`);
    throw cause;
  }
}

function read(list: Element): QcStatements {
  if (list.content === list.end)
    return { bare: false, compliance: false, types: [], legislation: false, psd2: undefined };
  const bare = list.source[list.content] === TAG.oid;
  const statements = bare ? [statementOf(list)] : elementsOf(list, MAXIMUM_STATEMENTS).map(statementOf);
  const byId = new Map(statements.map((item) => [item.id, item.information]));
  if (byId.size !== statements.length) throw new QcProblem('qc_duplicate', 'a statement is there twice');
  const types = byId.get(QC_TYPE);
  const psd2 = byId.get(PSD2);
  if (byId.has(PSD2) && psd2 === undefined) throw new QcProblem('roles_empty', 'a PSD2 statement without roles');
  return {
    bare,
    compliance: byId.has(QC_COMPLIANCE),
    types: types === undefined ? [] : typesOf(types),
    legislation: byId.has(QC_LEGISLATION),
    psd2: psd2 === undefined ? undefined : psd2Of(psd2),
  };
}

interface Statement {
  readonly id: string;
  readonly information: Element | undefined;
}

function statementOf(element: Element): Statement {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const id = oidOf(cursor.next(TAG.oid));
  const information = cursor.more() ? cursor.any() : undefined;
  cursor.end();
  return { id, information };
}

function typesOf(element: Element): readonly string[] {
  return elementsOf(expectTag(element, TAG.sequence), MAXIMUM_TYPES).map((part) => {
    const id = oidOf(part);
    return TYPE_NAMES[id] ?? id;
  });
}

function psd2Of(element: Element): Psd2Statement {
  const cursor = cursorOf(expectTag(element, TAG.sequence));
  const list = cursor.next(TAG.sequence);
  const authorityName = utf8Of(cursor.next(TAG.utf8String));
  const authorityId = utf8Of(cursor.next(TAG.utf8String));
  cursor.end();
  return { ...rolesOf(list), authorityName, authorityId };
}

function rolesOf(list: Element): Pick<Psd2Statement, 'encoding' | 'roles'> {
  if (list.content === list.end) throw new QcProblem('roles_empty', 'a PSD2 statement without roles');
  const entries = elementsOf(list, MAXIMUM_ROLES).map((entry) =>
    elementsOf(expectTag(entry, TAG.sequence), 2 * MAXIMUM_ROLES),
  );
  const [only] = entries;
  const flattened = entries.length === 1 && only !== undefined && only.length > 2;
  return { encoding: flattened ? 'flattened' : 'etsi', roles: entries.flatMap(pairsOf) };
}

function pairsOf(parts: readonly Element[]): readonly PspRole[] {
  if (parts.length % 2 !== 0) throw new QcProblem('roles_encoding', 'a role without name or a name without role');
  return parts.flatMap((part, index) => {
    const name = parts[index + 1];
    if (index % 2 === 1 || name === undefined) return [];
    return [{ id: oidOf(part), name: utf8Of(expectTag(name, TAG.utf8String)) }];
  });
}

function utf8Of(element: Element): string {
  const value = stringOf(element);
  if (value.length === 0 || [...value].length > MAXIMUM_TEXT)
    throw new QcProblem('qc_syntax', 'a text of 1 to 256 characters');
  return value;
}
