import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Refusal } from '../platform/refusal.ts';
import type { ClientCertificate } from '../trust/index.ts';
import type { AuthorizationBank } from './bank.ts';
import { baseline, fapi2 } from './profile.ts';
import { metadataOf, type RegistrationFacts } from './registration-metadata.ts';
import type { SoftwareStatement } from './software-statement.ts';

const SUBJECT = 'CN=tpp-a,O=TPP A,C=XX';
const REDIRECT = 'https://tpp-a.example/callback';

const certificate: ClientCertificate = {
  der: new Uint8Array(),
  pem: '',
  thumbprint: 'x'.repeat(43),
  subject: SUBJECT,
  issuer: 'CN=ca',
  serial: '01',
  notBefore: new Date(0),
  notAfter: new Date(0),
  dnsNames: ['tpp-a.example'],
  uris: [],
  emails: [],
  ipAddresses: [],
  spkiSha256: '',
  organizationIdentifier: 'PSDXX-TEST-1',
  commonName: 'tpp-a',
  roles: ['AISP', 'PISP'],
};

const statement: SoftwareStatement = {
  text: 'header.payload.signature',
  softwareId: 'software-a',
  clientName: 'TPP A',
  organisation: 'tpp-a',
  roles: ['AISP', 'PISP'],
  redirectUris: [REDIRECT, 'https://tpp-a.example/other'],
  keys: { keys: [{ kty: 'EC', kid: 'k1' }] },
  jwksUri: 'https://keys.example/tpp-a.jwks',
  claims: { software_roles: ['AISP', 'PISP'], software_version: '1' },
};

const bank: AuthorizationBank = {
  id: 'gobank',
  issuer: 'https://localhost/gobank',
  mtlsBase: 'https://localhost:8444/gobank',
  plainBase: undefined,
  profile: fapi2,
  accessTokens: 'opaque',
  scopes: ['accounts', 'payments.create'],
  rolesByScope: { accounts: ['AISP'], 'payments.create': ['PISP'] },
  takeUpSeconds: 900,
  requestsPerMinute: 1_000,
  consentDays: 90,
  statements: undefined,
  allowLoopbackRedirects: false,
  renderError: () => ({ html: '', headers: {} }),
};

const members = {
  software_statement: statement.text,
  token_endpoint_auth_method: 'private_key_jwt',
  token_endpoint_auth_signing_alg: 'PS256',
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
};
const byCertificate = {
  software_statement: statement.text,
  token_endpoint_auth_method: 'tls_client_auth',
  tls_client_auth_san_dns: 'tpp-a.example',
  grant_types: ['client_credentials'],
};

function derive(change: Readonly<Record<string, unknown>>, facts: Partial<RegistrationFacts> = {}) {
  const all = { members, statement, roles: ['AISP', 'PISP'], certificate, bank, ...facts };
  const changed = Object.entries({ ...all.members, ...change }).filter(([, value]) => value !== undefined);
  return metadataOf({ ...all, members: Object.fromEntries(changed) });
}

function refuses(
  code: string,
  change: Readonly<Record<string, unknown>>,
  facts: Partial<RegistrationFacts> = {},
): void {
  assert.throws(
    () => derive(change, facts),
    (cause) => cause instanceof Refusal && cause.code === code && cause.status === 400,
  );
}

const METADATA = 'invalid_client_metadata';

interface MatrixRow {
  readonly id: string;
  readonly member: string;
  readonly invalid: readonly unknown[];
  readonly nullCode?: string;
  /** What the metadata holds when the member is absent; undefined: refused. */
  readonly absent?: Readonly<Record<string, unknown>>;
  readonly code?: string;
}

const EXISTING = '(create and update derive alike)';

const matrix: readonly MatrixRow[] = [
  {
    id: 'N-140',
    member: 'redirect_uris',
    invalid: ['text', [], ['https://other.example/'], [REDIRECT, 'https://tpp-a.example/callback/'], [1]],
    nullCode: 'invalid_redirect_uri',
    absent: { redirect_uris: statement.redirectUris },
    code: 'invalid_redirect_uri',
  },
  { id: 'N-143', member: 'software_id', invalid: ['software-b', 1], absent: { software_id: 'software-a' } },
  {
    id: 'N-144',
    member: 'token_endpoint_auth_method',
    invalid: ['client_secret_basic', 'client_secret_post', 'none', 'tls', 1],
  },
  { id: 'N-145', member: 'token_endpoint_auth_signing_alg', invalid: ['RS256', 'none', 'HS256', 'XX', 1] },
  {
    id: 'N-147',
    member: 'grant_types',
    invalid: [['password'], ['implicit'], [], 'authorization_code', ['authorization_code', 1]],
  },
  {
    id: 'N-148',
    member: 'response_types',
    invalid: [['code id_token'], ['token'], 'code', []],
    absent: { response_types: ['code'] },
  },
  {
    id: 'N-149',
    member: 'scope',
    invalid: ['fundsconfirmations', 'accounts admin', '', ' ', 1],
    absent: { scope: 'openid offline_access accounts payments.create' },
  },
  { id: 'N-150', member: 'application_type', invalid: ['native', 'mobile', 1], absent: { application_type: 'web' } },
  {
    id: 'N-151',
    member: 'id_token_signed_response_alg',
    invalid: ['RS256', 'none', 1],
    absent: { id_token_signed_response_alg: 'PS256' },
  },
  { id: 'N-152', member: 'request_object_signing_alg', invalid: ['RS256', 'none', 1], absent: {} },
  {
    id: 'N-155',
    member: 'jwks_uri',
    invalid: ['https://other.example/keys', 'http://keys.example/tpp-a.jwks', 'https://10.0.0.1/'],
    absent: {},
  },
  { id: 'N-156', member: 'jwks', invalid: [{ keys: [] }, 'x'], absent: {} },
  { id: 'N-157', member: 'require_signed_request_object', invalid: ['true', 1, true], absent: {} },
  {
    id: 'N-158',
    member: 'tls_client_certificate_bound_access_tokens',
    invalid: ['true', false, 1],
    absent: { tls_client_certificate_bound_access_tokens: true },
  },
  { id: 'N-159', member: 'token_endpoint_allow_reuse_pvt_key_jwt', invalid: [true, 'x'], absent: {} },
  { id: 'N-160', member: 'software_version', invalid: ['2', 1], absent: {} },
];

