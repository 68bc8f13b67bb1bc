import type { IncomingMessage, ServerResponse } from 'node:http';
import type Provider from 'oidc-provider';
import type { Actor } from '../audit/index.ts';
import { epochSeconds, secondsAfter } from '../platform/clock.ts';
import { Refusal } from '../platform/refusal.ts';
import type { AuthorizationBank, AuthorizationRooms } from './bank.ts';
import type { Interaction, Interactions } from './interaction.ts';
import { OIDC_SCOPES } from './issuance.ts';
import { peerOf } from './peer.ts';
import { noteAgreed } from './unredeemed-store.ts';

type EngineInteraction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The pages' door to one bank's engine. `engine` gives the current one: it is replaced when keys rotate. */
export function createInteractions(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  engine: () => Provider,
  consentIdOf: (interaction: string) => string,
): Interactions {
  const details = async (request: IncomingMessage, response: ServerResponse): Promise<EngineInteraction> => {
    try {
      return await engine().interactionDetails(request, response);
    } catch (cause) {
      throw new Refusal(
        'interaction_expired',
        400,
        'This request is over or was started in another browser. Go back to the third party and start again.',
        { cause },
      );
    }
  };
  const load = async (request: IncomingMessage, response: ServerResponse): Promise<Interaction> => {
    const interaction = await details(request, response);
    return describe(bank, rooms, interaction, consentIdOf);
  };
  return {
    load,
    signedIn: async (request, response, customer) => {
      const interaction = await details(request, response);
      await endOtherSession(engine(), request, response, interaction, customer.id);
      await engine().interactionFinished(request, response, {
        login: {
          accountId: customer.id,
          acr: customer.acr,
          amr: [...customer.amr],
          // Results are merged and applied again after the consent step: without it `auth_time` would move (engine.md §9).
          ts: epochSeconds(rooms.clock.now()),
          remember: false,
        },
      });
    },
    agreed: async (request, response, decision) => {
      const interaction = await load(request, response);
      const consent = await authorise(bank, rooms, engine(), interaction, decision, actorOf(request, interaction));
      await engine().interactionFinished(request, response, { consent: { grantId: consent } });
    },
    cancelled: async (request, response) => {
      const interaction = await load(request, response);
      if (interaction.consent !== undefined) {
        await rooms.consents.reject(bank.id, interaction.consent, actorOf(request, interaction));
      }
      await engine().interactionFinished(
        request,
        response,
        { error: 'access_denied', error_description: 'the customer did not agree' },
        { mergeWithLastSubmission: false },
      );
    },
  };
}

async function describe(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  interaction: EngineInteraction,
  consentIdOf: (interaction: string) => string,
): Promise<Interaction> {
  const { params, prompt, uid } = interaction;
  const client = stringOf(params.client_id);
  const standing = await rooms.directory.standing(bank.id, client);
  if (standing?.participant.status !== 'approved') {
    throw new Refusal('participant_not_approved', 403, 'The third party may not ask for anything at the moment.');
  }
  const asked = stringOf(params.scope)
    .split(' ')
    .filter((scope) => scope !== '' && !OIDC_SCOPES.has(scope));
  const waits = prompt.name === 'consent';
  const customer = interaction.lastSubmission?.login?.accountId ?? interaction.session?.accountId;
  const described: Interaction = {
    uid,
    bank: bank.id,
    prompt: waits ? 'consent' : 'sign-in',
    client,
    participant: { id: standing.participant.id, name: standing.participant.name },
    redirectUri: stringOf(params.redirect_uri),
    unanswered: unansweredUri(bank.issuer, params),
    scopes: asked,
    customer: waits ? customer : undefined,
    consent: waits ? consentIdOf(uid) : undefined,
    expiresAt: new Date(interaction.exp * 1000),
    resume: interaction.result === undefined ? undefined : interaction.returnTo,
    locales: stringOf(params.ui_locales)
      .split(' ')
      .filter((locale) => locale !== ''),
  };
  if (waits) await createConsent(rooms, described, standing.participant.id);
  return described;
}

