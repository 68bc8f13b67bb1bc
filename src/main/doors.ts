import { readFile } from 'node:fs/promises';
import { IncomingMessage, type ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { DoorKind } from '../authorization/index.ts';
import { type Door, openDoor } from '../platform/door.ts';
import { healthHandler } from '../platform/health.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { isMigrated } from '../platform/migrate.ts';
import { openControl } from './control.ts';
import { handshakeRefused } from './events.ts';
import type { Rooms } from './rooms.ts';
import { answerError, type Edges, route } from './router.ts';
import type { Settings } from './settings.ts';

/** Opens every door the settings name and joins it to the edges; closes those that opened when one cannot. */
export async function openDoors(
  settings: Settings,
  rooms: Rooms,
  log: Log,
  metrics: Metrics,
  parts: Edges,
): Promise<ReadonlyMap<string, Door>> {
  const { issuer, mtls, plain, operators, control } = settings.doors;
  const doors = new Map<string, Door>();
  const tls = async (door: { readonly certificate: string; readonly key: string }) => ({
    certificate: await readFile(door.certificate, 'utf8'),
    key: await readFile(door.key, 'utf8'),
  });
  const handlerOf = (kind: DoorKind) => (request: IncomingMessage, response: ServerResponse) => {
    route(parts, kind, request, response).catch((cause: unknown) => {
      log.error({ cause }, 'a request failed');
      if (response.headersSent) response.destroy();
      else answerError(response, 500, 'internal_error', 'something went wrong here; the trace id finds it in our log');
    });
  };
  const authorityOf = (origin: string) => new URL(origin).host;
  try {
    doors.set(
      'operators',
      await openDoor({
        name: 'operators',
        host: operators.host,
        port: operators.port,
        authorities: ['localhost', '127.0.0.1', '[::1]'].map((host) => `${host}:${operators.port}`),
        handler: healthHandler({ checks: readiness(settings, rooms), metrics }),
      }),
    );
    doors.set(
      'issuer',
      await openDoor({
        name: 'issuer',
        host: issuer.host,
        port: issuer.port,
        authorities: [authorityOf(issuer.origin)],
        tls: { ...(await tls(issuer)), clientCertificate: 'none' },
        handler: handlerOf('issuer'),
      }),
    );
    doors.set(
      'mtls',
      await openDoor({
        name: 'mtls',
        host: mtls.host,
        port: mtls.port,
        authorities: [authorityOf(mtls.origin)],
        tls: {
          ...(await tls(mtls)),
          clientCertificate: mtls.clientCertificate,
          acceptPeer: acceptPeer(settings, rooms),
        },
        handler: handlerOf('mtls'),
        onRefusedHandshake: (refused) => rooms.audit.enqueue(handshakeRefused(refused)),
      }),
    );
    if (plain !== undefined) {
      doors.set(
        'plain',
        await openDoor({
          name: 'plain',
          host: plain.host,
          port: plain.port,
          authorities: [authorityOf(plain.origin)],
          tls: { ...(await tls(plain)), clientCertificate: 'none' },
          handler: handlerOf('plain'),
        }),
      );
    }
    if (control !== undefined) doors.set('control', await openControl(control, rooms, settings));
  } catch (cause) {
    await Promise.all([...doors.values()].map((door) => door.close()));
    throw cause;
  }
  return doors;
}

/** In handshake mode a certificate that no bank here trusts ends the handshake (LAB-41); each request is judged anew all the same. */
function acceptPeer(settings: Settings, rooms: Rooms) {
  return async (socket: TLSSocket): Promise<boolean> => {
    // Trust reads the chain, once: Node gives the intermediate certificates to the first reader alone.
    const request = new IncomingMessage(socket);
    for (const bank of settings.banks) if ((await rooms.trust.clientCertificate(request, bank.id)).ok) return true;
    return false;
  };
}

function readiness(settings: Settings, rooms: Rooms): ReadonlyMap<string, () => Promise<boolean>> {
  return new Map<string, () => Promise<boolean>>([
    ['database', async () => (await rooms.database.query('SELECT 1')).length === 1],
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
