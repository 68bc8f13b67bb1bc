import type { IncomingMessage } from 'node:http';
import { Refusal } from '../../platform/refusal.ts';
import { learn } from '../call.ts';
import type { Check } from '../check.ts';

/** Longest token that is looked at, in characters: a JWT of ours has about a thousand; hashing more is work for an attacker. */
const tokenLimit = 8192;
/** RFC 6750 §2.1: the scheme in any case, one space or more, then b64token. */
const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/** The request carries exactly one bearer token, in the Authorization header. */
export const tokenPresent: Check = {
  id: 'token-present',
  clause: 'acceptance.md §1.3 (4); WSN-39; RFC 6750 §2.1',
  run(call) {
    const header = call.request.headers.authorization;
    if (header === undefined || !/^bearer(?: |$)/i.test(header))
      throw new Refusal('token_missing', 401, 'Send the access token as "Authorization: Bearer".');
    if (authorizationHeaders(call.request) > 1)
      throw new Refusal('header_invalid', 400, 'Send one Authorization header, not several.');
    const token = header.length > tokenLimit ? undefined : bearer.exec(header)?.[1];
    if (token === undefined)
      throw new Refusal('token_invalid', 401, 'The access token is not well-formed.', { detail: 'token_malformed' });
    learn(call, 'bearer', token);
  },
};

/** Node keeps the first of several silently, so the raw list is counted. */
function authorizationHeaders(request: IncomingMessage): number {
  const raw = request.rawHeaders;
  let count = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index];
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count += 1;
  }
  return count;
}