/** The consent comes to be when its page is first due; its id follows from the interaction, so that a reload finds it again. */
async function createConsent(rooms: AuthorizationRooms, interaction: Interaction, participant: string): Promise<void> {
  const { bank, consent, customer, client, scopes, uid, expiresAt } = interaction;
  if (consent === undefined || customer === undefined)
    throw new Error(`interaction ${uid} waits for consent without a customer`);
  if ((await rooms.consents.find(bank, consent)) !== undefined) return;
  const actor: Actor = { kind: 'participant', reference: client };
  await rooms.consents.create(
    { id: consent, bank, participant, client, customer, scopes, authorizationDetails: [], decideBefore: expiresAt },
    actor,
  );
}

/** Grant first, then the consent: the engine's grant is inert until the consent of the same id is authorised (engine.md §9). */
async function authorise(
  bank: AuthorizationBank,
  rooms: AuthorizationRooms,
  engine: Provider,
  interaction: Interaction,
  decision: { readonly accounts: readonly string[]; readonly expiresAt: Date },
  actor: Actor,
): Promise<string> {
  const { consent, customer, client, scopes } = interaction;
  if (consent === undefined || customer === undefined) throw new Refusal('interaction_expired', 400, 'Sign in first.');
  await checkAccounts(rooms, customer, decision.accounts);
  const latest = rooms.clock.now().getTime() + bank.consentDays * 86_400_000;
  const expiresAt = new Date(Math.min(decision.expiresAt.getTime(), latest));
  const grant = new engine.Grant({ accountId: customer, clientId: client });
  grant.jti = consent;
  grant.exp = epochSeconds(expiresAt);
  grant.addOIDCScope(['openid', 'offline_access', ...scopes]);
  // A token lists what was asked and granted, OpenID Connect's own scopes among it (CLD-22).
  grant.addResourceScope(bank.mtlsBase, [...OIDC_SCOPES, ...scopes].join(' '));
  await grant.save();
  const agreedAt = rooms.clock.now();
  await noteAgreed(rooms.database, { bank: bank.id, consent }, agreedAt, secondsAfter(agreedAt, bank.takeUpSeconds));
  await rooms.consents.authorise(bank.id, consent, { customer, scopes, accounts: decision.accounts, expiresAt }, actor);
  return consent;
}

/** What is shared is decided by what the bank says is the customer's, never by a form (N-195). */
async function checkAccounts(rooms: AuthorizationRooms, customer: string, accounts: readonly string[]): Promise<void> {
  const own = new Set((await rooms.connector.accounts(customer)).map((account) => account.id));
  if (!accounts.every((account) => own.has(account))) {
    throw new Refusal('field_invalid', 400, 'One of the chosen accounts is not yours. Nothing was shared.');
  }
}

/** Another customer's session in this browser ends before this one's begins: no confirmation page between them (engine.md §15 #857). */
async function endOtherSession(
  engine: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  interaction: EngineInteraction,
  customer: string,
): Promise<void> {
  const session = await engine.Session.get(engine.createContext(request, response));
  if (session.accountId === undefined || session.accountId === customer) return;
  await session.destroy();
  delete interaction.session;
  await interaction.persist();
}

/** What the engine itself would send for a no, made while it still knows the request. */
function unansweredUri(issuer: string, params: EngineInteraction['params']): string | undefined {
  const uri = URL.parse(stringOf(params.redirect_uri));
  if (uri === null || (params.response_mode ?? 'query') !== 'query') return undefined;
  uri.searchParams.set('error', 'access_denied');
  uri.searchParams.set('error_description', 'the customer did not answer in time');
  if (params.state !== undefined) uri.searchParams.set('state', stringOf(params.state));
  uri.searchParams.set('iss', issuer);
  return uri.href;
}

function actorOf(request: IncomingMessage, interaction: Interaction): Actor {
  return {
    kind: 'customer',
    reference: interaction.consent ?? interaction.uid,
    interaction: peerOf(request).interaction,
  };
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
