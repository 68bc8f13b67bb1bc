import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { demoParticipant } from '../../authority/participants.ts';
import type { BankTrail } from '../../bank/trail.ts';
import { type Places, projectDirectory } from '../../places.ts';
import { openThirdParty } from '../third-party.ts';
import type { App } from './app.ts';
import { type BankClient, openBankClient } from './bank-client.ts';
import type { Bank } from './bank-list.ts';
import { openConnections } from './connections.ts';
import { createExperimenter } from './experiments.ts';
import { createLogs } from './logs.ts';
import { createRecorder } from './messages.ts';
import { createPictures } from './pictures.ts';
import { openKeys } from './seal.ts';
import { openServer } from './server.ts';
import { createSessions } from './sessions.ts';
import { openSignatureChecker } from './signature-keys.ts';
import { openStore } from './store.ts';

/** What Financroo needs to open. */
export interface FinancrooOptions {
  readonly places: Places;
  readonly port: number;
  readonly banks: readonly Bank[];
  /** Says something to whoever started it. */
  readonly say: (line: string) => void;
  readonly now?: () => Date;
  /** In the sandbox: what the banks noted. A third party elsewhere has nothing of the kind. */
  readonly trail?: BankTrail;
}

/** An open Financroo. */
export interface Financroo {
  readonly origin: string;
  /** Every bank was tried once, whether it answered or not. */
  readonly tried: Promise<void>;
  close(): Promise<void>;
}

/** Opens Financroo: keys and store, a client at each bank, the pages. Banks that are down do not keep it from opening. */
export async function openFinancroo(options: FinancrooOptions): Promise<Financroo> {
  const { places, port, banks, say, now = () => new Date(), trail } = options;
  const origin = `https://localhost:${port}`;
  const redirectUri = `${origin}/callback`;
  const keys = await openKeys(join(places.financroo, 'keys.json'));
  const store = await openStore(join(places.financroo, 'connections.sealed'), keys);
  const { authority, identityPaths } = pathsIn(places);
  const checker = await openSignatureChecker(places, (issuer) => jwksUriOf([...clients.values()], issuer));
  const recorder = createRecorder({ authority, identity: identityPaths(demoParticipant) }, now, checker.check);
  const party = await openThirdParty(places, demoParticipant, recorder.listen);
  const clients = new Map<string, BankClient>(
    banks.map((bank) => [bank.id, openBankClient({ bank, places, party, recorder, redirectUri, say, now })]),
  );
  const clientOf = (bank: string) => clients.get(bank);
  const logs = createLogs();
  const connections = openConnections({ store, clientOf, recorder, logs, now });
  const pictures = createPictures({ store, recorder, now, ended: connections.end });
  const app: App = {
    ...{ origin, redirectUri, banks, clientOf, store, connections, logs, pictures, recorder, now, trail },
    experiment: createExperimenter({ places, participant: demoParticipant, recorder, redirectUri, identityPaths }),
    sessions: createSessions(keys, now),
  };
  const [certificate, key] = await Promise.all([
    readFile(join(places.financroo, 'server.pem'), 'utf8'),
    readFile(join(places.financroo, 'server.key'), 'utf8'),
  ]);
  const closeServer = await openServer(app, { host: 'localhost', port, certificate, key });
  return {
    origin,
    tried: Promise.all([...clients.values()].map(({ tried }) => tried)).then(() => undefined),
    close: async () => {
      for (const client of clients.values()) client.close();
      connections.close();
      await closeServer();
      await Promise.all([party.close(), checker.close(), trail?.close()]);
    },
  };
}

/** Where the bank with this issuer says its keys are. */
function jwksUriOf(clients: readonly BankClient[], issuer: string): string | undefined {
  const client = clients.find(({ bank }) => bank.issuer === issuer);
  return client?.readiness().state === 'ready' ? client.configuration().serverMetadata().jwks_uri : undefined;
}

/** The files that a copied command names, from the project's directory. */
function pathsIn(places: Places) {
  const here = (...parts: readonly string[]) => relative(projectDirectory, join(...parts));
  return {
    authority: here(places.authority, 'root.pem'),
    identityPaths: (participant: string) => {
      const transport = here(places.participants, participant, 'transport');
      return { certificate: `${transport}.pem`, key: `${transport}.key` };
    },
  };
}
