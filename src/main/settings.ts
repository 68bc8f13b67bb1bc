import { type Static, Type } from 'typebox';
import { FilePath } from '../platform/config.ts';
import { Refusal } from '../platform/refusal.ts';
import { Forwarded } from './forwarded.ts';
import { Limits } from './limits.ts';
import { BankRegister, checkRegister } from './registers.ts';
import { BankTrust, checkTrust, RevocationRule } from './trust-settings.ts';
import { checkTrustedLists } from './trusted-list-settings.ts';

const closed = { additionalProperties: false } as const;
const Path = FilePath('Path of a file, relative to the configuration file.');
const Host = Type.String({ minLength: 1, description: 'Address to listen on, such as 127.0.0.1 or 0.0.0.0.' });
const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Origin = Type.String({
  pattern: '^https://[^/?#@]+$',
  description: 'What callers write before the path: scheme, host and port, without a slash at the end.',
});

const BrowserDoor = Type.Object(
  {
    host: Host,
    port: Port,
    origin: Origin,
    certificate: Path,
    key: Path,
  },
  { ...closed, description: 'A TLS door that asks for no client certificate.' },
);

const OnboardingDoor = Type.Object(BrowserDoor.properties, {
  ...closed,
  description:
    'A door whose handshake takes any client certificate and that tells, at /{bank}, what the bank says of it; nothing else is served there.',
});

const MtlsDoor = Type.Object(
  {
    host: Host,
    port: Port,
    origin: Origin,
    certificate: Path,
    key: Path,
    clientCertificate: Type.Union([Type.Literal('handshake'), Type.Literal('request')], {
      default: 'handshake',
      description:
        'handshake: no certificate ends the handshake. request: the handshake succeeds and the answer is a 401 that says what was wrong.',
    }),
    forwarded: Type.Optional(Forwarded),
  },
  { ...closed, description: 'The door of machines: every caller has a client certificate.' },
);

const Bank = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z][a-z0-9-]{1,30}$', description: 'First segment of every path of this bank.' }),
    name: Type.String({ minLength: 1, maxLength: 60 }),
    regime: Type.String({ minLength: 1, description: 'The market: generic.' }),
    profile: Type.Union([Type.Literal('fapi2'), Type.Literal('baseline')], {
      description: 'The security profile. baseline allows client secrets and tokens that are bound to no certificate.',
    }),
    acceptBaselineProfile: Type.Optional(
      Type.Literal('client secrets and unbound tokens are accepted here', {
        description: 'Outside the sandbox a baseline bank must say so in these words.',
      }),
    ),
    accessTokens: Type.Union([Type.Literal('opaque'), Type.Literal('jwt')]),
    routesByScopeAlone: Type.Optional(
      Type.Boolean({ description: 'Routes take customer and participant tokens alike and decide by scope (Lab 03).' }),
    ),
    trust: BankTrust,
    register: Type.Optional(BankRegister),
    connector: Type.Object(
      { origin: Origin, certificate: Path, key: Path, authorities: Type.Array(Path, { minItems: 1 }) },
      { ...closed, description: 'The bank behind us: mutual TLS with this identity of ours.' },
    ),
    consentStore: Type.Optional(
      Type.Object(
        {
          origin: Origin,
          certificate: Path,
          key: Path,
          authorities: Type.Array(Path, { minItems: 1 }),
          callbackCertificate: Type.String({
            minLength: 1,
            description: 'PEM of the one certificate that may tell us of changes; one of the same authorities made it.',
          }),
          revocation: Type.Optional(RevocationRule),
          maximumAgeSeconds: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 30,
              default: 5,
              description:
                'How long an answer is believed when a call-back about a change was lost, or the store is down; 0 asks at every call.',
            }),
          ),
        },
        { ...closed, description: 'The bank keeps its consents itself: mutual TLS with this identity of ours.' },
      ),
    ),
    testUsers: Type.Optional(
      Type.Array(Type.Object({ username: Type.String(), password: Type.String() }, closed), {
        description: 'Shown on the sign-in page; the sandbox only.',
      }),
    ),
    portalUrl: Type.Optional(Origin),
    accountChanges: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          "Customers may change the accounts of a consent that stands, in the portal, without the third party; not with a bank's own consent store.",
      }),
    ),
    reportProblem: Type.Optional(
      Type.String({
        pattern: '^(https://[^\\s"<>@\\\\]{1,300}|mailto:[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190})$',
        description:
          "Where the customer's portal leads those who report a problem with a consent: an https address, which gets `consent` and `trace` as parameters, or mailto: and an address of e-mail. Without it there is no such link.",
      }),
    ),
    management: Type.Optional(
      Type.Object(
        {
          participant: Type.String({
            minLength: 1,
            description: "The bank's own entry in the directory, role ASPSP: its clients alone get management scopes.",
          }),
          changesDirectory: Type.Optional(
            Type.Boolean({
              default: false,
              description:
                'Its staff may change the directory of participants, which all banks of this platform share.',
            }),
          ),
        },
        { ...closed, description: 'Who may use the management API for this bank; without it, nobody.' },
      ),
    ),
    takeUpMinutes: Type.Optional(
      Type.Integer({
        minimum: 5,
        maximum: 1_440,
        default: 15,
        description: 'A consent that the third party does not take up within this time after the customer agreed ends.',
      }),
    ),
    registration: Type.Optional(Type.Boolean({ default: true, description: 'Dynamic client registration.' })),
    brand: Type.Optional(
      Type.Object(
        { colour: Type.Optional(Type.String({ pattern: '^#[0-9a-fA-F]{6}$' })), logo: Type.Optional(Path) },
        closed,
      ),
    ),
    texts: Type.Optional(
      Type.Record(Type.String(), Type.Record(Type.String(), Type.String()), {
        description: 'Own words for pages: language, then message key.',
      }),
    ),
  },
  closed,
);

