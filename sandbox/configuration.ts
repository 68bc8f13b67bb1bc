import { join } from 'node:path';
import { statementIssuer } from './authority/directory.ts';
import { coreParticipantOf } from './authority/participants.ts';
import { demoPassword } from './bank/passwords.ts';
import { storeFilesOf } from './consent-store/identities.ts';
import type { Places } from './places.ts';

/** A bank of the sandbox as the platform and its own service need it. */
export interface SandboxBank {
  readonly id: string;
  readonly name: string;
  readonly regime: string;
  readonly profile: 'fapi2' | 'baseline';
  readonly accessTokens: 'opaque' | 'jwt';
  /** Routes decide by scope alone, as in the lab (LAB-02). */
  readonly routesByScopeAlone?: true;
  readonly colour: string;
  /** Port of its core service. */
  readonly corePort: number;
  /** Port of its own consent store; without one the platform keeps its consents. */
  readonly consentStorePort?: number;
}

/** The banks (design §6). */
export const sandboxBanks: readonly SandboxBank[] = [
  {
    id: 'gobank',
    name: 'Go Bank',
    regime: 'generic',
    profile: 'fapi2',
    accessTokens: 'opaque',
    colour: '#0b6e4f',
    corePort: 9101,
  },
  {
    id: 'labbank',
    name: 'Lab Bank',
    regime: 'generic',
    profile: 'baseline',
    accessTokens: 'jwt',
    routesByScopeAlone: true,
    colour: '#5b3f8c',
    corePort: 9102,
  },
  {
    id: 'hyperscale',
    name: 'Hyperscale Bank',
    regime: 'generic',
    profile: 'fapi2',
    accessTokens: 'opaque',
    colour: '#8a3b12',
    corePort: 9103,
    consentStorePort: 9104,
  },
];

/** The bank whose staff may change the directory of participants. */
const directoryKeeper = 'gobank';
/** Customers of every bank (design §6). */
const sandboxUsers = ['user', 'user2'] as const;

/** Every port the sandbox opens, by what opens it: change them here and everything follows (ASK-03). */
export interface Ports {
  readonly issuer: number;
  readonly mtls: number;
  readonly plain: number;
  readonly operators: number;
  /** Of the customer's portal. */
  readonly portal: number;
  /** Of the management API. */
  readonly management: number;
  /** Where a participant is told what is wrong with its certificate. */
  readonly onboarding: number;
  /** Of the demo third party. */
  readonly financroo: number;
  /** Of each bank's core service. */
  readonly banks: Readonly<Record<string, number>>;
  /** Of the consent stores of banks that have their own. */
  readonly consentStores: Readonly<Record<string, number>>;
  /** Of the test authority's answers about certificates. */
  readonly status: number;
}

/** The ports of the sandbox contract, all moved by an offset. */
export function portsOf(offset: number): Ports {
  return {
    issuer: 8443 + offset,
    mtls: 8444 + offset,
    plain: 8445 + offset,
    operators: 8080 + offset,
    portal: 8084 + offset,
    management: 8086 + offset,
    onboarding: 8446 + offset,
    financroo: 8091 + offset,
    status: 9100 + offset,
    banks: Object.fromEntries(sandboxBanks.map((bank) => [bank.id, bank.corePort + offset])),
    consentStores: Object.fromEntries(
      sandboxBanks.flatMap(({ id, consentStorePort: port }) => (port === undefined ? [] : [[id, port + offset]])),
    ),
  };
}

const HIGHEST_OFFSET = 50_000;

/** The ports that PORTCULLIS_SANDBOX_PORT_OFFSET asks for. @throws Error when it is no offset */
export function ownPorts(environment: NodeJS.ProcessEnv = process.env): Ports {
  const text = environment.PORTCULLIS_SANDBOX_PORT_OFFSET ?? '0';
  const offset = Number(text);
  if (!/^\d+$/.test(text) || offset > HIGHEST_OFFSET) {
    throw new Error(`PORTCULLIS_SANDBOX_PORT_OFFSET is ${text}: write a number from 0 to ${HIGHEST_OFFSET}`);
  }
  return portsOf(offset);
}

/** Where everybody finds what the sandbox opens. */
export interface Addresses {
  readonly issuer: string;
  readonly mtls: string;
  readonly plain: string;
  readonly operators: string;
  readonly portal: string;
  readonly management: string;
  readonly onboarding: string;
  readonly financroo: string;
  /** Plain HTTP: what is answered there is signed, and TLS would need an answer from there first. */
  readonly status: string;
}

