import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import type { Audit } from '../audit/index.ts';
import {
  type AuthorityRegister,
  createCustomRegister,
  createParticipantRegister,
  createRegisterService,
  createSnapshotFile,
  MAXIMUM_POSITIVE_SECONDS,
  type ParticipantRegister,
  type RegisterException,
  ROLES,
  rememberPositives,
  withFallback,
} from '../directory/index.ts';
import type { Clock } from '../platform/clock.ts';
import { FilePath } from '../platform/config.ts';
import { createFetcher } from '../platform/fetch.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { loadExport } from './operator-module.ts';
import type { Settings } from './settings.ts';
import { readAll } from './text-files.ts';

const closed = { additionalProperties: false } as const;
const Path = FilePath('Path of a file, relative to the configuration file.');
/** A participant's call waits for it. */
const SERVICE_TIMEOUT_MS = 3_000;
/** One participant's entry, with every country of the Union in it. */
const SERVICE_MAXIMUM_BYTES = 64 * 1024;
/** Authorities report at least daily (certificates.md §14): one missed day is not the end. */
const DEFAULT_AGE_SECONDS = 172_800;
const MAXIMUM_AGE_SECONDS = 604_800;
const MAXIMUM_EXCEPTIONS = 1_000;

const PositiveSeconds = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: MAXIMUM_POSITIVE_SECONDS,
    default: MAXIMUM_POSITIVE_SECONDS,
    description: 'How long a positive answer is believed; a refusal never is.',
  }),
);

const Service = Type.Object(
  {
    url: Type.String({ pattern: '^https://[^?#@]+$', description: 'Where questions go, without a query.' }),
    authorities: Type.Optional(
      Type.Array(Path, { minItems: 1, description: 'PEM files of its authorities. Without it: the public ones.' }),
    ),
    certificate: Type.Optional(Path),
    key: Type.Optional(Path),
    positiveSeconds: PositiveSeconds,
  },
  {
    ...closed,
    description:
      'An HTTP service (docs/integrate/authority-register.openapi.yaml); certificate and key are our identity.',
  },
);

const Module = Type.Object(
  {
    file: FilePath('A JavaScript or TypeScript module that exports askRegister(question).'),
    positiveSeconds: PositiveSeconds,
  },
  { ...closed, description: 'Code of the operator that asks a register of another kind; it runs in this process.' },
);

const Snapshot = Type.Object(
  {
    file: Path,
    format: Type.Enum(['eba', 'plain'], {
      description: "eba: the European Banking Authority's published JSON, unpacked. plain: this platform's own form.",
    }),
    maximumAgeSeconds: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: MAXIMUM_AGE_SECONDS,
        default: DEFAULT_AGE_SECONDS,
        description: 'An older snapshot has no answers any more.',
      }),
    ),
    authorities: Type.Optional(
      Type.Record(Type.String(), Type.String({ pattern: '^[A-Z]{2}-[A-Z]{2,8}$' }), {
        description: 'eba alone: names of authorities in the file that differ from those in certificates.',
      }),
    ),
  },
  { ...closed, description: 'A published file, read again when it changes.' },
);

/** How a bank confirms authorisations with the competent authorities. */
export const BankRegister = Type.Object(
  {
    country: Type.String({
      pattern: '^[A-Z]{2}$',
      description: 'Where the bank is: authorisations must be given there, or passported there.',
    }),
    service: Type.Optional(Service),
    module: Type.Optional(Module),
    snapshot: Type.Optional(Snapshot),
    atCalls: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Asked at API calls and token requests as well. Without it: at registration alone.',
      }),
    ),
    exceptions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            identifier: Type.String({
              minLength: 1,
              description: 'Authorisation number, such as PSDXX-SANDBOX-123456.',
            }),
            roles: Type.Array(Type.Enum([...ROLES]), { minItems: 1 }),
            until: Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'The day on which it ends.' }),
            reason: Type.String({ minLength: 1, maxLength: 500, description: 'Why, for those who read this file.' }),
          },
          closed,
        ),
        {
          maxItems: MAXIMUM_EXCEPTIONS,
          description: 'Authorisations the operator vouches for: the register of payment institutions has no banks.',
        },
      ),
    ),
  },
  {
    ...closed,
    description: "The competent authorities' register: service, snapshot, or the snapshot when the service is silent.",
  },
);

/** One bank's register settings. */
export type BankRegister = Static<typeof BankRegister>;