describe('registration matrix', () => {
  for (const { id, member, invalid, nullCode = METADATA, absent, code = METADATA } of matrix) {
    test(`${id} ${member}: invalid is refused ${EXISTING}`, () => {
      for (const value of invalid) refuses(code, { [member]: value });
    });
    test(`${id} ${member}: null is refused`, () => refuses(nullCode, { [member]: null }));
    test(`${id} ${member}: absent is ${absent === undefined ? 'refused' : 'derived'}`, () => {
      if (absent === undefined) refuses(code, { [member]: undefined });
      else assert.partialDeepStrictEqual(derive({ [member]: undefined }), absent);
    });
  }

  test('N-145 token_endpoint_auth_signing_alg may be absent with tls_client_auth', () => {
    assert.equal(derive({}, { members: byCertificate }).token_endpoint_auth_method, 'tls_client_auth');
  });

  test('N-146 tls_client_auth needs exactly one attribute, and it is the presented certificate’s', () => {
    refuses(METADATA, { tls_client_auth_san_dns: undefined }, { members: byCertificate });
    refuses(METADATA, { tls_client_auth_san_dns: 'other.example' }, { members: byCertificate });
    refuses(METADATA, { tls_client_auth_san_dns: null }, { members: byCertificate });
    refuses(METADATA, { tls_client_auth_subject_dn: SUBJECT }, { members: byCertificate });
    refuses(METADATA, { tls_client_auth_subject_dn: SUBJECT });
    const bySubject = { ...byCertificate, tls_client_auth_san_dns: undefined, tls_client_auth_subject_dn: SUBJECT };
    assert.equal(derive({}, { members: bySubject }).tls_client_auth_subject_dn, SUBJECT);
  });

  test('N-153 client_name: markup and control characters are refused; null and absent take the statement’s', () => {
    for (const name of ['<b>x</b>', 'a\u0000b', 'a\nb', '', 'x'.repeat(101), 7])
      refuses(METADATA, { client_name: name });
    assert.equal(derive({ client_name: null }).client_name, 'TPP A');
    assert.equal(derive({}).client_name, 'TPP A');
  });

  test('N-129 one bad redirect URI is not saved by a good one', () => {
    const bad = [
      'http://tpp-a.example/callback',
      'https://localhost/callback',
      'https://127.0.0.1/callback',
      'https://tpp-a.example/callback#x',
      'https://tpp-a.example/*',
      'https://user@tpp-a.example/',
      'javascript:alert(1)',
    ];
    for (const uri of bad) {
      const loose = { ...statement, redirectUris: [REDIRECT, uri] };
      refuses('invalid_redirect_uri', { redirect_uris: [REDIRECT, uri] }, { statement: loose });
    }
  });

  test('the sandbox may redirect to this machine', () => {
    const uri = 'https://localhost:8091/callback';
    const loopback = {
      statement: { ...statement, redirectUris: [uri] },
      bank: { ...bank, allowLoopbackRedirects: true },
    };
    assert.deepEqual(derive({}, loopback).redirect_uris, [uri]);
  });

  test('N-158 tls_client_certificate_bound_access_tokens false is taken at a baseline bank only', () => {
    const relaxed = { ...bank, profile: baseline };
    assert.equal(
      derive({ tls_client_certificate_bound_access_tokens: false }, { bank: relaxed })
        .tls_client_certificate_bound_access_tokens,
      false,
    );
  });

  test('WSN-16 scopes are those of the roles that statement, certificate and directory share', () => {
    assert.equal(derive({}, { roles: ['AISP'] }).scope, 'openid offline_access accounts');
    refuses(METADATA, { scope: 'payments.create' }, { roles: ['AISP'] });
    refuses(METADATA, {}, { roles: [] });
  });

  test('LAB-09 without the code grant there is neither redirect URI nor response type', () => {
    const derived = derive({ grant_types: ['client_credentials'] });
    assert.deepEqual([derived.redirect_uris, derived.response_types], [[], []]);
    refuses(METADATA, { grant_types: ['client_credentials'], response_types: ['code'] });
  });

  test('a registration with hundreds of members is refused', () => {
    refuses(METADATA, Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`m${index}`, 1])));
  });

  test('CLD-01 a FAPI client must push its requests and has inline keys of the statement', () => {
    const derived = derive({});
    assert.equal(derived.require_pushed_authorization_requests, true);
    assert.deepEqual(derived.jwks, { keys: statement.keys.keys });
  });
});
