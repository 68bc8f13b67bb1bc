import {
  type AccountPicture,
  parseAccounts,
  parseBalances,
  parseTransactions,
  type Transaction,
} from './account-data.ts';
import { askFor } from './bank-api.ts';
import type { BankClient } from './bank-client.ts';
import type { Log, Recorder } from './messages.ts';
import { PermissionEnded, Problem, sentenceOf } from './problem.ts';
import type { Connection, Store } from './store.ts';

/** What Financroo knows of a connection's accounts right now. In memory alone: only tokens are kept. */
export interface Picture {
  readonly accounts: readonly AccountPicture[];
  /** Undefined until everything was there once. */
  readonly takenAt: Date | undefined;
  /** Why the last attempt brought nothing. */
  readonly problem: string | undefined;
  /** How far an attempt under way has come. */
  readonly progress: { readonly done: number; readonly of: number } | undefined;
}

/** Pictures by connection. */
export interface Pictures {
  of(connection: Connection): Picture;
  /** Takes a new picture, transactions only where the balance has changed or `thorough` asks for them. */
  take(connection: Connection, client: BankClient, log: Log, thorough: boolean): Promise<void>;
  forget(connection: string): void;
}

/** What pictures are taken with. */
export interface PictureParts {
  readonly store: Store;
  readonly recorder: Recorder;
  readonly now: () => Date;
  /** The bank says that the permission has ended. */
  readonly ended: (connection: Connection) => Promise<void>;
}

const PAGE_SIZE = 500;
/** Two years of a busy account are two pages. */
const MOST_PAGES = 20;

const EMPTY: Picture = { accounts: [], takenAt: undefined, problem: undefined, progress: undefined };

/** An empty album. */
export function createPictures(parts: PictureParts): Pictures {
  const pictures = new Map<string, Picture>();
  const underWay = new Map<string, Promise<void>>();
  const of = (id: string) => pictures.get(id) ?? EMPTY;
  const set = (id: string, change: Partial<Picture>) => pictures.set(id, { ...of(id), ...change });

  const take = async (connection: Connection, client: BankClient, thorough: boolean): Promise<void> => {
    const { id } = connection;
    try {
      const accounts = await lookAt(connection, client, parts, of(id), thorough, (done, all) =>
        set(id, { progress: { done, of: all } }),
      );
      set(id, { accounts, takenAt: parts.now(), problem: undefined, progress: undefined });
    } catch (cause) {
      if (cause instanceof PermissionEnded) {
        pictures.delete(id);
        await parts.ended(connection);
      } else {
        const problem = cause instanceof Problem ? cause.message : sentenceOf(cause, client.bank.name);
        set(id, { problem, progress: undefined });
      }
    }
  };
  return {
    of: ({ id }) => of(id),
    forget: (id) => pictures.delete(id),
    take: (connection, client, log, thorough) => {
      const { id } = connection;
      const running = underWay.get(id);
      if (running !== undefined) return running;
      const work = parts.recorder
        .within(log, () => take(connection, client, thorough))
        .finally(() => underWay.delete(id));
      underWay.set(id, work);
      return work;
    },
  };
}

async function lookAt(
  connection: Connection,
  client: BankClient,
  { store, now }: PictureParts,
  last: Picture,
  thorough: boolean,
  tell: (done: number, of: number) => void,
): Promise<readonly AccountPicture[]> {
  const read = (path: string) => askFor(connection, client, store, { method: 'GET', path }, now());
  tell(0, 1);
  const accounts = parseAccounts(await read('/accounts'));
  const balances = parseBalances(await read('/balances'));
  const pictures: AccountPicture[] = [];
  for (const account of accounts) {
    tell(pictures.length, accounts.length);
    const balance = balances.get(account.id);
    const old = last.accounts.find((picture) => picture.account.id === account.id);
    const same = !thorough && old !== undefined && old.balance === balance;
    const transactions = same ? old.transactions : await allTransactions(account.id, read);
    pictures.push({ account, balance, transactions });
  }
  return pictures;
}

async function allTransactions(
  account: string,
  read: (path: string) => Promise<unknown>,
): Promise<readonly Transaction[]> {
  const found: Transaction[] = [];
  let pages = 1;
  for (let page = 1; page <= Math.min(pages, MOST_PAGES); page++) {
    const path = `/accounts/${encodeURIComponent(account)}/transactions?page=${page}&pageSize=${PAGE_SIZE}`;
    const answer = parseTransactions(await read(path));
    found.push(...answer.transactions);
    pages = answer.pages;
  }
  return found;
}
