import { randomUUID } from 'node:crypto';
import {
  authorizationCodeGrant,
  buildAuthorizationUrlWithPAR,
  type Configuration,
  calculatePKCECodeChallenge,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  tokenIntrospection,
  tokenRevocation,
} from 'openid-client';
import { shownAddress } from '../blanking.ts';
import type { Exchange } from '../wire.ts';
import type { BankClient } from './bank-client.ts';
import { cameBack, sentToBank } from './explanations.ts';
import type { Log, Recorder } from './messages.ts';
import { isRefusal, Problem, sentenceOf } from './problem.ts';
import type { Connection, Tokens } from './store.ts';

/** A way to a bank that is under way. It lives in the session of the browser that began it, and nowhere else (N-116). */
export interface Flow {
  /** Becomes the connection's id. */
  readonly id: string;
  readonly bank: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly endsAt: Date;
  readonly log: Log;
}

/** What flows need. */
export interface FlowParts {
  readonly recorder: Recorder;
  readonly redirectUri: string;
  readonly now: () => Date;
}

/** What Financroo asks for: who the customer is to this bank, the accounts, and a refresh token. */
export const scope = 'openid accounts offline_access';

/** The bank gives customers ten minutes to decide. */
const FLOW_MS = 10 * 60_000;
/** Tabs somebody opens; the oldest way goes first. */
const MOST_FLOWS = 10;

/** Pushes the request and gives the address for the browser. @throws Problem when the bank does not take it */
export async function beginFlow(flows: Map<string, Flow>, client: BankClient, parts: FlowParts): Promise<URL> {
  const flow: Flow = {
    id: randomUUID(),
    bank: client.bank.id,
    // Brings the answer to the right browser, ties the ID token to this flow, proves who began it.
    state: randomState(),
    nonce: randomNonce(),
    verifier: randomPKCECodeVerifier(),
    endsAt: new Date(parts.now().getTime() + FLOW_MS),
    log: [],
  };
  const address = await parts.recorder.within(flow.log, () => pushKnown(client, flow, parts.redirectUri));
  parts.recorder.note(flow.log, sentToBank, `GET ${shownAddress(address.href)}`);
  const [oldest] = flows.keys();
  if (flows.size >= MOST_FLOWS && oldest !== undefined) flows.delete(oldest);
  flows.set(flow.state, flow);
  return address;
}

/** A bank that has forgotten its client says `invalid_client`: then Financroo registers again and pushes once more (CLD-17). */
async function pushKnown(client: BankClient, flow: Flow, redirectUri: string): Promise<URL> {
  const { name } = client.bank;
  try {
    return await push(client.configuration(), flow, redirectUri);
  } catch (cause) {
    if (!isRefusal(cause, 'invalid_client')) throw new Problem(sentenceOf(cause, name), { cause });
    if (!(await client.registerIfForgotten())) throw new Problem(sentenceOf(cause, name), { cause });
  }
  return push(client.configuration(), flow, redirectUri).catch((cause: unknown) => {
    throw new Problem(sentenceOf(cause, name), { cause });
  });
}

async function push(configuration: Configuration, flow: Flow, redirectUri: string): Promise<URL> {
  return buildAuthorizationUrlWithPAR(configuration, await requestOf(flow, redirectUri));
}

/** What Financroo asks a bank for. */
export async function requestOf(flow: Pick<Flow, 'state' | 'nonce' | 'verifier'>, redirectUri: string) {
  return {
    redirect_uri: redirectUri,
    scope,
    // OpenID Connect Core §11: `offline_access` counts only where the customer is asked for consent.
    prompt: 'consent',
    state: flow.state,
    nonce: flow.nonce,
    code_challenge: await calculatePKCECodeChallenge(flow.verifier),
    code_challenge_method: 'S256',
  };
}

/** How a way to a bank ended. */
export type Arrival =
  | { readonly kind: 'connected'; readonly flow: Flow; readonly connection: Omit<Connection, 'user'> }
  | {
      readonly kind: 'declined';
      readonly flow: Flow;
      readonly error: string;
      readonly description: string | undefined;
    };

/**
 * Takes the flow an answer belongs to out of the session, so that it serves once.
 * @throws Problem before anything is exchanged, when it belongs to no flow of this browser (N-113, N-116) or to another bank (N-115)
 */
