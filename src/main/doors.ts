import { IncomingMessage, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { DoorKind } from '../authorization/index.ts';
import { isAnswering } from '../platform/database.ts';
import { type Door, type DoorOptions, openDoor } from '../platform/door.ts';
import { healthHandler } from '../platform/health.ts';
import type { Log } from '../platform/log.ts';
import { isMigrated } from '../platform/migrate.ts';
import { type CertificateVerdict, checkServerCertificate } from '../trust/index.ts';
import { callbackSchemeIds } from './consent-stores.ts';
import { openControl } from './control.ts';
import { handshakeRefused, peerRefused } from './events.ts';
import { onboardingHandler } from './onboarding.ts';
import type { Rooms } from './rooms.ts';
import { answerError, type Edges, route } from './router.ts';
import type { Settings } from './settings.ts';

/** What the doors are joined to. */
interface DoorParts {
  readonly settings: Settings;
  readonly rooms: Rooms;
  readonly log: Log;
  readonly edges: Edges;
}

type Opener = (parts: DoorParts) => Promise<Door | undefined>;

const OPENERS: Readonly<Record<string, Opener>> = {
  issuer: (parts) => openBrowserDoor('issuer', parts),
  mtls: openMtls,
  plain: (parts) => openBrowserDoor('plain', parts),
  management: openManagementDoor,
  portal: openPortalDoor,
  onboarding: openOnboardingDoor,
  control: async ({ settings, rooms }) =>
    settings.doors.control === undefined ? undefined : openControl(settings.doors.control, rooms, settings),
  // Last: what it calls ready is open.
  operators: openOperators,
};

/** Opens every door the settings name and joins it to the edges; closes those that opened when one cannot. */
export async function openDoors(
  settings: Settings,
  rooms: Rooms,
  log: Log,
  edges: Edges,
): Promise<ReadonlyMap<string, Door>> {
  const doors = new Map<string, Door>();
  try {
    for (const [name, open] of Object.entries(OPENERS)) {
      const door = await open({ settings, rooms, log, edges });
      if (door !== undefined) doors.set(name, door);
    }
  } catch (cause) {
    await Promise.all([...doors.values()].map((door) => door.close()));
    throw cause;
  }
  return doors;
}

function openOperators({ settings, rooms }: DoorParts): Promise<Door> {
  const { host, port } = settings.doors.operators;
  return openDoor({
    name: 'operators',
    host,
    port,
    authorities: ['localhost', '127.0.0.1', '[::1]'].map((name) => `${name}:${port}`),
    handler: healthHandler({ checks: readiness(settings, rooms), metrics: rooms.metrics }),
  });
}

async function openBrowserDoor(kind: 'issuer' | 'plain', parts: DoorParts): Promise<Door | undefined> {
  const door = parts.settings.doors[kind];
  if (door === undefined) return undefined;
  return openFollowed(kind, door, parts, (listener) => ({ ...listener, handler: handlerOf(kind, parts) }));
}

async function openMtls(parts: DoorParts): Promise<Door> {
  const { settings, rooms } = parts;
  const { mtls } = settings.doors;
  const handle = handlerOf('mtls', parts);
  return openFollowed('mtls', mtls, parts, (listener) => ({
    ...listener,
    tls: { ...listener.tls, clientCertificate: mtls.clientCertificate, acceptPeer: acceptPeer(settings, rooms) },
    handler: (request, response) => {
      rooms.behindProxy(request);
      return handle(request, response);
    },
    onRefusedHandshake: (refused) => rooms.audit.enqueue(handshakeRefused(refused)),
  }));
}

/** Services of the bank are told what is wrong with their certificate: the handshake succeeds, the request is refused. */
async function openManagementDoor(parts: DoorParts): Promise<Door | undefined> {
  const { management: door } = parts.settings.doors;
  const { management } = parts.edges;
  if (door === undefined || management === undefined) return undefined;
  return openFollowed('management', door, parts, (listener) => ({
    ...listener,
    tls: { ...listener.tls, clientCertificate: 'request' },
    handler: (request, response) => management.handle(request, response),
  }));
}

async function openPortalDoor(parts: DoorParts): Promise<Door | undefined> {
  const { portal: door } = parts.settings.doors;
  const { portal } = parts.edges;
  if (door === undefined || portal === undefined) return undefined;
  return openFollowed('portal', door, parts, (listener) => ({
    ...listener,
    handler: (request, response) => portal.handle(request, response),
  }));
}

async function openOnboardingDoor(parts: DoorParts): Promise<Door | undefined> {
  const { onboarding: door } = parts.settings.doors;
  if (door === undefined) return undefined;
  return openFollowed('onboarding', door, parts, (listener) => ({
    ...listener,
    tls: { ...listener.tls, clientCertificate: 'request' },
    handler: onboardingHandler(parts.settings, parts.rooms),
  }));
}

type TlsDoor = Settings['doors']['issuer'] | Settings['doors']['mtls'];

/** Opens a door and gives it every later content of its certificate's and key's files. */
async function openFollowed(
  name: string,
  door: TlsDoor,
  { rooms: { reloads, clock } }: DoorParts,
  optionsOf: (listener: Listener) => DoorOptions,
): Promise<Door> {
  const paths = [door.certificate, door.key];
  const followed = await reloads.follow({ kind: 'certificate', name: `certificate of door ${name}`, paths });
  const open = await openDoor(optionsOf({ ...listenerOf(name, door), tls: tlsOf(followed.contents) }));
  followed.whenChanged((contents) => {
    const { certificate, key } = tlsOf(contents);
    checkServerCertificate({ certificate, key }, clock.now());
    open.replaceCertificate({ certificate, key });
  });
  return open;
}

type Listener = ReturnType<typeof listenerOf> & { readonly tls: ReturnType<typeof tlsOf> };

function listenerOf(name: string, door: TlsDoor) {
  return { name, host: door.host, port: door.port, authorities: [new URL(door.origin).host] };
}

function tlsOf([certificate = '', key = '']: readonly string[]) {
  return { certificate, key, clientCertificate: 'none' as const };
}

function handlerOf(kind: DoorKind, { edges, log }: DoorParts) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    const fail = (cause: unknown): void => {
      log.error({ cause }, 'a request failed');
      if (response.headersSent) response.destroy();
      else answerError(response, 500, 'internal_error', 'something went wrong here; the trace id finds it in our log');
    };
    try {
      route(edges, kind, request, response)?.catch(fail);
    } catch (cause) {
      fail(cause);
    }
  };
}

