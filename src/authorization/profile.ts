/** A security profile: the settings that differ between FAPI 2.0, FAPI 1.0 Advanced and the baseline (standards.md §1.12). */
export interface SecurityProfile {
  readonly id: 'fapi2' | 'baseline';
  /** oidc-provider's `features.fapi.profile`; undefined: off. */
  readonly fapi: '2.0' | undefined;
  readonly requirePushedAuthorizationRequests: boolean;
  readonly clientAuthenticationMethods: readonly (
    | 'private_key_jwt'
    | 'tls_client_auth'
    | 'client_secret_post'
    | 'client_secret_basic'
  )[];
  /** Client assertion `aud`: the issuer alone (F2-5.3.2.1-8), or the token endpoint as well. */
  readonly assertionAudience: 'issuer' | 'issuer-or-token-endpoint';
  /** True: registration forces certificate-bound access tokens and the gateway refuses others. */
  readonly requireBoundTokens: boolean;
  readonly accessTokenSeconds: number;
}
