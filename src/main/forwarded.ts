import { type Static, Type } from 'typebox';
import { FilePath, readSecret, SecretReference } from '../platform/config.ts';
import { checkForwardedSource, type ForwardedFormat, type ForwardedSource } from '../trust/index.ts';
import { loadForwardedParser } from './forwarded-parser.ts';
import { readAll } from './text-files.ts';
import { RevocationRule } from './trust-settings.ts';

const closed = { additionalProperties: false } as const;
const HeaderName = Type.String({ minLength: 1, maxLength: 100 });
/** More trusted hops before one door than this is a mistake. */
const MAXIMUM_HOPS = 5;

/** Where these settings stand. */
const AT = 'doors.mtls.forwarded';

const FORMATS = [
  'rfc9440',
  'nginx-escaped',
  'aws-alb',
  'envoy-xfcc',
  'base64-der',
  'traefik',
  'traefik-escaped',
  'pem-loose',
] as const satisfies ForwardedFormat[];

/** The one proxy before a door that hands on the caller's certificate (certificates.md §11). */
export const Forwarded = Type.Object(
  {
    header: HeaderName,
    format: Type.Optional(
      Type.Enum(FORMATS, { description: 'The one form of the header; it is never guessed. This, or parser.' }),
    ),
    parser: Type.Optional(
      FilePath(
        'Module that exports parseForwardedCertificate: a form of your own. Relative to the configuration file.',
      ),
    ),
    chainHeader: Type.Optional(HeaderName),
    proxies: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'Addresses or networks of the proxy, such as 10.1.0.7 or 10.1.0.0/28.',
    }),
    identity: Type.Optional(
      Type.Object(
        {
          anchors: Type.Array(FilePath('PEM file of an authority of the proxy.'), { minItems: 1 }),
          subject: Type.Optional(Type.String({ minLength: 1, description: 'Its subject as RFC 4514 text.' })),
          revocation: Type.Optional(RevocationRule),
        },
        { ...closed, description: 'The proxy proves itself by its own client certificate. This, or secret.' },
      ),
    ),
    secret: Type.Optional(
      Type.Object(
        { header: HeaderName, value: SecretReference('At least 32 characters.') },
        { ...closed, description: 'A header whose value only the proxy and this platform know.' },
      ),
    ),
    revocationVouched: Type.Optional(
      Type.Object(
        { header: HeaderName, value: Type.String({ minLength: 1, maxLength: 100 }) },
        {
          ...closed,
          description:
            'The proxy asks about revocation itself: where its header has this value, it is not asked again. Path, time, purpose and deny list are checked here always.',
        },
      ),
    ),
    hops: Type.Optional(Type.Integer({ minimum: 1, maximum: MAXIMUM_HOPS, description: 'envoy-xfcc alone.' })),
    directAllowed: Type.Optional(
      Type.Boolean({
        description: 'Participants may also connect past the proxy, with their certificate in the handshake.',
      }),
    ),
  },
  { ...closed, description: 'A load balancer ends TLS before this door and hands the certificate on in a header.' },
);

/** Settings of a forwarding proxy. */
export type Forwarded = Static<typeof Forwarded>;

/** The proxy with everything read that its settings name. @throws Error naming what is missing or wrong: such a door does not open */
export async function forwardedSource(settings: Forwarded | undefined): Promise<ForwardedSource | undefined> {
  if (settings === undefined) return undefined;
  const { identity, secret, format, parser, ...plain } = settings;
  const source: ForwardedSource = {
    ...plain,
    format: await formOf({ format, parser }),
    identity: identity && {
      ...identity,
      anchors: await readAll(identity.anchors),
      revocation: identity.revocation ?? {},
    },
    secret: secret && { header: secret.header, value: await readSecret(secret.value) },
  };
  checkForwardedSource(source);
  return source;
}

async function formOf({
  format,
  parser,
}: {
  readonly format: ForwardedFormat | undefined;
  readonly parser: string | undefined;
}): Promise<ForwardedSource['format']> {
  if (format !== undefined && parser === undefined) return format;
  if (format === undefined && parser !== undefined) return loadForwardedParser(parser, `${AT}.parser`);
  throw new Error(
    `${AT}: give format, the form of the header, or parser, a module of your own; exactly one of the two`,
  );
}
