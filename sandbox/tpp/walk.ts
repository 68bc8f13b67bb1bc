import { type Configuration, fetchProtectedResource, refreshTokenGrant, tokenIntrospection } from 'openid-client';
import { addressesOf, ownPorts, type Ports } from '../configuration.ts';
import { ownPlaces, type Places } from '../places.ts';
import { platformCommand } from '../platform-command.ts';
import { check, checkStatus, createSteps, jsonOf, refusalOf, StepFailed } from './steps.ts';
import { openThirdParty } from './third-party.ts';
import { authorise, discover, type Granted, register, WALK_BANK, type Walk } from './walk-grant.ts';
import { walkRevoked } from './walk-revoked.ts';
import { walkWrong } from './walk-wrong.ts';
import { openWire, transportIdentity, trustedRoot, type Wire } from './wire.ts';

const PARTICIPANT = 'financroo';
const CLIENT = 'Financroo';
/** It plays the thief: its certificate is good and for accounts, and the token is not its own. */
const OTHER_PARTICIPANT = 'suspendedpay';

/** Plays a third party the whole way at Go Bank and prints each step. Gives the number of steps. @throws StepFailed */
export async function walk(places: Places, ports: Ports, print: (line: string) => void): Promise<number> {
  const steps = createSteps(print);
  const party = await openThirdParty(places, PARTICIPANT, steps.listen);
  const { issuer, mtls } = addressesOf(ports);
  const at = { issuer: `${issuer}/${WALK_BANK}`, api: `${mtls}/${WALK_BANK}` };
  const way: Walk = { places, steps, party, client: CLIENT, ...at };
  try {
    const registration = await register(way);
    const config = await steps.take('The bank describes itself: discovery', async () => discover(way, registration));
    const granted = await authorise(way, config);
    await useAccess(way, config, granted);
    await loseAccess(way, config, granted);
    return steps.taken;
  } finally {
    await party.close();
  }
}

async function useAccess(way: Walk, config: Configuration, { access, agreed, unticked }: Granted): Promise<void> {
  const { steps, api } = way;
  const get = (path: string) => fetchProtectedResource(config, access, new URL(`${api}${path}`), 'GET');
  await steps.take('It reads the accounts: those that were ticked, no other', async () => {
    const answer = await get('/accounts');
    check(answer.status === 200, `expected 200, was answered ${answer.status}`);
    const ids = idsOf(await answer.json());
    check(ids.toSorted().join() === agreed.toSorted().join(), 'the list is not the one the customer agreed to');
  });
  await steps.take('It reads balances and transactions of one of them', async () => {
    for (const path of [`/accounts/${agreed[0]}/balances`, `/accounts/${agreed[0]}/transactions?pageSize=5`]) {
      const answer = await get(path);
      check(answer.status === 200, `expected 200, was answered ${answer.status}`);
      await answer.arrayBuffer();
    }
  });
  const bearer = { headers: { authorization: `Bearer ${access}` } };
  await steps.take('It tries the account that was not ticked: refused', async () => {
    const refused = await way.party.wire.send(`${api}/accounts/${unticked}`, bearer);
    checkStatus(refused, 403);
    check(refusalOf(refused) === 'account_not_in_consent', `the reason is ${refusalOf(refused)}`);
  });
  await withOther(way, (wire) =>
    steps.take('Somebody else uses its token, with a certificate of their own: refused', async () => {
      const refused = await wire.send(`${api}/accounts`, bearer);
      checkStatus(refused, 401);
      check(refusalOf(refused) === 'certificate_not_bound', `the reason is ${refusalOf(refused)}`);
    }),
  );
}

async function withOther({ places, steps }: Walk, work: (wire: Wire) => Promise<void>): Promise<void> {
  const identity = await transportIdentity(places, OTHER_PARTICIPANT);
  const wire = openWire(await trustedRoot(places), identity, steps.listen);
  try {
    await work(wire);
  } finally {
    await wire.close();
  }
}

async function loseAccess(way: Walk, config: Configuration, granted: Granted): Promise<void> {
  const { steps, places, party, api } = way;
  await steps.take('The bank’s staff end the consent for the customer', async () => {
    const words = ['consent', 'revoke', WALK_BANK, granted.consent, '--reason', 'walk'];
    steps.say(`$ node src/main.ts ${words.join(' ')}`);
    const told = await platformCommand(places, words);
    steps.say(told.output || told.problem);
    check(told.status === 0, 'the command failed');
  });
  await steps.take('It reads the accounts again: refused, on the very next call', async () => {
    const refused = await party.wire.send(`${api}/accounts`, {
      headers: { authorization: `Bearer ${granted.access}` },
    });
    check(refused.status === 401 || refused.status === 403, `expected a refusal, was answered ${refused.status}`);
    check(typeof jsonOf(refused).error === 'object', 'the refusal names no reason');
  });
  await steps.take('Its tokens are dead: introspection says so, and the refresh token brings nothing', async () => {
    const facts = await tokenIntrospection(config, granted.access);
    check(!facts.active, 'the token is still active');
    const refusal = await refreshTokenGrant(config, granted.refresh).then(
      () => 'none',
      (cause: unknown) => (cause instanceof Error && 'error' in cause ? String(cause.error) : String(cause)),
    );
    check(refusal === 'invalid_grant', `expected invalid_grant, was answered ${refusal}`);
  });
}

function idsOf(body: unknown): readonly string[] {
  check(typeof body === 'object' && body !== null && 'accounts' in body, 'the answer lists no accounts');
  check(Array.isArray(body.accounts), 'the answer lists no accounts');
  return body.accounts.map((account: { readonly id: unknown }) => String(account.id));
}

/** The walk that the command line asks for: the whole way, or what happens to certificates that do not count. @throws Error */
export function walkOf(words: readonly string[]): typeof walk {
  const [kind, ...more] = words;
  if (kind === undefined) return walk;
  if (more.length === 0 && kind === '--revoked') return walkRevoked;
  if (more.length === 0 && kind === '--wrong-certificate') return walkWrong;
  throw new Error('npm run walk, npm run walk -- --revoked, or npm run walk -- --wrong-certificate');
}

if (import.meta.main) {
  try {
    const taken = await walkOf(process.argv.slice(2))(ownPlaces(), ownPorts(), console.log);
    console.log(`\n${taken} of ${taken} steps were as they should be.`);
  } catch (cause) {
    if (!(cause instanceof StepFailed)) console.error(cause instanceof Error ? cause.message : cause);
    else console.error(`\nThe walk ends here: "${cause.message}" was not as it should be.`);
    process.exitCode = 1;
  }
}
