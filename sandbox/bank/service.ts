import type { IncomingMessage } from 'node:http';
import {
  accountBalances,
  allBalances,
  describe,
  listAccounts,
  listTransactions,
  showAccount,
} from './account-information.ts';
import type { Books } from './books.ts';
import type { FactsReader } from './facts.ts';
import { confirmFunds } from './funds-confirmation.ts';
import { parseAmount } from './money.ts';
import type { PasswordBook } from './passwords.ts';
import { notFound, Problem } from './problem.ts';
import { readFields, readQuery } from './request.ts';

/** What a bank's core service works with. */
export interface BankService {
  readonly books: Books;
  readonly passwords: PasswordBook;
  readonly readFacts: FactsReader;
  readonly now: () => Date;
}

/** A request, taken apart. */
interface Asked {
  readonly request: IncomingMessage;
  readonly query: URLSearchParams;
  /** The segments that stand for `*` in the route. */
  readonly names: readonly string[];
}

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly answer: (service: BankService, asked: Asked) => unknown;
}

/** Longest id or path segment, in characters. */
const SEGMENT_LIMIT = 128;

/** Every route: first those of the third parties' data, which need the platform's statement, then the connector's own. */
const routes: readonly Route[] = [
  {
    method: 'GET',
    path: '/accounts',
    answer: async (service, { request, query }) => listAccounts(await factsOf(service, request), service.books, query),
  },
  {
    method: 'GET',
    path: '/accounts/*',
    answer: async (service, { request, query, names: [id = ''] }) =>
      showAccount(await factsOf(service, request), service.books, query, id),
  },
  {
    method: 'GET',
    path: '/accounts/*/balances',
    answer: async (service, { request, query, names: [id = ''] }) =>
      accountBalances(await factsOf(service, request), service.books, query, id, service.now()),
  },
  {
    method: 'GET',
    path: '/accounts/*/transactions',
    answer: async (service, { request, query, names: [id = ''] }) =>
      listTransactions(await factsOf(service, request), service.books, query, id),
  },
  {
    method: 'GET',
    path: '/balances',
    answer: async (service, { request, query }) =>
      allBalances(await factsOf(service, request), service.books, query, service.now()),
  },
  {
    method: 'POST',
    path: '/accounts/*/funds-confirmations',
    answer: async (service, { request, query, names: [id = ''] }) =>
      confirmFunds(await factsOf(service, request), service.books, query, id, request),
  },
  { method: 'POST', path: '/payments', answer: pay },
  { method: 'POST', path: '/sign-in', answer: signIn },
  { method: 'GET', path: '/customers/*/accounts', answer: customerAccounts },
  { method: 'GET', path: '/customers/*/accounts/*/number', answer: accountNumber },
];

/** Answers a request. @throws Problem for everything the caller did wrong */
export async function answerBank(service: BankService, request: IncomingMessage): Promise<unknown> {
  const url = URL.parse(request.url ?? '', 'https://bank.invalid');
  if (url === null || !request.url?.startsWith('/')) throw notFound();
  const segments = segmentsOf(url.pathname);
  const candidates = routes.flatMap((route) => {
    const names = match(route.path, segments);
    return names === undefined ? [] : [{ route, names }];
  });
  if (candidates.length === 0) throw notFound();
  const found = candidates.find(({ route }) => route.method === request.method);
  if (found === undefined) throw new Problem(405, 'method_not_allowed', 'Not with this method.');
  return found.route.answer(service, { request, query: url.searchParams, names: found.names });
}

function segmentsOf(path: string): readonly string[] {
  try {
    return path.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw notFound();
  }
}

/** What stands for the `*` of a route; undefined when the path is another one. */
function match(path: string, segments: readonly string[]): readonly string[] | undefined {
  const expected = path.slice(1).split('/');
  if (expected.length !== segments.length) return undefined;
  const fits = expected.every((part, index) => part === '*' || part === segments[index]);
  const names = segments.filter((_, index) => expected[index] === '*');
  return fits && names.every((name) => name !== '' && name.length <= SEGMENT_LIMIT) ? names : undefined;
}

function factsOf(service: BankService, request: IncomingMessage) {
  return service.readFacts(request.headers['portcullis-facts']);
}

/** Pays from an account that is the customer's and that the customer agreed to. */
async function pay(service: BankService, { request, query }: Asked): Promise<unknown> {
  const facts = await factsOf(service, request);
  readQuery(query, []);
  const fields = await readFields(request, ['account', 'amount']);
  const amount = parseAmount(fields.get('amount'));
  if (amount === undefined) {
    throw new Problem(400, 'field_invalid', 'The field "amount" is no positive amount with two decimals at most.');
  }
  if (facts.customer === undefined) throw new Problem(403, 'customer_missing', 'The statement names no customer.');
  const account = service.books
    .accountsOf(facts.customer)
    .find(({ id, number }) => number === fields.get('account') && facts.accounts.includes(id));
  if (account === undefined) throw notFound();
  const booked = await service.books.pay(account, amount);
  return booked === undefined
    ? { status: 'DECLINED', reason: 'insufficient funds' }
    : { status: 'APPROVED', payment: booked.id };
}

/** One answer for every wrong combination: nobody learns which part was wrong (CLD-24). */
async function signIn(service: BankService, { request, query }: Asked): Promise<unknown> {
  readQuery(query, []);
  const fields = await readFields(request, ['username', 'password']);
  const [username, password] = [fields.get('username'), fields.get('password')];
  if (typeof username !== 'string' || typeof password !== 'string') {
    throw new Problem(400, 'field_invalid', 'Both fields are texts.');
  }
  const matches = await service.passwords.matches(username, password);
  const person = service.books.people.find((candidate) => candidate.username === username);
  if (!matches || person === undefined) throw new Problem(401, 'sign_in_refused', 'User name or password is wrong.');
  return { id: person.id, name: person.name };
}

/** The accounts of the customer in the path, of nobody else and of no default one (N-213, N-237). */
function customerAccounts(service: BankService, { query, names: [customer = ''] }: Asked): unknown {
  readQuery(query, []);
  if (!service.books.people.some((person) => person.id === customer)) throw notFound();
  return { accounts: service.books.accountsOf(customer).map(describe) };
}

function accountNumber(service: BankService, { query, names: [customer = '', id = ''] }: Asked): unknown {
  readQuery(query, []);
  const account = service.books.accountsOf(customer).find((candidate) => candidate.id === id);
  if (account === undefined) throw notFound();
  return { number: account.number };
}