/** The configuration file: one for banks, doors, database, keys and limits. Secrets come from files or the environment. */
export const Settings = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    sandbox: Type.Optional(
      Type.Boolean({ description: 'True only for the sandbox: test users are shown, loopback redirects allowed.' }),
    ),
    doors: Type.Object(
      {
        issuer: BrowserDoor,
        mtls: MtlsDoor,
        plain: Type.Optional(BrowserDoor),
        portal: Type.Optional(BrowserDoor),
        management: Type.Optional(BrowserDoor),
        onboarding: Type.Optional(OnboardingDoor),
        operators: Type.Object(
          { host: Type.Union([Type.Literal('127.0.0.1'), Type.Literal('::1')]), port: Port },
          { ...closed, description: 'Health and metrics, loopback only.' },
        ),
        control: Type.Optional(Path),
      },
      closed,
    ),
    database: Type.Object(
      {
        directory: Type.Optional(
          Type.String({
            minLength: 1,
            description: 'Directory of the embedded database; DATABASE_URL, when set, wins.',
          }),
        ),
      },
      closed,
    ),
    keys: Type.Object({ directory: FilePath('Directory of the master keys.') }, closed),
    directory: Type.Object(
      {
        participants: Type.Optional(Path),
        statementIssuer: Type.Optional(Type.String({ minLength: 1 })),
        statementKeys: Type.Optional(Path),
        statementMaximumAgeDays: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_650, default: 30 })),
      },
      { ...closed, description: 'Who signs software statements, and participants to enter at the first start.' },
    ),
    log: Type.Optional(
      Type.Object(
        { level: Type.Union(['debug', 'info', 'warn', 'error', 'silent'].map((level) => Type.Literal(level))) },
        closed,
      ),
    ),
    limits: Type.Optional(Limits),
    banks: Type.Array(Bank, { minItems: 1, maxItems: 64 }),
  },
  { ...closed, title: 'Portcullis configuration' },
);

/** The settings as read and frozen. */
export type Settings = Static<typeof Settings>;

/** One bank's settings. */
export type BankSettings = Settings['banks'][number];

