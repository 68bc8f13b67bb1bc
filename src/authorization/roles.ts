import type { Participant, Role } from '../directory/index.ts';
import type { ClientCertificate } from '../trust/index.ts';
import type { AuthorizationBank } from './bank.ts';
import type { Peer } from './peer.ts';
import { noted, type RegisterBank, registerFor } from './register-check.ts';
import type { SoftwareStatement } from './software-statement.ts';

type RoleBank = RegisterBank & Pick<AuthorizationBank, 'rolesFromDirectory'>;

/** The roles that the directory gives a participant and the certificate states as well: neither lends to the other (WSN-21). */
export function statedRoles(bank: RoleBank, participant: Participant, certificate: ClientCertificate): readonly Role[] {
  const { roles } = participant;
  const stated = certificate.roles ?? (bank.rolesFromDirectory === true ? roles : []);
  return roles.filter((role) => stated.includes(role));
}

/**
 * The roles that count in a registration: in the statement, in the certificate, in the directory, and in the competent
 * authority's register where the bank has one (WSN-14, WSN-16, certificates.md §14).
 * @throws Refusal `participant_refused_by_register` 403, `register_unavailable` 503
 */
export async function rolesAtRegistration(
  bank: RoleBank,
  peer: Peer,
  statement: SoftwareStatement,
  participant: Participant,
  certificate: ClientCertificate,
): Promise<readonly Role[]> {
  const roles = statedRoles(bank, participant, certificate).filter((role) => statement.roles.includes(role));
  const register = registerFor(bank, participant);
  if (register === undefined) return roles;
  try {
    const registered = await register.check(participant, { certificate, roles, interaction: peer.interaction });
    return roles.filter((role) => registered.includes(role));
  } catch (cause) {
    throw noted(peer, cause);
  }
}

/** The roles in which the caller of this request may have tokens right now: a role that any source takes away ends what it allowed. */
export function rolesAtIssuance(bank: RoleBank, peer: Peer): readonly Role[] {
  const { standing, verdict } = peer;
  if (standing === undefined || verdict?.ok === false) return [];
  const { participant } = standing;
  // A browser comes without certificate; the machine behind it then comes for the token with its own.
  const roles = verdict === undefined ? participant.roles : statedRoles(bank, participant, verdict.certificate);
  const { registered } = peer;
  return registered === undefined ? roles : roles.filter((role) => registered.includes(role));
}