interface Refused {
  readonly scheme: string;
  readonly verdict: Extract<CertificateVerdict, { ok: false }>;
}

/** In handshake mode a certificate that no bank here trusts, and no bank's own consent store has, ends the handshake (LAB-41); each request is judged anew all the same. */
function acceptPeer(settings: Settings, rooms: Rooms) {
  const banks = settings.banks.map(
    ({ id, trust }) => [id, trust.readsWithoutRevocation === true ? 'soft' : 'strict'] as const,
  );
  const schemes = [...banks, ...callbackSchemeIds(settings).map((id) => [id, 'strict'] as const)];
  return async (socket: TLSSocket): Promise<boolean> => {
    let nearest: Refused | undefined;
    // Trust reads the chain, once: Node gives the intermediate certificates to the first reader alone.
    const request = new IncomingMessage(socket);
    for (const [scheme, revocation] of schemes) {
      const verdict = await rooms.trust.clientCertificate(request, scheme, { revocation });
      if (verdict.ok) return true;
      // Of several banks the one that knows the issuer has most to say.
      if (nearest === undefined || nearest.verdict.detail === 'issuer_unknown') nearest = { scheme, verdict };
    }
    if (nearest !== undefined) rooms.audit.enqueue(peerRefused(nearest.scheme, socket.remoteAddress, nearest.verdict));
    return false;
  };
}

function readiness(settings: Settings, rooms: Rooms): ReadonlyMap<string, () => Promise<boolean>> {
  return new Map<string, () => Promise<boolean>>([
    ['database', () => isAnswering(rooms.database)],
    ['migrations', () => isMigrated(rooms.database, rooms.migrations)],
    [
      'keys',
      async () => {
        const rings = await Promise.all(settings.banks.map((bank) => rooms.vault.keyring(bank.id)));
        return rings.every((ring) => ring.privateKeys.length > 0);
      },
    ],
    [
      'audit',
      async () => {
        rooms.audit.checkWritable();
        return true;
      },
    ],
  ]);
}
