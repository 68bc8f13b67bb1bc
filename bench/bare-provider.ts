import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import Provider, { type ClientMetadata, type Configuration, type KoaContextWithOIDC } from 'oidc-provider';

/** The baseline of the token endpoint: `oidc-provider` alone, everything in memory, with client certificates. */
interface Setup {
  readonly port: number;
  readonly audience: string;
  readonly format: 'opaque' | 'jwt';
  readonly clients: ClientMetadata[];
  readonly keys: NonNullable<Configuration['jwks']>['keys'];
}

const [certificate = '', key = '', root = '', file = ''] = process.argv.slice(2);
const setup: Setup = JSON.parse(readFileSync(file, 'utf8'));
const { port, audience, format, clients, keys } = setup;

const provider = new Provider(`https://localhost:${port}`, {
  clients,
  jwks: { keys },
  scopes: ['payments.create'],
  subjectTypes: ['pairwise'],
  clientAuthMethods: ['private_key_jwt', 'tls_client_auth'],
  enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'ES256'], idTokenSigningAlgValues: ['PS256', 'ES256'] },
  pairwiseIdentifier: async (_ctx, account) => account,
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      tlsClientAuth: true,
      getCertificate: (ctx) => socketOf(ctx)?.getPeerX509Certificate()?.toString(),
      certificateAuthorized: (ctx) => socketOf(ctx)?.authorized === true,
      certificateSubjectMatches: (ctx, _property, expected) =>
        socketOf(ctx)?.getPeerX509Certificate()?.subjectAltName === `DNS:${expected}`,
    },
    resourceIndicators: {
      enabled: true,
      defaultResource: async () => audience,
      useGrantedResource: async () => true,
      getResourceServerInfo: async () => ({
        scope: 'payments.create',
        audience,
        accessTokenFormat: format,
        accessTokenTTL: 300,
        jwt: { sign: { alg: 'ES256' } },
      }),
    },
  },
});

createServer(
  {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(root),
    requestCert: true,
    rejectUnauthorized: true,
    keepAliveTimeout: 60_000,
  },
  provider.callback(),
).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
process.once('SIGTERM', () => process.exit(0));

function socketOf(ctx: KoaContextWithOIDC): TLSSocket | undefined {
  return ctx.socket instanceof TLSSocket ? ctx.socket : undefined;
}
