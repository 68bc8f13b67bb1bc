import type { AdapterFactory, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { interactionPolicy } from 'oidc-provider';
import { randomToken } from '../platform/random.ts';
import type { Keyring } from '../vault/index.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import {
  assertionRules,
  certificateAuthorized,
  certificateOf,
  certificateSubjectMatches,
} from './client-authentication.ts';
import { renderErrorPage } from './error-page.ts';
import { PASSWORD_ACR } from './interaction.ts';
import { mayIntrospect, mayRevoke } from './introspection.ts';
import { createIssuance } from './issuance.ts';
import { defaultAudience, MANAGEMENT_SCOPES } from './management.ts';

/** Every list of algorithms the engine knows gets this one: RS256, `none` and HMAC are refused everywhere (F2-5.4.1). */
const ALGORITHMS: readonly ('PS256' | 'ES256')[] = ['PS256', 'ES256'];
/** F2-5.3.2.1-11. */
const CODE_SECONDS = 60;
const ID_TOKEN_SECONDS = 300;
/** A customer has this long for sign-in and decision. */
export const INTERACTION_SECONDS = 600;
const SESSION_SECONDS = 900;
const DAY_SECONDS = 86_400;

/** The endpoints below the issuer; the gateway's routes never use these names. */
export const ROUTES = {
  authorization: '/authorize',
  token: '/token',
  pushed_authorization_request: '/par',
  registration: '/register',
  introspection: '/introspect',
  revocation: '/revoke',
  jwks: '/jwks',
  userinfo: '/userinfo',
  end_session: '/session/end',
} as const;

/** Where machines send forms, with the engine's name of each route: every request costs a signature or a statement. */
export const FORM_ROUTES: ReadonlyMap<string, string> = new Map(
  (['token', 'pushed_authorization_request', 'introspection', 'revocation'] as const).map((name) => [
    ROUTES[name],
    name,
  ]),
);

/** What the engine is told for one bank, beside its keys. */
export interface EngineParts {
  readonly bank: AuthorizationBank;
  readonly rooms: AuthorizationRooms;
  readonly keyring: Keyring;
  readonly adapter: AdapterFactory;
  readonly cookieKeys: readonly string[];
  /** Keyed hash for pairwise subjects (N-80). */
  readonly pairwise: (value: string) => string;
}

