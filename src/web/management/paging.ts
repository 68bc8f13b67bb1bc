import { Refusal } from '../../platform/refusal.ts';

/** Items of a page when nobody says. */
const DEFAULT_LIMIT = 100;

/** Items of a page. */
export function limitOf(limit: string | undefined): number {
  return limit === undefined ? DEFAULT_LIMIT : Number(limit);
}

/** Where a list continues, as one text that callers hand back unread. */
export function cursorOf(...position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position in a cursor. @throws Refusal `field_invalid` 400 when it is none of ours */
export function positionOf(cursor: string): readonly unknown[] {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(position)) return position;
  } catch {
    // Said below: whatever it is, it did not come from us.
  }
  throw badCursor();
}

/** The refusal of a cursor. */
export function badCursor(): Refusal {
  return new Refusal('field_invalid', 400, 'after: hand back `next` of the page before, unchanged.', {
    detail: 'after',
  });
}

/** A moment inside a cursor. @throws Refusal `field_invalid` 400 */
export function momentOf(value: unknown): Date {
  const at = typeof value === 'string' ? new Date(value) : undefined;
  if (at === undefined || Number.isNaN(at.getTime())) throw badCursor();
  return at;
}

/** A text inside a cursor. @throws Refusal `field_invalid` 400 */
export function textOf(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw badCursor();
}
