import { type Clock, secondsAfter } from '../../platform/clock.ts';
import type { Fetcher, FetchResponse } from '../../platform/fetch.ts';
import { uuid } from '../../platform/random.ts';
import { Refusal } from '../../platform/refusal.ts';
import { parseAnswer } from './answer.ts';
import { type AuthorityRegister, type RegisterQuestion, RegisterUnavailable } from './register.ts';

/** After so many failures in a row the service is left alone for a while: nobody waits for it, and it can recover. */
const FAILURES_BEFORE_PAUSE = 3;
const PAUSE_SECONDS = 30;
/** Ties an answer to its question. */
const QUESTION_ID = 'x-request-id';
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;

/** What the client of a register service needs. */
export interface RegisterServiceOptions {
  readonly fetcher: Pick<Fetcher, 'request' | 'close'>;
  /** Where questions go: `https://host[:port]/path`, without query. */
  readonly url: string;
  readonly clock: Clock;
}

/** The register as an HTTP service (docs/integrate/authority-register.openapi.yaml). @throws Error when the address is not one */
export function createRegisterService({ fetcher, url, clock }: RegisterServiceOptions): AuthorityRegister {
  const base = addressOf(url);
  const circuit = createCircuit(clock);
  return {
    ask: async (question) => {
      circuit.check();
      const id = uuid();
      const headers = { accept: 'application/json', [QUESTION_ID]: id };
      const answer = await answered(
        fetcher.request({ method: 'GET', url: addressFor(base, question), headers }),
        circuit,
      );
      return parseAnswer(contentOf(answer, id), question);
    },
    close: () => fetcher.close(),
  };
}

/** A nonsensical answer about one participant is no reason to stop asking about the others: only a failing service pauses. */
async function answered(asking: Promise<FetchResponse>, circuit: ReturnType<typeof createCircuit>) {
  try {
    const answer = await asking;
    if (answer.status >= 500)
      throw new RegisterUnavailable('register_unreachable', `the register answered ${answer.status}`);
    circuit.succeeded();
    return answer;
  } catch (cause) {
    circuit.failed();
    throw silenceOf(cause);
  }
}

function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:' || url.search !== '' || url.hash !== '' || url.username !== '')
    throw new Error(`authority register ${text}: write https://host:port/path`);
  return url;
}

/** Numbers may hold any character (TS 119 495 §5.2.1), so they travel as a parameter and not as a path. */
function addressFor(base: URL, { country, authority, number }: RegisterQuestion): string {
  const url = new URL(base);
  url.search = new URLSearchParams({ country, authority, number }).toString();
  return url.href;
}

function contentOf({ status, headers, body }: FetchResponse, id: string): unknown {
  // A 404 may as well be a wrong address: a register that does not know somebody says so in words.
  if (status !== 200) throw new RegisterUnavailable('register_malformed', `the register answered ${status}`);
  if (headers[QUESTION_ID] !== id)
    throw new RegisterUnavailable('register_malformed', 'the register answered another question');
  if (!JSON_TYPE.test(headers['content-type'] ?? '') || headers['content-encoding'] !== undefined)
    throw new RegisterUnavailable('register_malformed', 'the register answered something that is not JSON');
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body));
  } catch (cause) {
    throw new RegisterUnavailable('register_malformed', 'the register answered malformed JSON', cause);
  }
}

function silenceOf(cause: unknown): unknown {
  if (!(cause instanceof Refusal)) return cause;
  const slow = /timeout/i.test(cause.detail ?? '');
  return new RegisterUnavailable(slow ? 'register_timeout' : 'register_unreachable', cause.message, cause);
}

function createCircuit(clock: Clock) {
  let failures = 0;
  let pausedUntil: Date | undefined;
  return {
    check: (): void => {
      if (pausedUntil !== undefined && clock.now() < pausedUntil)
        throw new RegisterUnavailable(
          'register_paused',
          'the register failed several times and is left alone for a while',
        );
    },
    succeeded: (): void => {
      failures = 0;
      pausedUntil = undefined;
    },
    failed: (): void => {
      failures += 1;
      if (failures >= FAILURES_BEFORE_PAUSE) pausedUntil = secondsAfter(clock.now(), PAUSE_SECONDS);
    },
  };
}
