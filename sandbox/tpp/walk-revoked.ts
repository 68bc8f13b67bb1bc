import {
  type Configuration,
  clientCredentialsGrant,
  fetchProtectedResource,
  refreshTokenGrant,
  tokenIntrospection,
} from 'openid-client';
import { createParticipant } from '../authority/participant.ts';
import { planParticipant } from '../authority/participants.ts';
import { findPlan } from '../authority/register.ts';
import { renewParticipant } from '../authority/renew.ts';
import { revokeParticipant } from '../authority/revoke.ts';
import { requireRunning } from '../authority/running.ts';
import { addressesOf, type Ports } from '../configuration.ts';
import type { Places } from '../places.ts';
import type { Registration } from './registrations.ts';
import { check, checkStatus, createSteps, refusalOf } from './steps.ts';
import { openThirdParty, type ThirdParty } from './third-party.ts';
import { authorise, discover, type Granted, register, WALK_BANK, type Walk } from './walk-grant.ts';
import { isCutOff, openWire, transportIdentity, trustedRoot } from './wire.ts';

/** It loses its certificate at every one of these walks, and gets a new one at the end: nobody else's is touched. */
const PARTICIPANT = 'revokedpay';
const TITLE = 'RevokedPay';

interface RevokedWalk extends Walk {
  readonly onboarding: string;
}

/**
 * Shows what a revoked certificate does: a call works, the authority revokes the certificate, the next call over the same
 * connection is refused, and so is everything else, until the certificate is renewed. Gives the number of steps. @throws StepFailed
 */
export async function walkRevoked(places: Places, ports: Ports, print: (line: string) => void): Promise<number> {
  await requireRunning(places);
  const steps = createSteps(print);
  await steps.take('A participant of its own, so that nobody else loses anything', async () => {
    for (const line of await takePart(places)) steps.say(line);
  });
  const party = await openThirdParty(places, PARTICIPANT, steps.listen);
  const { issuer, mtls, onboarding } = addressesOf(ports);
  const at = {
    issuer: `${issuer}/${WALK_BANK}`,
    api: `${mtls}/${WALK_BANK}`,
    onboarding: `${onboarding}/${WALK_BANK}`,
  };
  const way: RevokedWalk = { places, steps, party, client: TITLE, ...at };
  try {
    const registration = await register(way);
    const config = await steps.take('The bank describes itself: discovery', async () => discover(way, registration));
    const granted = await authorise(way, config);
    await loseCertificate(way, config, granted);
    await showReason(way);
    await renew(way, registration, granted);
    return steps.taken;
  } finally {
    await party.close();
  }
}

/** Made at the first walk; a walk that broke off left it without a certificate that counts. */
async function takePart(places: Places): Promise<readonly string[]> {
  const { plan } = await findPlan(places, PARTICIPANT);
  if (plan === undefined) {
    return createParticipant(places, planParticipant(PARTICIPANT, ['AISP'], { title: TITLE }), new Date());
  }
  return renewParticipant(places, renewal, new Date());
}

const renewal = { name: PARTICIPANT, overlapSeconds: 0, replace: true, newKey: false } as const;

async function loseCertificate(way: RevokedWalk, config: Configuration, { access }: Granted): Promise<void> {
  const { steps, places, party, api } = way;
  const read = () => party.wire.send(`${api}/accounts`, { headers: { authorization: `Bearer ${access}` } });
  const before = await steps.take('It reads the accounts: its certificate is good, says the responder', async () => {
    checkStatus(await read(), 200);
    return party.wire.connections;
  });
  await steps.take('The authority revokes the certificate: its key was stolen', async () => {
    const order = { name: PARTICIPANT, reason: 'keyCompromise', seal: false } as const;
    steps.say(`$ npm run participant -- revoke ${order.name} --reason ${order.reason}`);
    for (const line of await revokeParticipant(places, order, new Date())) steps.say(line);
  });
  await steps.take('The same call again, over the same connection, token still good: refused', async () => {
    const refused = await read();
    checkStatus(refused, 401);
    check(refusalOf(refused) === 'certificate_revoked', `the reason is ${refusalOf(refused)}`);
    check(party.wire.connections === before, 'the connection is another one: this proves nothing');
    steps.say('the handshake was long ago: the certificate is judged at every request');
  });
  await steps.take('The token endpoint, over that connection too: no token any more', async () => {
    const refusal = await refusalFrom(() => clientCredentialsGrant(config, { scope: 'accounts' }));
    check(refusal === 'invalid_request', `the reason is ${refusal}`);
    check(party.wire.connections === before, 'the connection is another one: this proves nothing');
  });
}

async function showReason({ places, steps, api, onboarding }: RevokedWalk): Promise<void> {
  const wire = openWire(await trustedRoot(places), await transportIdentity(places, PARTICIPANT), steps.listen);
  try {
    await steps.take('A new connection: the mTLS door ends it after the handshake, without a word', async () => {
      check(await isCutOff(wire, `${api}/accounts`), 'the connection was not ended');
      steps.say('no byte was answered');
    });
    await steps.take('The onboarding door says why', async () => {
      const told = await wire.send(onboarding);
      checkStatus(told, 401);
      check(refusalOf(told) === 'certificate_revoked', `the reason is ${refusalOf(told)}`);
    });
  } finally {
    await wire.close();
  }
}

async function renew(way: RevokedWalk, registration: Registration, granted: Granted): Promise<void> {
  const { steps, places, issuer, api } = way;
  await steps.take('The participant gets a new certificate, and the bank enrols it for its client', async () => {
    steps.say(`$ npm run participant -- renew ${PARTICIPANT} --replace`);
    for (const line of await renewParticipant(places, renewal, new Date())) steps.say(line);
  });
  const party = await openThirdParty(places, PARTICIPANT, steps.listen);
  try {
    await steps.take(
      'The refresh token goes on with the new certificate, and the accounts can be read again',
      async () => readAgain(party, issuer, api, registration, granted),
    );
  } finally {
    await party.close();
  }
}

async function readAgain(
  party: ThirdParty,
  issuer: string,
  api: string,
  registration: Registration,
  { refresh }: Granted,
): Promise<void> {
  const config = await party.configure(issuer, registration);
  const { access_token: access } = await refreshTokenGrant(config, refresh);
  const answer = await fetchProtectedResource(config, access, new URL(`${api}/accounts`), 'GET');
  check(answer.status === 200, `expected 200, was answered ${answer.status}`);
  check((await tokenIntrospection(config, access)).active, 'the token is not active');
}

async function refusalFrom(work: () => Promise<unknown>): Promise<string> {
  return work().then(
    () => 'none',
    (cause: unknown) => (cause instanceof Error && 'error' in cause ? String(cause.error) : String(cause)),
  );
}