/** The addresses of given ports. */
export function addressesOf(ports: Ports): Addresses {
  return {
    issuer: `https://localhost:${ports.issuer}`,
    mtls: `https://localhost:${ports.mtls}`,
    plain: `https://localhost:${ports.plain}`,
    operators: `http://localhost:${ports.operators}`,
    portal: `https://localhost:${ports.portal}`,
    management: `https://localhost:${ports.management}`,
    onboarding: `https://localhost:${ports.onboarding}`,
    financroo: `https://localhost:${ports.financroo}`,
    status: `http://localhost:${ports.status}`,
  };
}

/** The port of a bank's core service. */
export function corePortOf(ports: Ports, bank: SandboxBank): number {
  const port = ports.banks[bank.id];
  if (port === undefined) throw new Error(`bank ${bank.id} has no port`);
  return port;
}

/** After this time the platform asks the authority again: so long at most a revoked certificate goes on by itself. */
export const revocationSeconds = 30;

/** Every start publishes the register anew; a sandbox that runs for longer than this registers nobody. */
const registerSeconds = 604_800;

/** How the banks ask the test authority, which is on this machine and nowhere else. */
const revocation = {
  hosts: ['localhost'],
  allowPrivateAddresses: true,
  ocspMaximumAgeSeconds: revocationSeconds,
  crlMaximumAgeSeconds: revocationSeconds,
} as const;

/** The platform's configuration file, as `node src/main.ts serve --config` reads it. */
export function platformConfiguration(ports: Ports, places: Places): Readonly<Record<string, unknown>> {
  const { issuer, mtls, plain, portal, management, onboarding } = addressesOf(ports);
  const server = {
    host: 'localhost',
    certificate: join(places.platform, 'server.pem'),
    key: join(places.platform, 'server.key'),
  };
  return {
    sandbox: true,
    doors: {
      issuer: { ...server, port: ports.issuer, origin: issuer },
      mtls: { ...server, port: ports.mtls, origin: mtls, clientCertificate: 'handshake' },
      plain: { ...server, port: ports.plain, origin: plain },
      portal: { ...server, port: ports.portal, origin: portal },
      management: { ...server, port: ports.management, origin: management },
      onboarding: { ...server, port: ports.onboarding, origin: onboarding },
      operators: { host: '127.0.0.1', port: ports.operators },
      control: places.control,
    },
    database: { directory: places.database },
    keys: { directory: places.keys },
    directory: {
      participants: places.directoryEntries,
      statementIssuer,
      statementKeys: join(places.authority, 'directory.jwks.json'),
    },
    banks: sandboxBanks.map((bank) => bankConfiguration(bank, ports, places)),
  };
}

function bankConfiguration(bank: SandboxBank, ports: Ports, places: Places): Readonly<Record<string, unknown>> {
  const { id, name, regime, profile, accessTokens, routesByScopeAlone, colour } = bank;
  return {
    id,
    name,
    regime,
    profile,
    accessTokens,
    ...(routesByScopeAlone === undefined ? {} : { routesByScopeAlone }),
    trust: { anchors: [join(places.authority, 'root.pem')], revocation },
    register: {
      country: 'XX',
      snapshot: { file: places.authorityRegister, format: 'plain', maximumAgeSeconds: registerSeconds },
    },
    connector: {
      origin: `https://localhost:${corePortOf(ports, bank)}`,
      certificate: join(places.platform, 'gateway.pem'),
      key: join(places.platform, 'gateway.key'),
      authorities: [join(places.authority, 'internal.pem')],
    },
    ...consentStoreConfiguration(bank, ports, places),
    // The directory is shared by all banks of this platform: one of them keeps it.
    management: { participant: coreParticipantOf(id), changesDirectory: id === directoryKeeper },
    testUsers: sandboxUsers.map((username) => ({ username, password: demoPassword })),
    brand: { colour },
    reportProblem: `mailto:help@${id}.example`,
  };
}

/** The bank's own consent store, asked at every call: while it is down, nothing is allowed (CLD-50). */
function consentStoreConfiguration(bank: SandboxBank, ports: Ports, places: Places) {
  const port = ports.consentStores[bank.id];
  if (port === undefined) return {};
  return {
    consentStore: {
      origin: `https://localhost:${port}`,
      certificate: join(places.platform, 'gateway.pem'),
      key: join(places.platform, 'gateway.key'),
      authorities: [join(places.authority, 'internal.pem')],
      callbackCertificate: storeFilesOf(places, bank.id).callback.certificate,
      maximumAgeSeconds: 0,
    },
  };
}
