import { type Configuration, enableNonRepudiationChecks } from 'openid-client';
import type { Places } from '../../places.ts';
import type { Registration } from '../registrations.ts';
import type { ThirdParty } from '../third-party.ts';
import type { Bank } from './bank-list.ts';
import { findClient, forgetClient } from './known-client.ts';
import type { Log, Recorder } from './messages.ts';
import { Problem, sentenceOf } from './problem.ts';

/** Whether a bank can be used now. */
export type Readiness =
  | { readonly state: 'starting' }
  | { readonly state: 'ready'; readonly clientId: string; readonly note: string | undefined }
  | { readonly state: 'not ready'; readonly problem: string; readonly nextTry: Date };

/** Financroo as a client of one bank. */
export interface BankClient {
  readonly bank: Bank;
  /** Discovery and registration. */
  readonly log: Log;
  readiness(): Readiness;
  /** The first attempt is over, however it ended. */
  readonly tried: Promise<void>;
  /** What openid-client needs for every call. @throws Problem while the bank is not ready */
  configuration(): Configuration;
  /** Asks the bank whether it still knows the client, and registers again if not. True when it did. @throws Problem */
  registerIfForgotten(): Promise<boolean>;
  /** Gives the registration back, and registers anew. @throws Problem */
  registerAgain(): Promise<void>;
  close(): void;
}

/** What a bank's client is made of. */
export interface BankClientParts {
  readonly bank: Bank;
  readonly places: Places;
  readonly party: ThirdParty;
  readonly recorder: Recorder;
  readonly redirectUri: string;
  /** Says something to whoever started Financroo. */
  readonly say: (line: string) => void;
  readonly now: () => Date;
}

interface Ready {
  readonly configuration: Configuration;
  readonly registration: Registration;
}

/** A bank that is down is asked again after one second, then two, four, … but every minute at least. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** Begins at once: a bank that is down does not keep Financroo from starting (CLD-17). */
export function openBankClient(parts: BankClientParts): BankClient {
  const { bank, recorder, say, now } = parts;
  const log: Log = [];
  let readiness: Readiness = { state: 'starting' };
  let ready: Ready | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const attempt = async (delay: number): Promise<void> => {
    try {
      const { note, ...made } = await recorder.within(log, () => prepare(parts, log));
      ready = made;
      readiness = { state: 'ready', clientId: made.registration.client_id, note };
      if (note !== undefined) say(`Financroo: ${note}`);
    } catch (cause) {
      ready = undefined;
      readiness = {
        state: 'not ready',
        problem: sentenceOf(cause, bank.name),
        nextTry: new Date(now().getTime() + delay),
      };
      if (closed) return;
      timer = setTimeout(() => void attempt(Math.min(delay * 2, LONGEST_RETRY_MS)), delay).unref();
    }
  };
  const tried = attempt(FIRST_RETRY_MS);
  const again = async (): Promise<void> => {
    clearTimeout(timer);
    await attempt(FIRST_RETRY_MS);
    if (readiness.state === 'not ready') throw new Problem(readiness.problem);
  };
  return {
    bank,
    log,
    tried,
    readiness: () => readiness,
    configuration: () => {
      if (ready === undefined) throw new Problem(unready(bank, readiness));
      return ready.configuration;
    },
    registerIfForgotten: async () => {
      const before = ready?.registration.client_id;
      if (!bank.enableDcr) return false;
      await again();
      return ready?.registration.client_id !== before;
    },
    registerAgain: async () => {
      if (ready !== undefined) await forgetClient(ready.registration, parts, log);
      await again();
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

function unready(bank: Bank, readiness: Readiness): string {
  return readiness.state === 'not ready'
    ? readiness.problem
    : `${bank.name} is being contacted; try again in a moment.`;
}

/** A known client, or a new one, and what the bank says about itself. */
async function prepare(parts: BankClientParts, log: Log): Promise<Ready & { note: string | undefined }> {
  const { bank, party } = parts;
  const known = await findClient(parts, log);
  const registration = known.registration ?? (await party.register(bank.id, bank.issuer, 'private_key_jwt'));
  const configuration = await party.configure(bank.issuer, registration);
  checkAddresses(configuration, bank);
  // Not only what came over TLS is believed: the ID token's signature is checked with the bank's published keys.
  enableNonRepudiationChecks(configuration);
  const note = 'announced' in known ? `${known.announced} ${bank.name}, as ${registration.client_id}` : undefined;
  return { configuration, registration, note };
}

/** Certificate and tokens go to the addresses of the list alone, whatever a discovery document says (CLD-15). */
function checkAddresses(configuration: Configuration, bank: Bank): void {
  const aliases = configuration.serverMetadata().mtls_endpoint_aliases;
  for (const name of ['token_endpoint', 'pushed_authorization_request_endpoint', 'introspection_endpoint'] as const) {
    const address = aliases?.[name];
    if (typeof address !== 'string' || !address.startsWith(`${bank.mtlsBase}/`)) {
      throw new Problem(
        `${bank.name} names no ${name} at ${bank.mtlsBase}: see mtls_endpoint_aliases in its discovery.`,
      );
    }
  }
}
