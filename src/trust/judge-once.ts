import type { Clock } from '../platform/clock.ts';
import { secondsAfter } from '../platform/clock.ts';
import { completedChain } from './completed-chain.ts';
import type { JudgeOptions } from './contract.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import type { Issuers } from './issuer-fetch.ts';
import { earliest } from './moments.ts';
import type { Revocation } from './revocation.ts';
import type { CompiledScheme } from './scheme.ts';
import type { CertificateVerdict } from './verdict.ts';
import type { VerdictMemory } from './verdict-memory.ts';

/** A good certificate is looked at again after this, whatever its dates say. */
const POSITIVE_SECONDS = 3_600;
/** A refused caller may have been helped meanwhile; a flood of bad certificates still costs little. */
const NEGATIVE_SECONDS = 10;

/** What a caller asks, and whether the proxy before the door has asked about revocation. */
export interface Asked extends JudgeOptions {
  readonly vouched?: boolean | undefined;
}

/** Judges a chain, or remembers the verdict under `place`; given at once when at hand. */
export type JudgeOnce = (
  chain: readonly Uint8Array[],
  place: string,
  scheme: CompiledScheme,
  options?: Asked,
) => CertificateVerdict | Promise<CertificateVerdict>;

/** Where verdicts come from, and where they are kept. */
interface JudgeParts {
  readonly clock: Clock;
  readonly evaluations: VerdictMemory;
  readonly revocation: Revocation;
  readonly issuers: Issuers;
}

/** Judging with memory: one evaluation per place, until the first of its verdicts may change. */
export function createJudgeOnce({ clock, evaluations, revocation, issuers }: JudgeParts): JudgeOnce {
  return (chain, place, scheme, options) => {
    const known = evaluations.get(place);
    return known === undefined ? judgeAnew(chain, place, scheme, options) : verdictOf(known, options);
  };

  async function judgeAnew(
    chain: readonly Uint8Array[],
    place: string,
    scheme: CompiledScheme,
    options: Asked | undefined,
  ): Promise<CertificateVerdict> {
    const evaluation = await evaluations.load(place, async () => {
      const now = clock.now();
      const whole = await completedChain(chain, scheme, issuers, now);
      const value = await evaluate(whole, scheme, revocation, now, options?.vouched);
      return { value, validUntil: endOf(value, now) };
    });
    return verdictOf(evaluation, options);
  }
}

function verdictOf(evaluation: Evaluation, options: JudgeOptions | undefined): CertificateVerdict {
  return options?.revocation === 'soft' ? evaluation.soft : evaluation.strict;
}

/** Strict and soft verdict share a place: it is given up when the first of the two may change. */
function endOf({ strict, soft }: Evaluation, now: Date): Date {
  const negative = secondsAfter(now, NEGATIVE_SECONDS);
  const ends = [strict, soft].map((verdict) => (verdict.ok ? verdict.validUntil : negative));
  return earliest(secondsAfter(now, POSITIVE_SECONDS), ...ends);
}