/** Rules a schema cannot say. @throws Error with the key's path */
export function checkSettings(settings: Settings, regimes: ReadonlyMap<string, unknown>): void {
  const seen = new Set<string>();
  for (const [index, bank] of settings.banks.entries()) {
    const at = `banks[${index}]`;
    if (seen.has(bank.id)) throw new Error(`${at}.id: ${bank.id} is used twice`);
    seen.add(bank.id);
    if (!regimes.has(bank.regime)) {
      throw new Error(`${at}.regime: there is no regime ${bank.regime}; known are ${[...regimes.keys()].join(', ')}`);
    }
    if (bank.accountChanges === true && bank.consentStore !== undefined)
      throw new Error(`${at}.accountChanges: the bank's own consent store keeps accounts as agreed`);
    if (bank.reportProblem !== undefined && !URL.canParse(bank.reportProblem))
      throw new Error(`${at}.reportProblem: this is no address`);
    checkRegister(bank.register, `${at}.register`);
    checkTrust(bank.trust, `${at}.trust`, settings.sandbox === true);
    checkTrustedLists(bank.trust, `${at}.trust`);
    checkTrust(bank.consentStore ?? {}, `${at}.consentStore`, settings.sandbox === true);
    if (bank.profile === 'baseline' && settings.sandbox !== true && bank.acceptBaselineProfile === undefined) {
      throw new Error(
        `${at}.profile: baseline is refused outside the sandbox unless ${at}.acceptBaselineProfile says so`,
      );
    }
  }
  const shown = settings.banks.findIndex((bank) => bank.testUsers !== undefined);
  if (shown !== -1 && settings.sandbox !== true)
    throw new Error(`banks[${shown}].testUsers: test users exist in the sandbox only`);
  if (settings.doors.plain !== undefined && settings.sandbox !== true) {
    throw new Error('doors.plain: a door without client certificates opens in the sandbox only');
  }
  const { forwarded, clientCertificate } = settings.doors.mtls;
  checkTrust(forwarded?.identity ?? {}, 'doors.mtls.forwarded.identity', settings.sandbox === true);
  if (forwarded !== undefined && clientCertificate !== 'request') {
    throw new Error('doors.mtls.forwarded: behind a proxy doors.mtls.clientCertificate must be request');
  }
  const { statementIssuer, statementKeys } = settings.directory;
  if ((statementIssuer === undefined) !== (statementKeys === undefined)) {
    throw new Error('directory.statementIssuer and directory.statementKeys belong together');
  }
  const ports = [
    settings.doors.issuer.port,
    settings.doors.mtls.port,
    settings.doors.plain?.port,
    settings.doors.portal?.port,
    settings.doors.management?.port,
    settings.doors.onboarding?.port,
    settings.doors.operators.port,
  ];
  const fixed = ports.filter((port) => port !== undefined && port !== 0);
  if (new Set(fixed).size !== fixed.length) throw new Error('doors: two doors have the same port');
}

/** A bank of the configuration. @throws Refusal `not_found` 404 */
export function bankOf(settings: Settings, id: string): BankSettings {
  const bank = settings.banks.find((candidate) => candidate.id === id);
  if (bank !== undefined) return bank;
  throw new Refusal(
    'not_found',
    404,
    `there is no bank ${id}; configured are ${settings.banks.map((item) => item.id).join(', ')}`,
  );
}

/** The base addresses of a bank: the issuer, the mTLS door, the plain door, the customer's portal, the management API. */
export function addressesOf(bank: BankSettings, settings: Settings) {
  const { issuer, mtls, plain, portal, management } = settings.doors;
  return {
    issuer: `${issuer.origin}/${bank.id}`,
    mtlsBase: `${mtls.origin}/${bank.id}`,
    plainBase: plain === undefined || bank.profile !== 'baseline' ? undefined : `${plain.origin}/${bank.id}`,
    portalBase: portal === undefined ? undefined : `${portal.origin}/${bank.id}`,
    managementBase: management === undefined ? undefined : `${management.origin}/${bank.id}`,
  };
}