/** The engine's whole configuration (engine.md §6): documented options only. */
export function configurationOf(parts: EngineParts): Configuration {
  const { bank, rooms } = parts;
  return {
    adapter: parts.adapter,
    jwks: { keys: [...parts.keyring.privateKeys] },
    clients: [],
    clientDefaults: clientDefaults(bank),
    clientAuthMethods: [...bank.profile.clientAuthenticationMethods],
    enabledJWA: enabledAlgorithms(),
    scopes: ['openid', 'offline_access', ...bank.scopes, ...(bank.management === undefined ? [] : MANAGEMENT_SCOPES)],
    acrValues: [PASSWORD_ACR],
    // The ID token always tells how and when the customer signed in (CLD-28).
    claims: { openid: ['sub', 'acr', 'auth_time'], acr: null, auth_time: null, iss: null, sid: null },
    subjectTypes: ['pairwise'],
    pairwiseIdentifier: async (_ctx, account, client) =>
      parts.pairwise(`${client.sectorIdentifier ?? client.clientId} ${account}`),
    responseTypes: ['code'],
    conformIdTokenClaims: true,
    allowOmittingSingleRegisteredRedirectUri: false,
    assertJwtClientAuthClaimsAndHeader: assertionRules(bank, rooms.clock),
    pkce: { required: () => true },
    features: featuresOf(parts),
    findAccount: async (_ctx, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    loadExistingGrant,
    interactions: { policy: alwaysAsk(), url: (_ctx, interaction) => `/${bank.id}/interaction/${interaction.uid}` },
    expiresWithSession: async () => false,
    rotateRefreshToken: false,
    ...createIssuance(bank, rooms).options,
    extraClientMetadata: {
      properties: ['software_id', 'software_statement', 'org_id', 'security_profile'],
    },
    ttl: {
      AuthorizationCode: CODE_SECONDS,
      AccessToken: bank.profile.accessTokenSeconds,
      ClientCredentials: bank.profile.accessTokenSeconds,
      IdToken: ID_TOKEN_SECONDS,
      Interaction: INTERACTION_SECONDS,
      Session: SESSION_SECONDS,
      Grant: bank.consentDays * DAY_SECONDS,
      RefreshToken: (ctx) => remainingGrant(ctx, bank, rooms.clock.now()),
    },
    cookies: {
      keys: [...parts.cookieKeys],
      names: {
        session: `__Host-${bank.id}-session`,
        interaction: `__Secure-${bank.id}-interaction`,
        resume: `__Secure-${bank.id}-resume`,
      },
      long: { signed: true, httpOnly: true, secure: true, sameSite: 'lax', path: '/' },
      short: { signed: true, httpOnly: true, secure: true, sameSite: 'lax' },
    },
    routes: ROUTES,
    discovery: discoveryOf(bank),
    renderError: (ctx, out) => renderErrorPage(bank, rooms, ctx, out),
    fetch: rooms.fetch,
  } satisfies Configuration;
}

function clientDefaults(bank: AuthorizationBank): Configuration['clientDefaults'] {
  return {
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    id_token_signed_response_alg: 'PS256',
    authorization_signed_response_alg: 'PS256',
    tls_client_certificate_bound_access_tokens: bank.profile.requireBoundTokens,
  };
}

function enabledAlgorithms(): NonNullable<Configuration['enabledJWA']> {
  return {
    clientAuthSigningAlgValues: [...ALGORITHMS],
    idTokenSigningAlgValues: [...ALGORITHMS],
    requestObjectSigningAlgValues: [...ALGORITHMS],
    authorizationSigningAlgValues: [...ALGORITHMS],
    introspectionSigningAlgValues: [...ALGORITHMS],
    userinfoSigningAlgValues: [...ALGORITHMS],
    dPoPSigningAlgValues: [...ALGORITHMS],
  };
}

function featuresOf(parts: EngineParts): NonNullable<Configuration['features']> {
  const { bank, rooms } = parts;
  const fapi = bank.profile.fapi;
  return {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    deviceFlow: { enabled: false },
    userinfo: { enabled: false },
    claimsParameter: { enabled: false },
    clientCredentials: { enabled: true },
    fapi: fapi === undefined ? { enabled: false } : { enabled: true, profile: fapi },
    pushedAuthorizationRequests: {
      enabled: true,
      requirePushedAuthorizationRequests: bank.profile.requirePushedAuthorizationRequests,
      allowUnregisteredRedirectUris: false,
    },
    requestObjects: { enabled: false },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      selfSignedTlsClientAuth: false,
      getCertificate: certificateOf,
      certificateAuthorized,
      certificateSubjectMatches,
    },
    introspection: { enabled: true, allowedPolicy: mayIntrospect(bank, rooms.directory) },
    revocation: { enabled: true, allowedPolicy: mayRevoke },
    resourceIndicators: {
      enabled: true,
      defaultResource: async (ctx) => defaultAudience(bank, ctx),
      useGrantedResource: async () => true,
      getResourceServerInfo: createIssuance(bank, rooms).resourceServer,
    },
    registration: { enabled: bank.statements !== undefined, idFactory: () => clientId() },
    registrationManagement: { enabled: bank.statements !== undefined, rotateRegistrationAccessToken: false },
  };
}

/** Client ids are ours, random, and never a value that could pass for a customer (BCP-4.15). */
function clientId(): string {
  return `client-${randomToken(16)}`;
}

/** A new grant for every consent: a grant that the browser's session remembers is never used again (engine.md B4). */
async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const grantId = ctx.oidc.result?.consent?.grantId;
  return grantId === undefined ? undefined : ctx.oidc.provider.Grant.find(grantId);
}

/** Sign-in and consent are asked for in every request, whatever the session knows (engine.md §9). */
function alwaysAsk(): interactionPolicy.DefaultPolicy {
  const { Check, base } = interactionPolicy;
  const policy = base();
  policy
    .get('login')
    ?.checks.add(
      new Check('fresh_sign_in', 'the customer signs in for each request', 'login_required', (ctx) =>
        ctx.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    );
  policy
    .get('consent')
    ?.checks.add(
      new Check('fresh_consent', 'the customer decides on each request', 'consent_required', (ctx) =>
        ctx.oidc.result?.consent === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
      ),
    );
  return policy;
}

/** A refresh token ends with its consent (CLD-29, CONF-8). */
function remainingGrant(ctx: KoaContextWithOIDC, bank: AuthorizationBank, now: Date): number {
  const end = ctx.oidc.entities.Grant?.exp;
  const longest = bank.consentDays * DAY_SECONDS;
  if (end === undefined) return longest;
  return Math.max(1, Math.min(longest, end - Math.floor(now.getTime() / 1000)));
}

function discoveryOf(bank: AuthorizationBank): Record<string, unknown> {
  const at = (path: string) => `${bank.mtlsBase}${path}`;
  return {
    mtls_endpoint_aliases: {
      token_endpoint: at(ROUTES.token),
      pushed_authorization_request_endpoint: at(ROUTES.pushed_authorization_request),
      ...(bank.statements === undefined ? {} : { registration_endpoint: at(ROUTES.registration) }),
      introspection_endpoint: at(ROUTES.introspection),
      revocation_endpoint: at(ROUTES.revocation),
    },
  };
}
