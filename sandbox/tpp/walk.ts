import {
  authorizationCodeGrant,
  buildAuthorizationUrlWithPAR,
  type Configuration,
  calculatePKCECodeChallenge,
  fetchProtectedResource,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  tokenIntrospection,
} from 'openid-client';
import { demoPassword } from '../bank/passwords.ts';
import { addressesOf, ownPorts, type Ports } from '../configuration.ts';
import { ownPlaces, type Places } from '../places.ts';
import { platformCommand } from '../platform-command.ts';
import { createBrowser, formWith } from './pages.ts';
import type { Registration } from './registrations.ts';
import { check, checkStatus, createSteps, jsonOf, refusalOf, StepFailed, type Steps } from './steps.ts';
import { openThirdParty, type ThirdParty } from './third-party.ts';
import { openWire, transportIdentity, trustedRoot, type Wire } from './wire.ts';

const BANK = 'gobank';
const PARTICIPANT = 'financroo';
/** It plays the thief: its certificate is good and for accounts, and the token is not its own. */
const OTHER_PARTICIPANT = 'suspendedpay';

/** Everything the steps of a walk share. */
interface Walk {
  readonly places: Places;
  readonly steps: Steps;
  readonly party: ThirdParty;
  readonly issuer: string;
  readonly api: string;
}

/** Plays a third party the whole way at Go Bank and prints each step. Gives the number of steps. @throws StepFailed */
export async function walk(places: Places, ports: Ports, print: (line: string) => void): Promise<number> {
  const steps = createSteps(print);
  const party = await openThirdParty(places, PARTICIPANT, steps.listen);
  const { issuer, mtls } = addressesOf(ports);
  const way: Walk = { places, steps, party, issuer: `${issuer}/${BANK}`, api: `${mtls}/${BANK}` };
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

async function register({ steps, party, issuer }: Walk): Promise<Registration> {
  return steps.take('The third party registers with its software statement, or is known already', async () => {
    const known = await party.findRegistration(BANK);
    if (known !== undefined) {
      steps.say(`known as ${known.client_id}: registered at an earlier walk`);
      return known;
    }
    const registration = await party.register(BANK, issuer, 'private_key_jwt');
    steps.say(`registered as ${registration.client_id}`);
    return registration;
  });
}

async function discover({ party, issuer, api }: Walk, registration: Registration): Promise<Configuration> {
  const config = await party.configure(issuer, registration);
  const metadata = config.serverMetadata();
  check(metadata.require_pushed_authorization_requests === true, 'the bank does not insist on pushed requests');
  check(metadata.tls_client_certificate_bound_access_tokens === true, 'tokens are not bound to certificates');
  const aliases = metadata.mtls_endpoint_aliases;
  check(aliases?.token_endpoint === `${api}/token`, 'the mTLS alias of the token endpoint is not at the mTLS door');
  return config;
}

/** What the customer agreed to and the third party holds. */
interface Granted {
  readonly access: string;
  readonly refresh: string;
  readonly consent: string;
  readonly agreed: readonly string[];
  readonly unticked: string;
}

async function authorise(way: Walk, config: Configuration): Promise<Granted> {
  const { steps } = way;
  const [verifier, state] = [randomPKCECodeVerifier(), randomState()];
  const address = await steps.take(
    'It pushes its request: the browser will carry a handle, not the request',
    async () => {
      const url = await buildAuthorizationUrlWithPAR(config, {
        redirect_uri: config.clientMetadata().redirect_uris?.toString() ?? '',
        scope: 'openid accounts offline_access',
        state,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      check([...url.searchParams.keys()].toSorted().join() === 'client_id,request_uri', 'the address says too much');
      return url;
    },
  );
  const { back, agreed, unticked } = await customerAgrees(way, address);
  const tokens = await steps.take('It exchanges the code, with its key, its certificate and its verifier', async () =>
    authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true }),
  );
  const { access_token: access, refresh_token: refresh } = tokens;
  const consent = await steps.take('It asks what its token is worth: introspection', async () => {
    const facts = await tokenIntrospection(config, access);
    check(facts.active, 'the token is not active');
    check(facts.cnf !== undefined && 'x5t#S256' in facts.cnf, 'the token is bound to no certificate');
    check(typeof facts.consent_id === 'string', 'the token names no consent');
    return facts.consent_id;
  });
  check(refresh !== undefined, 'there is no refresh token');
  return { access, refresh, consent, agreed, unticked };
}

async function customerAgrees({ steps, party }: Walk, address: URL) {
  const browser = createBrowser(party.browserWire);
  const page = await steps.take('The customer signs in at the bank, in a browser without JavaScript', async () => {
    const first = await browser.open(address.href);
    const form = formWith(first, 'username');
    const next = await browser.submit(first, form, { username: 'user', password: demoPassword });
    formWith(next, 'account');
    return next;
  });
  return steps.take('The customer reads who asks for what, ticks all accounts but one, and agrees', async () => {
    check(page.exchange.responseBody.includes('Financroo'), 'the page does not say who is asking');
    const form = formWith(page, 'account');
    const [unticked, ...agreed] = form.choices.map(([, value]) => value);
    check(unticked !== undefined && agreed.length > 0, 'there are too few accounts');
    const { away } = await browser.submit(page, form, { account: agreed });
    check(away !== undefined, 'the browser was not sent back to the third party');
    check(away.searchParams.get('code') !== null, `no code came back: ${away.searchParams.get('error') ?? ''}`);
    return { back: away, agreed, unticked };
  });
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
    const words = ['consent', 'revoke', BANK, granted.consent, '--reason', 'walk'];
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

if (import.meta.main) {
  try {
    const taken = await walk(ownPlaces(), ownPorts(), console.log);
    console.log(`\n${taken} of ${taken} steps were as they should be.`);
  } catch (cause) {
    if (!(cause instanceof StepFailed)) console.error(cause instanceof Error ? cause.message : cause);
    else console.error(`\nThe walk ends here: "${cause.message}" was not as it should be.`);
    process.exitCode = 1;
  }
}