export function takeFlow(
  flows: Map<string, Flow>,
  answer: URL,
  issuerOf: (bank: string) => string | undefined,
  now: Date,
): Flow {
  const states = answer.searchParams.getAll('state');
  const flow = states.length === 1 ? flows.get(states[0] ?? '') : undefined;
  if (flow === undefined) {
    throw new Problem(
      'This answer belongs to no connection that was begun in this browser, or it was used already. Nothing was exchanged.',
    );
  }
  flows.delete(flow.state);
  if (flow.endsAt <= now) throw new Problem('This took longer than ten minutes. Nothing was exchanged; begin again.');
  const issuers = answer.searchParams.getAll('iss');
  if (issuers.length !== 1 || issuers[0] !== issuerOf(flow.bank)) {
    throw new Problem('This answer does not come from the bank you were sent to. Nothing was exchanged.');
  }
  return flow;
}

/** Exchanges the code and asks what it brought. @throws Problem when the bank's answer does not hold */
export async function finishFlow(flow: Flow, answer: URL, client: BankClient, parts: FlowParts): Promise<Arrival> {
  parts.recorder.note(flow.log, cameBack, `GET ${shownAddress(answer.href)}`);
  const error = answer.searchParams.get('error');
  if (error !== null) {
    return { kind: 'declined', flow, error, description: answer.searchParams.get('error_description') ?? undefined };
  }
  return parts.recorder.within(flow.log, async () => {
    const tokens = await exchange(flow, answer, client, parts);
    const facts = await learn(client.configuration(), tokens).catch(() => undefined);
    const now = parts.now().toISOString();
    const connection = {
      id: flow.id,
      bank: flow.bank,
      connectedAt: now,
      standing: 'connected' as const,
      since: now,
      scope: tokens.scope,
      consent: facts?.consent,
      endsAt: facts?.endsAt,
      tokens: tokens.kept,
    };
    return { kind: 'connected', flow, connection };
  });
}

interface Exchanged {
  readonly kept: Tokens;
  readonly scope: string;
}

/** openid-client checks `state` and `iss` once more, then signature, `aud`, `exp` and `nonce` of the ID token (N-114). */
async function exchange(flow: Flow, answer: URL, client: BankClient, parts: FlowParts): Promise<Exchanged> {
  const configuration = client.configuration();
  let refresh: string | undefined;
  const see = ({ responseBody }: Exchange) => {
    refresh ??= refreshIn(responseBody);
  };
  const checks = {
    pkceCodeVerifier: flow.verifier,
    expectedState: flow.state,
    expectedNonce: flow.nonce,
    idTokenExpected: true,
  };
  try {
    const work = () => authorizationCodeGrant(configuration, answer, checks);
    const answered = await parts.recorder.within(flow.log, work, { see });
    const accessEndsAt = new Date(parts.now().getTime() + (answered.expires_in ?? 60) * 1_000).toISOString();
    const kept = { access: answered.access_token, accessEndsAt, refresh: answered.refresh_token };
    return { kept, scope: answered.scope ?? scope };
  } catch (cause) {
    // Tokens that came with an ID token that does not hold are of no use to anybody: the bank is told so.
    if (refresh !== undefined) await tokenRevocation(configuration, refresh).catch(() => undefined);
    throw new Problem(`${sentenceOf(cause, client.bank.name)} Nothing was kept; begin again.`, { cause });
  }
}

function refreshIn(body: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || !('refresh_token' in value)) return undefined;
    return typeof value.refresh_token === 'string' ? value.refresh_token : undefined;
  } catch {
    return undefined;
  }
}

interface Learned {
  readonly consent: string | undefined;
  readonly endsAt: string | undefined;
}

/** Introspection: the access token tells the permission's id, the refresh token when it ends. */
async function learn(configuration: Configuration, { kept }: Exchanged): Promise<Learned> {
  const access = await tokenIntrospection(configuration, kept.access);
  const refresh = kept.refresh === undefined ? undefined : await tokenIntrospection(configuration, kept.refresh);
  return {
    consent: typeof access.consent_id === 'string' ? access.consent_id : undefined,
    endsAt: typeof refresh?.exp === 'number' ? new Date(refresh.exp * 1_000).toISOString() : undefined,
  };
}
