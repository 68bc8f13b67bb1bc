import {
  authorizationCodeGrant,
  buildAuthorizationUrlWithPAR,
  type Configuration,
  calculatePKCECodeChallenge,
  randomPKCECodeVerifier,
  randomState,
  tokenIntrospection,
} from 'openid-client';
import { demoPassword } from '../bank/passwords.ts';
import type { Places } from '../places.ts';
import { createBrowser, formWith } from './pages.ts';
import type { Registration } from './registrations.ts';
import { check, type Steps } from './steps.ts';
import type { ThirdParty } from './third-party.ts';

/** The bank that every walk goes to. */
export const WALK_BANK = 'gobank';

/** Everything the steps of a walk share. */
export interface Walk {
  readonly places: Places;
  readonly steps: Steps;
  readonly party: ThirdParty;
  /** The name customers see on the consent page. */
  readonly client: string;
  readonly issuer: string;
  readonly api: string;
}

/** Registers the third party at the walk's bank, where it is not known yet. */
export async function register({ steps, party, issuer }: Walk): Promise<Registration> {
  return steps.take('The third party registers with its software statement, or is known already', async () => {
    const known = await party.findRegistration(WALK_BANK);
    if (known !== undefined) {
      steps.say(`known as ${known.client_id}: registered at an earlier walk`);
      return known;
    }
    const registration = await party.register(WALK_BANK, issuer, 'private_key_jwt');
    steps.say(`registered as ${registration.client_id}`);
    return registration;
  });
}

/** The bank's metadata, as far as the profile depends on it. */
export async function discover({ party, issuer, api }: Walk, registration: Registration): Promise<Configuration> {
  const config = await party.configure(issuer, registration);
  const metadata = config.serverMetadata();
  check(metadata.require_pushed_authorization_requests === true, 'the bank does not insist on pushed requests');
  check(metadata.tls_client_certificate_bound_access_tokens === true, 'tokens are not bound to certificates');
  const aliases = metadata.mtls_endpoint_aliases;
  check(aliases?.token_endpoint === `${api}/token`, 'the mTLS alias of the token endpoint is not at the mTLS door');
  return config;
}

/** What the customer agreed to and the third party holds. */
export interface Granted {
  readonly access: string;
  readonly refresh: string;
  readonly consent: string;
  readonly agreed: readonly string[];
  readonly unticked: string;
}

/** From the pushed request to tokens: the customer agrees to all accounts but one. */
export async function authorise(way: Walk, config: Configuration): Promise<Granted> {
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

async function customerAgrees({ steps, party, client }: Walk, address: URL) {
  const browser = createBrowser(party.browserWire);
  const page = await steps.take('The customer signs in at the bank, in a browser without JavaScript', async () => {
    const first = await browser.open(address.href);
    const form = formWith(first, 'username');
    const next = await browser.submit(first, form, { username: 'user', password: demoPassword });
    formWith(next, 'account');
    return next;
  });
  return steps.take('The customer reads who asks for what, ticks all accounts but one, and agrees', async () => {
    check(page.exchange.responseBody.includes(client), 'the page does not say who is asking');
    const form = formWith(page, 'account');
    const [unticked, ...agreed] = form.choices.map(([, value]) => value);
    check(unticked !== undefined && agreed.length > 0, 'there are too few accounts');
    const { away } = await browser.submit(page, form, { account: agreed });
    check(away !== undefined, 'the browser was not sent back to the third party');
    check(away.searchParams.get('code') !== null, `no code came back: ${away.searchParams.get('error') ?? ''}`);
    return { back: away, agreed, unticked };
  });
}
