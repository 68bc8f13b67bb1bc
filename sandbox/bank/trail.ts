import { clientCredentialsGrant } from 'openid-client';
import { coreParticipantOf } from '../authority/participants.ts';
import type { Places } from '../places.ts';
import type { Registration } from '../tpp/registrations.ts';
import { openThirdParty, type ThirdParty } from '../tpp/third-party.ts';

/** A record of a bank's audit trail, as its management API gives it. */
export interface TrailRecord {
  readonly at: string;
  readonly family: string;
  /** What happened, as `noun.verb`. */
  readonly action: string;
  readonly outcome: string;
  readonly reason: string | undefined;
  readonly detail: string | undefined;
  readonly participant: string | undefined;
  readonly client: string | undefined;
  readonly consent: string | undefined;
  readonly facts: ReadonlyMap<string, unknown>;
  /** The record's place in its chain, and the hash that the next one is built on. */
  readonly chain: string;
  readonly sequence: number;
  readonly hash: string;
}

/** What the banks of the sandbox noted: read by their own services, never by a third party. */
export interface BankTrail {
  /** True for a bank of this sandbox. */
  has(bank: string): boolean;
  /** What a bank noted of the message with this `x-fapi-interaction-id`, the first first. @throws Error when it cannot be asked */
  recordsOf(bank: string, interaction: string): Promise<readonly TrailRecord[]>;
  close(): Promise<void>;
}

/** Where the banks are. */
export interface TrailOptions {
  readonly places: Places;
  readonly banks: readonly string[];
  readonly issuer: string;
  readonly management: string;
}

/** More records than any one message causes. */
const MOST_RECORDS = 50;
/** The one scope there is for reading, so that the client can change nothing. */
const SCOPE = 'management.audit';

/** The trails of all banks of a sandbox; nothing is asked, and no client registered, before somebody wants to see a record. */
export function openBankTrail({ places, banks, issuer, management }: TrailOptions): BankTrail {
  const services = new Map<string, Promise<ThirdParty>>();
  const serviceOf = (bank: string) => {
    const open = services.get(bank) ?? openThirdParty(places, coreParticipantOf(bank), () => undefined);
    services.set(bank, open);
    // What could not be opened now may be later.
    open.catch(() => services.delete(bank));
    return open;
  };
  const clients = new Map<string, Promise<Registration>>();
  /** Who asks at the same time shares one registration; it is looked for again later. */
  const clientOf = (service: ThirdParty, bank: string, address: string) => {
    const found = clients.get(bank) ?? findClient(service, bank, address).finally(() => clients.delete(bank));
    clients.set(bank, found);
    return found;
  };
  return {
    has: (bank) => banks.includes(bank),
    recordsOf: async (bank, interaction) => {
      if (!banks.includes(bank)) throw new Error(`${bank} is no bank of this sandbox`);
      const service = await serviceOf(bank);
      const address = `${issuer}/${bank}`;
      const configuration = await service.configure(address, await clientOf(service, bank, address));
      const { access_token: token } = await clientCredentialsGrant(configuration, { scope: SCOPE });
      const query = new URLSearchParams({ interaction, limit: String(MOST_RECORDS) });
      const { status, responseBody } = await service.wire.send(`${management}/${bank}/audit?${query}`, {
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      });
      if (status !== 200) throw new Error(`the management API of ${bank} answered ${status}`);
      return recordsIn(responseBody).toReversed();
    },
    close: async () => {
      await Promise.allSettled([...services.values()].map(async (service) => (await service).close()));
    },
  };
}

/** The bank's own client; it is no third party's, customers are never sent to it. */
async function findClient(service: ThirdParty, bank: string, issuer: string): Promise<Registration> {
  const kept = await service.findRegistration(bank);
  return kept ?? service.register(bank, issuer, 'private_key_jwt', ['client_credentials']);
}

function recordsIn(body: string): readonly TrailRecord[] {
  const value: unknown = JSON.parse(body);
  const { records } = { records: undefined, ...(typeof value === 'object' ? value : {}) };
  const list: readonly unknown[] = Array.isArray(records) ? records : [];
  return list.map((record) => recordOf(new Map<string, unknown>(Object.entries(record ?? {}))));
}

function recordOf(fields: ReadonlyMap<string, unknown>): TrailRecord {
  const text = (name: string) => {
    const value = fields.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    ...{ at: text('at') ?? '', family: text('family') ?? '', action: text('action') ?? '' },
    ...{ outcome: text('outcome') ?? '', reason: text('reason'), detail: text('detail') },
    ...{ participant: text('participant'), client: text('client'), consent: text('consent') },
    facts: new Map<string, unknown>(Object.entries(fields.get('facts') ?? {})),
    ...{ chain: text('chain') ?? '', sequence: Number(fields.get('sequence')), hash: text('hash') ?? '' },
  };
}
