import { Refusal } from '../../platform/refusal.ts';
import { bodyExpected, bodyLimit, bodyTooLarge } from '../body.ts';
import type { Check } from '../check.ts';

/** The announced body is within the limit, and a GET has none. What is not announced is counted while it streams. */
export const bodySize: Check = {
  id: 'body-size',
  clause: 'acceptance.md §1.3 (9)',
  run({ request, route }) {
    if (!bodyExpected(request)) return;
    if (route.method === 'GET') throw new Refusal('body_malformed', 400, 'A GET request has no body.');
    if (Number(request.headers['content-length'] ?? 0) > bodyLimit) throw bodyTooLarge();
  },
};
