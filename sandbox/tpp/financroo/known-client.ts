import { rm } from 'node:fs/promises';
import { clientFile, findRegistration, isKnown, type Registration } from '../registrations.ts';
import type { BankClientParts } from './bank-client.ts';
import type { Log } from './messages.ts';
import { Problem } from './problem.ts';

/** Whether the client of an earlier start can be used; if not, how the new one is announced. */
export type KnownClient =
  | { readonly registration: Registration }
  | { readonly registration: undefined; readonly announced: string };

/** Looks for the kept client, and asks the bank whether it still knows it (CLD-17). @throws when the bank cannot be asked */
export async function findClient(parts: BankClientParts, log: Log): Promise<KnownClient> {
  const { bank, places, party, redirectUri } = parts;
  if (bank.clientId !== undefined) return { registration: fixedClient(bank.clientId) };
  const announce = (announced: string) => ({ registration: undefined, announced });
  const kept = await findRegistration(places, party.name, bank.id).catch(() => 'unreadable' as const);
  if (kept === 'unreadable') return announce('could not read what it had kept of its client, and registered again at');
  if (kept === undefined) return announce('registered at');
  if (!(await isKnown(kept, party.wire))) return announce('was not known any more and registered again at');
  const { redirect_uris: uris } = kept;
  if (!Array.isArray(uris) || uris.includes(redirectUri)) return { registration: kept };
  // This sandbox moved to other ports: the bank would send customers to where nobody is.
  await forgetClient(kept, parts, log);
  return announce('has another address now and registered again at');
}

/** Somebody at the bank made this client (CLD-18). */
function fixedClient(id: string): Registration {
  return { client_id: id, token_endpoint_auth_method: 'private_key_jwt' };
}

/** Gives a registration back (RFC 7592 §2.3) and keeps it no longer. @throws Problem when the bank does not take it */
export async function forgetClient(registration: Registration, parts: BankClientParts, log: Log): Promise<void> {
  const { party, recorder, bank, places } = parts;
  const { registration_client_uri: address, registration_access_token: token } = registration;
  if (address === undefined || token === undefined) throw new Problem(`${bank.name} gave no way to delete the client.`);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await recorder.within(log, () => party.wire.send(address, { method: 'DELETE', headers }));
  // 401: the bank has forgotten it already.
  if (answer.status !== 204 && answer.status !== 401) {
    throw new Problem(`${bank.name} did not delete the client: it answered ${answer.status}.`);
  }
  await rm(clientFile(places, party.name, bank.id), { force: true });
}
