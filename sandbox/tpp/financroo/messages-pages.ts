import { type App, bankName } from './app.ts';
import { findOwn, notThere } from './connection-pages.ts';
import { problemPage } from './layout.ts';
import type { Log, Message } from './messages.ts';
import { messagesPage } from './messages-view.ts';
import type { Session } from './sessions.ts';
import type { Reply, Visit } from './visit.ts';

/** The messages of a connection, or of a flow that became none. */
export interface Hood {
  readonly id: string;
  /** The bank's id. */
  readonly bank: string;
  /** Discovery and registration, which all connections at this bank share. */
  readonly setup: readonly Message[];
  /** What belongs to this flow alone. */
  readonly own: Log;
}

/** The messages behind an id, if it is this user's; another's is as if it did not exist. */
export function findHood(app: App, session: Session, id: string): Hood | undefined {
  const kept = app.logs.find(id, session.user);
  const bank = findOwn(app, session, id)?.bank ?? kept?.bank;
  if (bank === undefined) return undefined;
  return { id, bank, setup: app.clientOf(bank)?.log ?? [], own: kept?.log ?? [] };
}

/** `GET /connections/{id}/messages`: under the hood, of connections and of flows that became none. */
export function showMessages(app: App, visit: Visit, session: Session, id: string): Reply {
  const hood = findHood(app, session, id);
  if (hood === undefined) return notThere(app, session);
  const name = bankName(app, hood.bank);
  const log = [...hood.setup, ...hood.own];
  const title = `Under the hood: ${name}`;
  const records = recordsAt(app, hood.bank, `/connections/${id}/record`);
  return messagesPage(app, visit, session, { title, bank: name, log, connection: id, records });
}

/** `GET /banks/{id}/messages`: discovery and registration. */
export function showBankMessages(app: App, visit: Visit, session: Session, id: string): Reply {
  const client = app.clientOf(id);
  if (client === undefined) return problemPage(app, session, 404, 'Unknown bank', 'Financroo does not know this bank.');
  const { name } = client.bank;
  const title = `Under the hood: registration at ${name}`;
  const records = recordsAt(app, id, `/banks/${id}/record`);
  return messagesPage(app, visit, session, { title, bank: name, log: client.log, records });
}

function recordsAt(app: App, bank: string, path: string): string | undefined {
  return app.trail?.has(bank) === true ? path : undefined;
}

/** `GET /connections/{id}/export`: the messages of the page as a file. They were blanked before they were kept, so there is nothing to leave out here. */
export function exportMessages(app: App, _visit: Visit, session: Session, id: string): Reply {
  const hood = findHood(app, session, id);
  if (hood === undefined) return notThere(app, session);
  const messages = [...hood.setup, ...hood.own].map((message, index) => ({ number: index + 1, ...message }));
  const secrets = 'left out: ‹…› stands in their place';
  const certificates = app.recorder.certificatesOf(messages);
  const told = { bank: bankName(app, hood.bank), exportedAt: app.now().toISOString(), secrets, certificates, messages };
  return {
    status: 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': `attachment; filename="financroo-${hood.bank}-messages.json"`,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    },
    body: `${JSON.stringify(told, undefined, 2)}\n`,
  };
}
