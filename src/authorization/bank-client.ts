import type Provider from 'oidc-provider';
import type { Actor } from '../audit/index.ts';
import { randomToken } from '../platform/random.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import { checkRedirectUri } from './registration-metadata.ts';

/** A client that staff makes at a baseline bank, or for a resource server of the bank. */
export interface NewBankClient {
  /** Given, or generated. */
  readonly id: string | undefined;
  readonly participant: string;
  readonly scopes: readonly string[];
  /** Empty: client credentials only (LAB-09). */
  readonly redirectUris: readonly string[];
}

/** What is shown once: the secret is never readable again (LAB-08). */
export interface CreatedClient {
  readonly client_id: string;
  readonly client_secret: string;
}

const CLIENT_ID = /^[a-z0-9][a-z0-9._-]{2,63}$/;

/**
 * Makes a client with a generated secret of 256 bits, kept as a salted hash. Only where the profile allows secrets.
 * @throws Refusal `field_invalid` 400 naming what is wrong; `participant_unknown` 404
 */
export async function createBankClient(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  engine: Provider,
  client: NewBankClient,
  actor: Actor,
): Promise<CreatedClient> {
  check(bank, client);
  const id = client.id ?? `client-${randomToken(16)}`;
  const secret = randomToken(32);
  const metadata = metadataOf(bank, client, id);
  // The engine's own rules for client metadata run before anything is kept.
  await engine.Client.validate({ ...metadata, client_secret: secret });
  await rooms.directory.registerClient(
    {
      bank: bank.id,
      id,
      participant: client.participant,
      softwareId: undefined,
      metadata,
      certificate: undefined,
      secretHash: await rooms.vault.hashSecret(secret),
    },
    actor,
  );
  return { client_id: id, client_secret: secret };
}

function check(bank: AuthorizationBank, client: NewBankClient): void {
  if (!bank.profile.clientAuthenticationMethods.includes('client_secret_post')) {
    throw new Refusal(
      'field_invalid',
      400,
      `bank ${bank.id} allows no client secrets: register the client with its software statement`,
    );
  }
  if (client.id !== undefined && !CLIENT_ID.test(client.id)) {
    throw new Refusal(
      'field_invalid',
      400,
      'a client id is 3 to 64 lower-case letters, digits, dots, dashes or underscores',
    );
  }
  const unknown = client.scopes.find((scope) => !bank.scopes.includes(scope));
  if (unknown !== undefined) throw new Refusal('field_invalid', 400, `bank ${bank.id} has no scope ${unknown}`);
  for (const uri of client.redirectUris) checkRedirectUri(uri, bank.allowLoopbackRedirects);
}

function metadataOf(bank: AuthorizationBank, client: NewBankClient, id: string) {
  const redirects = client.redirectUris.length > 0;
  return {
    client_id: id,
    client_name: id,
    application_type: 'web' as const,
    security_profile: bank.profile.id,
    token_endpoint_auth_method: 'client_secret_post' as const,
    grant_types: redirects ? ['authorization_code', 'refresh_token'] : ['client_credentials'],
    response_types: redirects ? ['code' as const] : [],
    redirect_uris: [...client.redirectUris],
    scope: [...(redirects ? ['openid'] : []), ...client.scopes].join(' '),
    subject_type: 'pairwise' as const,
    id_token_signed_response_alg: 'PS256' as const,
    tls_client_certificate_bound_access_tokens: false,
  };
}
