/** How a scheme asks whether certificates were withdrawn (§9): data of the configuration. */
export interface RevocationSettings {
  /** Which source is asked first; the other one only when the first has no answer. Default `ocsp-first`. */
  readonly order?: RevocationOrder | undefined;
  /** `require`: answers without our nonce do not count. `prefer`: they do. `off`: none is sent. Default `prefer`. */
  readonly nonce?: 'require' | 'prefer' | 'off' | undefined;
  /** Hash that identifies the certificate to the responder; many index by SHA-1. Default `sha1`. */
  readonly certIdHash?: 'sha1' | 'sha256' | undefined;
  /** True: a responder that does not know the certificate counts as no answer. Default false: refused. */
  readonly unknownFallsToCrl?: boolean | undefined;
  /** Hosts that may be asked; absent: any that the certificates of a valid path name. */
  readonly hosts?: readonly string[] | undefined;
  /** True: private and loopback addresses may be asked, for authorities inside the house. Default false. */
  readonly allowPrivateAddresses?: boolean | undefined;
  /** An OCSP answer is believed at most this long. Default one hour. */
  readonly ocspMaximumAgeSeconds?: number | undefined;
  /** A list is used at most this long without a newer one, whatever its nextUpdate says. Default one day. */
  readonly crlMaximumAgeSeconds?: number | undefined;
  /** Are the authorities of the path checked too? Default true. */
  readonly authorities?: boolean | undefined;
}

/** Which sources, in which order. */
export type RevocationOrder = 'ocsp-first' | 'crl-first' | 'ocsp-only' | 'crl-only';

/** Settings with every default filled in. */
export interface CompiledRevocation {
  readonly order: readonly ('ocsp' | 'crl')[];
  readonly nonce: 'require' | 'prefer' | 'off';
  readonly certIdHash: 'sha1' | 'sha256';
  readonly unknownFallsToCrl: boolean;
  readonly hosts: ReadonlySet<string> | undefined;
  readonly allowPrivateAddresses: boolean;
  readonly ocspMaximumAgeSeconds: number;
  readonly crlMaximumAgeSeconds: number;
  readonly authorities: boolean;
  /** Whatever decides if an answer counts, as text: banks with other rules share no answers. */
  readonly rules: string;
}

const ORDERS: Readonly<Record<RevocationOrder, readonly ('ocsp' | 'crl')[]>> = {
  'ocsp-first': ['ocsp', 'crl'],
  'crl-first': ['crl', 'ocsp'],
  'ocsp-only': ['ocsp'],
  'crl-only': ['crl'],
};
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

/** Fills in the defaults, which are the strict ones. @throws Error naming a setting that makes no sense */
export function compileRevocation(settings: RevocationSettings): CompiledRevocation {
  const { ocspMaximumAgeSeconds = HOUR_SECONDS, crlMaximumAgeSeconds = DAY_SECONDS } = settings;
  for (const [name, value] of Object.entries({ ocspMaximumAgeSeconds, crlMaximumAgeSeconds })) {
    if (!(value >= 1)) throw new Error(`trust scheme: revocation.${name} must be at least one second`);
  }
  const compiled = {
    order: ORDERS[settings.order ?? 'ocsp-first'],
    nonce: settings.nonce ?? 'prefer',
    certIdHash: settings.certIdHash ?? 'sha1',
    unknownFallsToCrl: settings.unknownFallsToCrl ?? false,
    hosts: settings.hosts === undefined ? undefined : new Set(settings.hosts.map((host) => host.toLowerCase())),
    allowPrivateAddresses: settings.allowPrivateAddresses ?? false,
    ocspMaximumAgeSeconds,
    crlMaximumAgeSeconds,
    authorities: settings.authorities ?? true,
  };
  const { order: _, authorities: __, hosts, ...rules } = compiled;
  return { ...compiled, rules: JSON.stringify({ ...rules, hosts: hosts === undefined ? null : [...hosts] }) };
}
