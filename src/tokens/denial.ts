import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Denial, TokenFacts } from './token.ts';

/** What kept tokens are chosen by: the members of a denial, with the hash of its row in place of a token. */
export interface Selection {
  readonly bank: string;
  readonly hash?: string;
  readonly consent?: string;
  readonly client?: string;
  readonly participant?: string;
  readonly customer?: string;
  readonly thumbprint?: string;
}

/** The members that narrow a selection, in the order statements and events name them. */
export const SELECTORS = ['hash', 'consent', 'client', 'participant', 'customer', 'thumbprint'] as const;

const MEMBERS = ['token', 'consent', 'client', 'participant', 'customer', 'thumbprint'] as const;
/** Characters of a member: an id, a reference, or a whole JWT. */
const MAXIMUM_MEMBER = 8_192;
/** Octets of a notification PostgreSQL takes are 8,000; a longer selection is told as all tokens of the bank. */
const MAXIMUM_NOTICE = 2_000;

/** @throws Refusal `field_missing` 400 when nothing narrows it, `field_invalid` 400 for a blank member: never a wildcard (N-205) */
export function checkDenial(denial: Denial): void {
  checkMembers(denial);
  if (MEMBERS.every((member) => denial[member] === undefined))
    throw new Refusal(
      'field_missing',
      400,
      'Say which tokens: by token, consent, client, participant, customer or certificate.',
    );
}

/** @throws Refusal `field_invalid` 400 for a blank member: never a wildcard (N-205) */
export function checkMembers(denial: Denial): void {
  for (const member of ['bank', ...MEMBERS] as const) {
    // A member that is there without a value was meant to narrow, so it may not widen.
    if (!(member in denial)) continue;
    const value = denial[member];
    if (typeof value !== 'string' || value.trim() === '' || value.length > MAXIMUM_MEMBER || value.includes('\0'))
      throw new Refusal('field_invalid', 400, `The ${member} whose tokens are meant is blank or too long.`, {
        detail: member,
      });
  }
}

/** True when a kept token is among the selected. */
export function isSelected(selection: Selection, hash: string, facts: TokenFacts): boolean {
  const own = { ...facts, hash };
  return (
    selection.bank === facts.bank &&
    SELECTORS.every((member) => selection[member] === undefined || selection[member] === own[member])
  );
}

/** A selection as it is told to other processes: small, and wider rather than cut. */
export function noticeOf(selection: Selection): string {
  const notice = JSON.stringify(selection);
  return notice.length <= MAXIMUM_NOTICE ? notice : JSON.stringify({ bank: selection.bank });
}

/** What was told; undefined when it cannot be read, and then everything is meant. */
export function readNotice(notice: string): Selection | undefined {
  try {
    const value: unknown = JSON.parse(notice);
    return isSelection(value) ? value : undefined;
  } catch {
    // Something was denied and nobody can say what: the caller drops everything.
    return undefined;
  }
}

function isSelection(value: unknown): value is Selection {
  return (
    isRecord(value) &&
    typeof value.bank === 'string' &&
    SELECTORS.every((member) => value[member] === undefined || typeof value[member] === 'string')
  );
}
