import { type Static, Type } from 'typebox';
import { FilePath } from '../platform/config.ts';
import { TrustedListSettings } from './trusted-list-settings.ts';

const closed = { additionalProperties: false } as const;

/** Below this FAPI allows no RSA key; larger ones than the second cost more time than a caller may have. */
const RSA_BITS = { minimum: 2_048, maximum: 8_192 } as const;
/** A week: an answer about revocation that is older proves nothing about today. */
const MAXIMUM_AGE_SECONDS = 604_800;
const MAXIMUM_DENIED = 10_000;
/** A bank trusts a handful of authorities with a few intermediates each. */
const MAXIMUM_ISSUER_ADDRESSES = 100;

const Age = (description: string) => Type.Integer({ minimum: 1, maximum: MAXIMUM_AGE_SECONDS, description });

const Revocation = Type.Object(
  {
    order: Type.Optional(
      Type.Enum(['ocsp-first', 'crl-first', 'ocsp-only', 'crl-only'], {
        description:
          'Which source is asked first; the other one only when the first has no answer. Without it: ocsp-first.',
      }),
    ),
    nonce: Type.Optional(
      Type.Enum(['require', 'prefer', 'off'], {
        description: 'require: answers of a responder without our nonce do not count. Without it: prefer.',
      }),
    ),
    certIdHash: Type.Optional(
      Type.Enum(['sha1', 'sha256'], {
        description:
          'Hash by which the responder is asked; many know SHA-1 alone, which protects nothing here. Without it: sha1.',
      }),
    ),
    unknownFallsToCrl: Type.Optional(
      Type.Boolean({
        description: 'A responder that does not know the certificate counts as no answer. Without it: refused.',
      }),
    ),
    hosts: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'Hosts that may be asked. Without it: any that the certificates of a valid path name.',
      }),
    ),
    allowPrivateAddresses: Type.Optional(
      Type.Boolean({ description: 'Private and loopback addresses may be asked. Without it: refused.' }),
    ),
    ocspMaximumAgeSeconds: Type.Optional(Age('An OCSP answer is believed at most this long. Without it: one hour.')),
    crlMaximumAgeSeconds: Type.Optional(Age('A list is used at most this long. Without it: one day.')),
    authorities: Type.Optional(
      Type.Boolean({ description: 'The issuing authorities of the path are checked too. Without it: yes.' }),
    ),
  },
  closed,
);

/** How withdrawn certificates are found; `off` exists in the sandbox alone. */
export const RevocationRule = Type.Union([Type.Literal('off'), Revocation], {
  description:
    'How withdrawn certificates are found; off in the sandbox only. Without it: OCSP, then the list, and a refusal when neither answers.',
});

const Denied = Type.Union([
  Type.Object(
    {
      issuer: Type.String({ minLength: 1, description: 'Issuer as RFC 4514 text.' }),
      serial: Type.String({ minLength: 1, description: 'Serial number, hexadecimal.' }),
    },
    closed,
  ),
  Type.Object({ spkiSha256: Type.String({ description: 'SHA-256 of the SubjectPublicKeyInfo, base64url.' }) }, closed),
]);

/** Which client certificates a bank trusts. Signature and time are always checked: no setting switches them off (WSO-07). */
export const BankTrust = Type.Object(
  {
    anchors: Type.Optional(
      Type.Array(FilePath('Path of a file, relative to the configuration file.'), {
        minItems: 1,
        description: 'PEM files of root or issuing certificates. Needed unless trustedLists are named.',
      }),
    ),
    trustedLists: Type.Optional(TrustedListSettings),
    extendedKeyUsages: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        description: 'Names or OIDs of purposes the certificate must have. Without it: clientAuth.',
      }),
    ),
    keyUsages: Type.Optional(
      Type.Array(
        Type.Enum(['digitalSignature', 'nonRepudiation'], { description: 'A key usage the certificate must have.' }),
        {
          minItems: 1,
        },
      ),
    ),
    qualified: Type.Optional(
      Type.Boolean({ description: 'The certificate must say that it is qualified (QcCompliance). Without it: no.' }),
    ),
    qcTypeRequired: Type.Optional(
      Type.Boolean({ description: 'The certificate must say its kind (QcType web). Without it: no.' }),
    ),
    rolesRequired: Type.Optional(
      Type.Boolean({ description: 'The certificate must have a PSD2 statement with roles. Without it: no.' }),
    ),
    rolesFrom: Type.Optional(
      Type.Enum(['certificate', 'directory'], {
        description:
          'Where the roles of a certificate without a PSD2 statement come from. Without it: certificate, and it has none.',
      }),
    ),
    statements: Type.Optional(
      Type.Object(
        {
          rolesEncoding: Type.Optional(
            Type.Enum(['etsi', 'flattened', 'sandbox'], {
              description:
                'etsi: as TS 119 495 says. flattened: also the flat form of certificates of 2020. Without it: etsi.',
            }),
          ),
          authority: Type.Optional(
            Type.Enum(['strict', 'relaxed'], {
              description:
                "strict: country and code of the authority fit the organisation's identifier. Without it: relaxed.",
            }),
          ),
          organizationIdentifier: Type.Optional(
            Type.Enum(['psd', 'any'], {
              description: 'psd: identifiers of the PSD form alone count. Without it: any.',
            }),
          ),
        },
        closed,
      ),
    ),
    algorithms: Type.Optional(
      Type.Object(
        {
          rsaMinimumBits: Type.Optional(Type.Integer({ ...RSA_BITS, description: 'Without it: 2048.' })),
          ed25519: Type.Optional(Type.Boolean({ description: 'Ed25519 counts. Without it: no.' })),
        },
        closed,
      ),
    ),
    denied: Type.Optional(
      Type.Array(Denied, { maxItems: MAXIMUM_DENIED, description: 'Certificates and keys that never count.' }),
    ),
    revocation: Type.Optional(RevocationRule),
    fetchIssuers: Type.Optional(
      Type.Object(
        {
          addresses: Type.Array(Type.String({ pattern: '^https?://' }), {
            minItems: 1,
            maxItems: MAXIMUM_ISSUER_ADDRESSES,
            description: 'Whole addresses of intermediates, or beginnings that end in a slash; no other is fetched.',
          }),
          allowPrivateAddresses: Type.Optional(
            Type.Boolean({ description: 'Private and loopback addresses may be asked. Without it: refused.' }),
          ),
        },
        {
          ...closed,
          description: 'Intermediates that a caller did not send may be fetched from here. Without it: never fetched.',
        },
      ),
    ),
    readsWithoutRevocation: Type.Optional(
      Type.Boolean({
        description: 'API calls that only read go on when no source of revocation answers. Without it: refused.',
      }),
    ),
  },
  { ...closed, description: 'Which client certificates this bank trusts.' },
);

/** One bank's trust settings. */
export type BankTrust = Static<typeof BankTrust>;

/** A rule about withdrawn certificates, where a bank or its consent store is configured. */
interface RevocationRules {
  readonly revocation?: BankTrust['revocation'];
}

/** @throws Error naming the key: withdrawn certificates are taken in the sandbox only (WSO-07) */
export function checkTrust(trust: RevocationRules, at: string, sandbox: boolean): void {
  if (trust.revocation !== 'off' || sandbox) return;
  throw new Error(`${at}.revocation: off is accepted in the sandbox only, where sandbox is true`);
}
