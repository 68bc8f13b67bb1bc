import { request as httpsRequest } from 'node:https';
import type { Ledger } from './ledger.ts';

/** Where the platform wants to be told, and as whom the bank tells it. */
export interface CallbackTarget {
  /** `https://…/{bank}/consent-changed` at the platform's mTLS door. */
  readonly url: string;
  /** PEM: the bank's identity, and the authority of the platform's door. */
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** Tells the platform of changes the bank made, until it has heard. */
export interface Callbacks {
  /** Looks for what is due now; resolves when each was tried once. */
  tell(): Promise<void>;
  close(): Promise<void>;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const LOOK_EVERY_MS = 500;
const CALL_LIMIT_MS = 5_000;

/** Call-backs out of the ledger, so that a restart forgets none. `lost` loses them: for tests. */
export function startCallbacks(
  ledger: Ledger,
  target: CallbackTarget,
  now: () => number,
  lost: () => boolean,
): Callbacks {
  let underWay: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    for (const { consent, attempts } of ledger.dueCallbacks(now())) {
      const arrived = lost() || (await post(target, consent));
      const wait = Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS);
      ledger.settleCallback(consent, arrived ? undefined : now() + wait);
    }
  };
  const tell = async (): Promise<void> => {
    // Two looks at once would tell the same twice; the second waits and looks again.
    while (underWay !== undefined) await underWay;
    underWay = look().finally(() => {
      underWay = undefined;
    });
    await underWay;
  };
  const timer = setInterval(() => {
    if (underWay === undefined) tell().catch((cause: unknown) => console.error('consent store:', cause));
  }, LOOK_EVERY_MS);
  timer.unref();
  return {
    tell,
    close: async () => {
      clearInterval(timer);
      await underWay?.catch(() => undefined);
    },
  };
}

/** True when the platform has heard. */
function post(target: CallbackTarget, id: string): Promise<boolean> {
  const body = JSON.stringify({ id });
  return new Promise((resolve) => {
    const call = httpsRequest(
      target.url,
      {
        method: 'POST',
        cert: target.certificate,
        key: target.key,
        ca: target.authority,
        agent: false,
        timeout: CALL_LIMIT_MS,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode === 204);
      },
    );
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(false));
    call.end(body);
  });
}
