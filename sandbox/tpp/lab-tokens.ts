import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { defaultRedirectUri } from '../authority/participants.ts';
import { demoPassword } from '../bank/passwords.ts';
import type { Bench, Door } from './bench.ts';
import { membersOf } from './outcome.ts';
import { createBrowser, formWith } from './pages.ts';
import type { Exchange } from './wire.ts';

/** What the matrix works with. */
export interface LabTokens {
  /** Of the machine client: application token with `payments.create`. */
  readonly machine: string;
  /** Of the customer: user token with `accounts`. */
  readonly customer: string;
  /** Stands for one of the customer's account numbers. */
  readonly vault: string;
  /** An account of the other customer. */
  readonly foreignAccount: string;
}

/** The lab's token request (LAB-24); `changes` make it wrong. */
export function machineToken(
  bench: Bench,
  changes: Readonly<Record<string, string | undefined>> = {},
  door: Door = 'plain',
): Promise<Exchange | undefined> {
  const { client_id, client_secret } = bench.machine;
  const fields = { grant_type: 'client_credentials', client_id, client_secret, scope: 'payments.create', ...changes };
  const present = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return bench.token(door, Object.fromEntries(present));
}

/** Gets one token of each kind and a vault token. @throws Error when the lab cannot begin */
export async function collectTokens(bench: Bench): Promise<LabTokens> {
  const machine = required(membersOf(await machineToken(bench)).access_token, 'the machine client got no token');
  bench.hide('TPP_TOKEN', machine);
  const customer = await customerToken(bench, 'user', 'CUSTOMER_TOKEN');
  const account = await richestAccount(bench, customer);
  const tokenized = await bench.send('plain', '/tokenize', {
    method: 'POST',
    headers: { authorization: `Bearer ${customer}`, 'content-type': 'application/json' },
    body: JSON.stringify({ account }),
  });
  const vault = required(membersOf(tokenized).token, 'the account was not replaced by a vault token');
  bench.hide('VAULT_TOKEN', vault);
  const others = await accountsOf(bench, await customerToken(bench, 'user2', 'OTHER_TOKEN'));
  const own = await accountsOf(bench, customer);
  return { machine, customer, vault, foreignAccount: others.find((id) => !own.includes(id)) ?? '' };
}

function required(value: unknown, complaint: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new Error(complaint);
}

/** The code flow with PKCE, as a customer in a browser. */
async function customerToken(bench: Bench, username: string, name: string): Promise<string> {
  const { client_id, client_secret } = bench.customer;
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id,
    response_type: 'code',
    redirect_uri: defaultRedirectUri,
    scope: 'openid accounts',
    state: randomUUID(),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  bench.print(
    `  in a browser, as ${username}: ${bench.issuer}/authorize?client_id=${client_id}&scope=openid%20accounts&…`,
  );
  const browser = createBrowser(bench.browserWire);
  const first = await browser.open(`${bench.issuer}/authorize?${query}`);
  const page = await browser.submit(first, formWith(first, 'username'), { username, password: demoPassword });
  const form = formWith(page, 'account');
  const { away } = await browser.submit(page, form, { account: form.choices.map(([, value]) => value) });
  const code = required(away?.searchParams.get('code'), `${username} did not come back with a code`);
  bench.hide('CODE', code);
  bench.hide('VERIFIER', verifier);
  const answer = await bench.token('plain', {
    grant_type: 'authorization_code',
    client_id,
    client_secret,
    code,
    code_verifier: verifier,
    redirect_uri: defaultRedirectUri,
  });
  const token = required(membersOf(answer).access_token, `the code of ${username} brought no token`);
  bench.hide(name, token);
  return token;
}

/** Account ids of a customer, in the bank's order. */
async function accountsOf(bench: Bench, token: string): Promise<readonly string[]> {
  const answer = await bench.send('plain', '/accounts', { headers: { authorization: `Bearer ${token}` } });
  return listOf(membersOf(answer).accounts).map(({ id }) => String(id));
}

/** Labs are repeated: the account with the most on it lasts longest. */
async function richestAccount(bench: Bench, token: string): Promise<string> {
  const answer = await bench.send('plain', '/balances', { headers: { authorization: `Bearer ${token}` } });
  const balances = listOf(membersOf(answer).balances).toSorted(
    (one, other) => Number(other.amount) - Number(one.amount),
  );
  return required(balances[0]?.account, 'the customer has no account');
}

function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item) => typeof item === 'object' && item !== null);
}
