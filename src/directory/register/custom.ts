import { parseAnswer } from './answer.ts';
import { type AuthorityRegister, type RegisterQuestion, RegisterUnavailable } from './register.ts';

/** A participant's call waits for it. */
const TIMEOUT_MS = 3_000;

/** What a bank's own module does: gives the answer to a question in the form of the HTTP service, or throws. */
export type AskRegister = (question: RegisterQuestion) => unknown;

/** A register of a bank's own; its answers are read as strictly as those of a service, and what it throws is silence. */
export function createCustomRegister(ask: AskRegister, timeoutMs = TIMEOUT_MS): AuthorityRegister {
  return {
    ask: async (question) => parseAnswer(await answered(ask, question, timeoutMs), question),
    close: async () => undefined,
  };
}

async function answered(ask: AskRegister, question: RegisterQuestion, timeoutMs: number): Promise<unknown> {
  const limit = AbortSignal.timeout(timeoutMs);
  const late = new Promise<never>((_resolve, reject) => {
    const give = () => reject(new RegisterUnavailable('register_timeout', 'the register gave no answer in time'));
    limit.addEventListener('abort', give, { once: true });
  });
  try {
    return await Promise.race([Promise.resolve(question).then(ask), late]);
  } catch (cause) {
    if (cause instanceof RegisterUnavailable) throw cause;
    throw new RegisterUnavailable('register_unreachable', 'the register of the bank failed', cause);
  }
}