/** @throws Error naming the key that is missing or wrong */
export function checkRegister(register: BankRegister | undefined, at: string): void {
  if (register === undefined) return;
  const { service, module, snapshot, exceptions = [] } = register;
  if (service === undefined && module === undefined && snapshot === undefined)
    throw new Error(`${at}: name a service, a module or a snapshot`);
  if (service !== undefined && module !== undefined)
    throw new Error(`${at}: a service and a module exclude each other`);
  if ((service?.certificate === undefined) !== (service?.key === undefined))
    throw new Error(`${at}.service: certificate and key belong together`);
  for (const [index, { until }] of exceptions.entries()) {
    if (Number.isNaN(Date.parse(until))) throw new Error(`${at}.exceptions[${index}].until: there is no such day`);
  }
}

/** What registers are opened with. */
interface RegisterParts {
  readonly audit: Audit;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** The registers of all banks that have one. */
export interface Registers {
  readonly byBank: ReadonlyMap<string, ParticipantRegister>;
  close(): Promise<void>;
}

/** Opens them; banks with the same source share it. @throws Error when a certificate of the settings cannot be read */
export async function openRegisters(settings: Settings, parts: RegisterParts): Promise<Registers> {
  const sources = new Map<string, AuthorityRegister>();
  const byBank = new Map<string, ParticipantRegister>();
  const count = parts.metrics.counter({
    name: 'portcullis_register_checks_total',
    help: "Checks of participants against the competent authorities' register, by bank and finding.",
    labels: ['bank', 'finding'],
  });
  for (const { id: bank, register: own } of settings.banks) {
    if (own === undefined) continue;
    const { audit, clock } = parts;
    const { country, atCalls = false } = own;
    const register = await openRegister(own, parts, sources);
    const exceptions = exceptionsOf(own);
    const observe = (finding: string) => count({ bank, finding });
    byBank.set(
      bank,
      createParticipantRegister({ bank, country, atCalls, register, exceptions, audit, clock, observe }),
    );
  }
  return {
    byBank,
    close: async () => {
      await Promise.all([...sources.values()].map((source) => source.close()));
    },
  };
}

/** A bank's register: what is remembered of the service is its own, a snapshot is as new as its file and is not remembered. */
async function openRegister(
  { service, module, snapshot, country }: BankRegister,
  parts: RegisterParts,
  sources: Map<string, AuthorityRegister>,
): Promise<AuthorityRegister> {
  const { clock } = parts;
  const shared = async (settings: object, open: () => AuthorityRegister | Promise<AuthorityRegister>) => {
    const key = JSON.stringify(settings);
    const source = sources.get(key) ?? (await open());
    sources.set(key, source);
    return source;
  };
  const read = snapshot && (await shared({ snapshot }, () => openSnapshot(snapshot, parts)));
  const asked = service ?? module;
  if (asked === undefined) {
    if (read === undefined) throw new Error('a register without a source');
    return read;
  }
  const { positiveSeconds: seconds = MAXIMUM_POSITIVE_SECONDS } = asked;
  const open = () => ('url' in asked ? openService(asked, clock) : openModule(asked.file));
  const remembering = rememberPositives(await shared({ asked }, open), { clock, seconds, country });
  return read === undefined ? remembering : withFallback(remembering, read);
}

const EXPORT = 'askRegister';

async function openModule(file: string): Promise<AuthorityRegister> {
  const found = await loadExport(file, EXPORT, 'register.module.file');
  if (typeof found !== 'function') throw new Error(`register.module.file: ${file} exports no function ${EXPORT}`);
  return createCustomRegister((question) => Reflect.apply(found, undefined, [question]));
}

function exceptionsOf({ exceptions = [] }: BankRegister): readonly RegisterException[] {
  return exceptions.map(({ identifier, roles, until }) => ({ identifier, roles, until: new Date(until) }));
}

async function openService(service: NonNullable<BankRegister['service']>, clock: Clock): Promise<AuthorityRegister> {
  const { url, authorities, certificate, key } = service;
  const read = (path: string) => readFile(path, 'utf8');
  const identity =
    certificate === undefined || key === undefined
      ? {}
      : { certificate: await read(certificate), key: await read(key) };
  const trusted = authorities === undefined ? {} : { authorities: await readAll(authorities) };
  const fetcher = createFetcher({
    // The operator names the address: it may be one inside the house.
    allowPrivateAddresses: true,
    timeoutMs: SERVICE_TIMEOUT_MS,
    maximumBytes: SERVICE_MAXIMUM_BYTES,
    ...identity,
    ...trusted,
  });
  return createRegisterService({ fetcher, url, clock });
}

function openSnapshot(
  { file: path, format, maximumAgeSeconds = DEFAULT_AGE_SECONDS, authorities }: NonNullable<BankRegister['snapshot']>,
  { clock, log }: RegisterParts,
): AuthorityRegister {
  const report = (message: string, cause: unknown) => log.warn({ cause, path }, message);
  return createSnapshotFile({ path, format, maximumAgeSeconds, authorities, clock, report });
}
