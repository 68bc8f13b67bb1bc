/** A way for a client to prove who it is at the token endpoint. */
export type ClientAuthenticationMethod =
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'client_secret_post'
  | 'client_secret_basic';

/** A security profile: the settings that differ between FAPI 2.0, FAPI 1.0 Advanced and the baseline (standards.md §1.12). */
export interface SecurityProfile {
  readonly id: 'fapi2' | 'baseline';
  /** The engine's FAPI rules; undefined: off. */
  readonly fapi: '2.0' | undefined;
  readonly requirePushedAuthorizationRequests: boolean;
  readonly clientAuthenticationMethods: readonly ClientAuthenticationMethod[];
  /** Client assertion `aud`: the issuer alone, as a string (F2-5.3.2.1-8), or the token endpoint as well. */
  readonly assertionAudience: 'issuer' | 'issuer-or-token-endpoint';
  /** True: registration forces certificate-bound access tokens and the gateway refuses others. */
  readonly requireBoundTokens: boolean;
  readonly accessTokenSeconds: number;
}

/** FAPI 2.0 Security Profile Final. */
export const fapi2: SecurityProfile = {
  id: 'fapi2',
  fapi: '2.0',
  requirePushedAuthorizationRequests: true,
  clientAuthenticationMethods: ['private_key_jwt', 'tls_client_auth'],
  assertionAudience: 'issuer',
  requireBoundTokens: true,
  accessTokenSeconds: 300,
};

/** Plain OAuth 2.0 with PKCE and, here alone, client secrets: Lab 03. Refused outside the sandbox unless configured in as many words. */
export const baseline: SecurityProfile = {
  id: 'baseline',
  fapi: undefined,
  requirePushedAuthorizationRequests: false,
  clientAuthenticationMethods: ['private_key_jwt', 'tls_client_auth', 'client_secret_post', 'client_secret_basic'],
  assertionAudience: 'issuer-or-token-endpoint',
  requireBoundTokens: false,
  accessTokenSeconds: 3600,
};

/** The profiles by the name a configuration uses. */
export const profiles: ReadonlyMap<string, SecurityProfile> = new Map([
  [fapi2.id, fapi2],
  [baseline.id, baseline],
]);
