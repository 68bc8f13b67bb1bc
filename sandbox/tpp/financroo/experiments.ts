import {
  buildAuthorizationUrlWithPAR,
  type ClientAuth,
  Configuration,
  customFetch,
  modifyAssertion,
  PrivateKeyJwt,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  tokenIntrospection,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import type { Places } from '../../places.ts';
import { signingKey } from '../third-party.ts';
import { type Exchange, fetchOver, type Identity, openWire, transportIdentity, trustedRoot } from '../wire.ts';
import type { BankClient } from './bank-client.ts';
import { type Explanation, explain } from './explanations.ts';
import { requestOf } from './flow.ts';
import type { Log, Recorder } from './messages.ts';
import { Problem, sentenceOf } from './problem.ts';

/** One thing that is changed, and what a bank should say to it. Nothing of the connection is at stake in any of them. */
export interface Experiment {
  readonly name: string;
  readonly title: string;
  /** What is sent, said before it is sent. */
  readonly does: string;
  /** What a bank should answer, and why. */
  readonly expect: string;
  readonly clause: string;
}

/** The experiments there are, in the order of a flow. */
export const experiments = {
  challenge: {
    name: 'challenge',
    title: 'A request without PKCE',
    does: 'Financroo pushes the same request as for this connection, without code_challenge.',
    expect:
      'A bank that follows FAPI 2.0 refuses it with invalid_request: without the challenge anybody who steals the code could exchange it. One with a looser profile may take it.',
    clause: 'FAPI 2.0 §5.3.2.2, RFC 7636 §4.4.1',
  },
  nonce: {
    name: 'nonce',
    title: 'A request without nonce',
    does: 'Financroo pushes the same request as for this connection, without nonce. No customer is sent to it, so it ends by itself after a minute.',
    expect:
      'The bank may take it: with a code the nonce is the third party’s own protection. It is Financroo that would refuse the ID token afterwards.',
    clause: 'OpenID Connect Core §3.1.2.1 and §3.1.3.7',
  },
  audience: {
    name: 'audience',
    title: 'A client assertion for somebody else',
    does: 'Financroo pushes a request whose client_assertion names https://another-bank.example as its audience, signed with the right key.',
    expect:
      'The bank refuses it with invalid_client: an assertion made for one bank must not open another, or a bank could pose as Financroo.',
    clause: 'RFC 7523 §3 number 3, FAPI 2.0 §5.3.2.1',
  },
  replay: {
    name: 'replay',
    title: 'The same client assertion twice',
    does: 'Financroo signs one client_assertion and pushes two requests with it. The first is honest; no customer is sent to it.',
    expect: 'The bank takes the first and refuses the second with invalid_client: its jti was used already.',
    clause: 'RFC 7523 §3 number 7, OpenID Connect Core §9',
  },
  certificate: {
    name: 'certificate',
    title: 'The token with another certificate',
    does: 'Financroo asks the bank what its access token is bound to, and then for the accounts with this token, over a connection with the certificate of SuspendedPay, another third party of the sandbox.',
    expect:
      'The bank refuses it with 401: the certificate is genuine, but the token is bound to Financroo’s. A stolen token opens nothing.',
    clause: 'RFC 8705 §3, RFC 6750 §3.1',
  },
  bare: {
    name: 'bare',
    title: 'The token without a certificate',
    does: 'Financroo asks the bank what its access token is bound to, and then for the accounts with this token, over a connection without any certificate.',
    expect: 'The bank’s door ends the connection in the handshake, before it has read the request: there is no answer.',
    clause: 'RFC 8446 §4.4.2.4, RFC 8705 §3',
  },
} as const satisfies Readonly<Record<string, Experiment>>;

/** What experiments are made with. */
export interface ExperimentParts {
  readonly places: Places;
  /** Financroo, as the directory names it. */
  readonly participant: string;
  readonly recorder: Recorder;
  readonly redirectUri: string;
  /** Paths of a participant's transport certificate and key, for copied commands. */
  readonly identityPaths: (participant: string) => { readonly certificate: string; readonly key: string };
}

/** A connection to try it with. */
export interface Subject {
  readonly client: BankClient;
  readonly log: Log;
  /** An access token that is alive; renewed when it has to be. */
  readonly access: () => Promise<string>;
}

/** Makes one experiment, for real. What was sent and answered is in the log afterwards. @throws Problem when the bank cannot be asked */
export type Experimenter = (name: string, subject: Subject) => Promise<void>;

/** True when there is such an experiment. */
export function isExperiment(name: string): name is keyof typeof experiments {
  return Object.hasOwn(experiments, name);
}

/** Its certificate is as genuine as Financroo’s and has the role for accounts: only the token does not fit it. */
const SOMEBODY_ELSE = 'suspendedpay';
const WRONG_AUDIENCE = 'https://another-bank.example';

/** An experimenter. */
export function createExperimenter(parts: ExperimentParts): Experimenter {
  return async (name, subject) => {
    if (!isExperiment(name)) throw new Problem('There is no such experiment.');
    switch (name) {
      case 'challenge':
        return pushing(name, subject, parts, [{ code_challenge: undefined, code_challenge_method: undefined }]);
      case 'nonce':
        return pushing(name, subject, parts, [{ nonce: undefined }]);
      case 'audience':
        return pushing(name, subject, parts, [{}], (key) =>
          PrivateKeyJwt(key, {
            [modifyAssertion]: (_header, claims) => {
              claims.aud = WRONG_AUDIENCE;
            },
          }),
        );
      case 'replay':
        return pushing(name, subject, parts, [{}, {}], (key) => repeated(PrivateKeyJwt(key)));
      case 'certificate':
        return calling(name, subject, parts, SOMEBODY_ELSE);
      case 'bare':
        return calling(name, subject, parts, undefined);
    }
  };
}

type Key = Awaited<ReturnType<typeof signingKey>>;
type Changes = Readonly<Record<string, string | undefined>>;

/** Pushes requests, each with changes, authenticated in a way of one's own. */
async function pushing(
  name: keyof typeof experiments,
  { client, log }: Subject,
  { places, participant, recorder, redirectUri }: ExperimentParts,
  requests: readonly Changes[],
  authenticate: (key: Key) => ClientAuth = (key) => PrivateKeyJwt(key),
): Promise<void> {
  const own = await transportIdentity(places, participant);
  const authentication = authenticate(await signingKey(places, participant));
  const flow = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
  const honest = await requestOf(flow, redirectUri);
  const explain = () => explanationOf(name);
  await overWire(places, own, recorder, async (wire) => {
    const known = client.configuration();
    const metadata = known.clientMetadata();
    const changed = new Configuration(known.serverMetadata(), metadata.client_id, metadata, authentication);
    changed[customFetch] = fetchOver(wire);
    for (const changes of requests) {
      const given = Object.entries({ ...honest, ...changes }).flatMap(([key, value]) =>
        value === undefined ? [] : [[key, value]],
      );
      const push = () => buildAuthorizationUrlWithPAR(changed, Object.fromEntries(given));
      await recorder.within(log, push, { explain }).catch((cause: unknown) => {
        if (!isAnswer(cause)) throw new Problem(sentenceOf(cause, client.bank.name), { cause });
      });
    }
  });
}

/** A refusal is what we came for: it is in the log. */
function isAnswer(cause: unknown): boolean {
  return cause instanceof ResponseBodyError || cause instanceof WWWAuthenticateChallengeError;
}

/** One assertion, signed once and used for every request. */
function repeated(authentication: ClientAuth): ClientAuth {
  let kept: URLSearchParams | undefined;
  return async (server, client, body, headers) => {
    if (kept === undefined) {
      kept = new URLSearchParams();
      await authentication(server, client, kept, headers);
    }
    for (const [name, value] of kept) body.set(name, value);
  };
}

/** Asks for the accounts with this connection's token and somebody else's certificate, or none. */
async function calling(
  name: keyof typeof experiments,
  { client, log, access }: Subject,
  { places, recorder, identityPaths }: ExperimentParts,
  participant: string | undefined,
): Promise<void> {
  const url = `${client.bank.resourceBase}/accounts`;
  const token = await recorder.within(log, access);
  // What the token is bound to: an opaque one that was renewed says nothing itself, and nobody has asked yet.
  const asked = (exchange: Exchange) => ({ ...explain(exchange), experiment: name });
  await recorder
    .within(log, () => tokenIntrospection(client.configuration(), token), { explain: asked })
    .catch((cause: unknown) => {
      throw new Problem(sentenceOf(cause, client.bank.name), { cause });
    });
  const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
  const identity = participant === undefined ? undefined : await transportIdentity(places, participant);
  const shown = participant === undefined ? undefined : identityPaths(participant);
  await overWire(places, identity, recorder, async (wire) => {
    const send = () => wire.send(url, { headers });
    await recorder
      .within(log, send, { explain: () => explanationOf(name), identity: shown })
      .catch((cause: unknown) => {
        // The connection stood, and the other side ended it; otherwise nobody was there, or nobody spoke.
        if (wire.connections === 0 || isTimeout(cause))
          throw new Problem(`${client.bank.name} cannot be reached at the moment.`);
        recorder.noteCut(log, explanationOf(name), `GET ${url}`, token);
      });
  });
}

function isTimeout(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  return ('code' in cause && String(cause.code).includes('TIMEOUT')) || isTimeout(cause.cause);
}

async function overWire(
  places: Places,
  identity: Identity | undefined,
  recorder: Recorder,
  work: (wire: ReturnType<typeof openWire>) => Promise<void>,
): Promise<void> {
  const wire = openWire(await trustedRoot(places), identity, recorder.listen);
  try {
    await work(wire);
  } finally {
    await wire.close();
  }
}

function explanationOf(name: keyof typeof experiments): Explanation {
  const { title, does, expect, clause } = experiments[name];
  return { title: `Experiment: ${title}`, says: `${does} ${expect}`, clause, actor: 'Financroo', experiment: name };
}
