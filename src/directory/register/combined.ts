import { createCache } from '../../platform/cache.ts';
import { type Clock, secondsAfter } from '../../platform/clock.ts';
import { type AuthorityRegister, type RegisterAnswer, RegisterUnavailable } from './register.ts';

/** A change of status takes effect within five minutes: no positive answer is believed for longer. */
export const MAXIMUM_POSITIVE_SECONDS = 300;
/** Participants that are busy at the same time, each with a few certificates. */
const MAXIMUM_ANSWERS = 10_000;

/**
 * Believes positive answers for `seconds` from the moment they were asked for, refusals never; one question at a time for
 * each participant and certificate.
 */
export function rememberPositives(register: AuthorityRegister, clock: Clock, seconds: number): AuthorityRegister {
  if (!(seconds >= 0 && seconds <= MAXIMUM_POSITIVE_SECONDS))
    throw new Error(`a register's answer is believed for 0 to ${MAXIMUM_POSITIVE_SECONDS} seconds`);
  const answers = createCache<RegisterAnswer>({ maximum: MAXIMUM_ANSWERS, clock });
  return {
    ask: (question) => {
      const key = `${question.certificate?.thumbprint ?? ''} ${question.identifier}`;
      const known = answers.get(key);
      if (known !== undefined) return known;
      const asking = answers.load(key, async () => {
        const askedAt = clock.now();
        const value = await register.ask(question);
        return { value, validUntil: endOf(value, secondsAfter(askedAt, seconds), askedAt) };
      });
      return asking.then(present);
    },
    close: () => register.close(),
  };
}

function endOf(answer: RegisterAnswer, end: Date, askedAt: Date): Date {
  if (answer.status !== 'authorised') return askedAt;
  return answer.until !== undefined && answer.until < end ? answer.until : end;
}

function present(answer: RegisterAnswer | undefined): RegisterAnswer {
  if (answer === undefined) throw new Error('a register gave no answer and did not say so');
  return answer;
}

/** Asks the first; the second only when the first has no answer. A refusal of the first is an answer. */
export function withFallback(first: AuthorityRegister, second: AuthorityRegister): AuthorityRegister {
  return {
    ask: async (question) => {
      try {
        return await first.ask(question);
      } catch (cause) {
        if (!(cause instanceof RegisterUnavailable)) throw cause;
        return second.ask(question);
      }
    },
    close: async () => {
      await Promise.all([first.close(), second.close()]);
    },
  };
}
