import assert from 'node:assert/strict';
import type { Received } from './http.ts';

/** The code of a refusal, in the gateway's form or in OAuth's. */
export function reasonOf(received: Received): string {
  const { error } = received.json();
  return typeof error === 'object' && error !== null && 'reason' in error ? String(error.reason) : String(error);
}

/** Checks status, code, and that the answer can be found again. */
export function refused(received: Received, status: number, code: string): void {
  assert.equal(received.status, status, received.text);
  assert.equal(reasonOf(received), code, received.text);
  assert.match(String(received.headers['x-fapi-interaction-id']), /^[0-9a-f-]{36}$/);
}
