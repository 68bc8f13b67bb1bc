import { hash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The directory of the project. */
export const projectDirectory = join(import.meta.dirname, '..');

/** Where everything the sandbox makes is kept; all of it goes with `npm run reset`. */
export interface Places {
  /** `var/`, or what PORTCULLIS_SANDBOX_DIRECTORY names. */
  readonly root: string;
  readonly sandbox: string;
  readonly authority: string;
  readonly participants: string;
  readonly platform: string;
  readonly banks: string;
  /** Financroo's server certificate, keys and sealed connections. */
  readonly financroo: string;
  readonly database: string;
  readonly keys: string;
  /** The platform's configuration. */
  readonly configuration: string;
  /** The directory's entries, which the platform imports at start. */
  readonly directoryEntries: string;
  /** What the competent authority publishes: who is authorised for what. */
  readonly authorityRegister: string;
  /** The socket by which commands reach the running platform. */
  readonly control: string;
  /** The process id of the running sandbox. */
  readonly processId: string;
}

/** The places below a directory. */
export function placesOf(root: string): Places {
  const sandbox = join(root, 'sandbox');
  return {
    root,
    sandbox,
    authority: join(sandbox, 'authority'),
    participants: join(sandbox, 'participants'),
    platform: join(sandbox, 'platform'),
    banks: join(sandbox, 'banks'),
    financroo: join(sandbox, 'financroo'),
    database: join(root, 'database'),
    keys: join(root, 'keys'),
    configuration: join(sandbox, 'portcullis.json'),
    directoryEntries: join(sandbox, 'participants.json'),
    authorityRegister: join(sandbox, 'authority', 'register.json'),
    control: socketOf(sandbox),
    processId: join(sandbox, 'start.pid'),
  };
}

/** Operating systems cut the path of a socket off after about a hundred octets. */
const LONGEST_SOCKET_PATH = 100;

function socketOf(sandbox: string): string {
  const path = join(sandbox, 'control.sock');
  if (Buffer.byteLength(path) <= LONGEST_SOCKET_PATH) return path;
  return join(tmpdir(), `portcullis-${hash('sha256', path, 'hex').slice(0, 16)}.sock`);
}

/** The places of this checkout, or of the directory the environment names. */
export function ownPlaces(environment: NodeJS.ProcessEnv = process.env): Places {
  return placesOf(resolve(environment.PORTCULLIS_SANDBOX_DIRECTORY ?? join(projectDirectory, 'var')));
}
