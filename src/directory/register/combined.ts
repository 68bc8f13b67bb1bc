import { createCache } from '../../platform/cache.ts';
import { type Clock, secondsAfter } from '../../platform/clock.ts';
import { type AuthorityRegister, type RegisterAnswer, RegisterUnavailable } from './register.ts';

/** A change of status takes effect within five minutes: no positive answer is believed for longer. */
export const MAXIMUM_POSITIVE_SECONDS = 300;
/** Participants that are busy at the same time, each with a few certificates. */
const MAXIMUM_ANSWERS = 10_000;

/** How long positive answers are believed, and where they must hold. */
export interface Memory {
  readonly clock: Clock;
  readonly seconds: number;
  /** A bank's country: an answer that gives no role there is none to remember. */
  readonly country: string;
}

/**
 * Believes positive answers for some time from the moment they were asked for, refusals never: neither of a participant, nor
 * of the roles that a request needs. One question at a time for each participant and certificate.
 */
export function rememberPositives(register: AuthorityRegister, { clock, seconds, country }: Memory): AuthorityRegister {
  if (!(seconds >= 0 && seconds <= MAXIMUM_POSITIVE_SECONDS))
    throw new Error(`a register's answer is believed for 0 to ${MAXIMUM_POSITIVE_SECONDS} seconds`);
  const answers = createCache<RegisterAnswer>({ maximum: MAXIMUM_ANSWERS, clock });
  return {
    ask: (question) => {
      const key = `${question.certificate?.thumbprint ?? ''} ${question.identifier}`;
      const known = answers.get(key);
      if (known !== undefined && isPositive(known, country, question.roles)) return known;
      // What is remembered does not allow it: that may have changed since.
      if (known !== undefined) answers.drop(key);
      const asking = answers.load(key, async () => {
        const askedAt = clock.now();
        const value = await register.ask(question);
        const positive = isPositive(value, country, []);
        return { value, validUntil: positive ? endOf(value, secondsAfter(askedAt, seconds)) : askedAt };
      });
      return asking.then(present);
    },
    close: () => register.close(),
  };
}

/** Whether an answer gives a role in the country; one of those that are wanted, where any are. */
function isPositive(answer: RegisterAnswer, country: string, wanted: readonly string[]): boolean {
  if (answer.status !== 'authorised') return false;
  const held: readonly string[] = (Object.hasOwn(answer.roles, country) ? answer.roles[country] : undefined) ?? [];
  return wanted.length === 0 ? held.length > 0 : held.some((role) => wanted.includes(role));
}

function endOf(answer: RegisterAnswer, end: Date): Date {
  return answer.status === 'authorised' && answer.until !== undefined && answer.until < end ? answer.until : end;
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
