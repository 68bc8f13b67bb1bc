import type { Audit } from '../../audit/index.ts';
import type { Clock } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { ClientCertificate } from '../../trust/index.ts';
import type { Participant, Role } from '../participant.ts';
import { registerAnswered } from './events.ts';
import {
  type AuthorityRegister,
  partsOf,
  type RegisterAnswer,
  type RegisterQuestion,
  type RegisterSilence,
  RegisterUnavailable,
} from './register.ts';

/** The finer codes of a refusal (certificates.md §19 E 67). */
export type RegisterFinding =
  | 'authorised'
  | 'register_identifier'
  | 'register_not_found'
  | 'register_withdrawn'
  | 'register_passport'
  | 'register_role'
  | RegisterSilence;

/** The request for which a participant's authorisation is checked. */
export interface RegisterOccasion {
  /** Undefined where none came with the request. */
  readonly certificate: ClientCertificate | undefined;
  /** Roles one of which the request needs; empty: whatever there is. An answer at hand that has none of them is asked for anew. */
  readonly roles: readonly string[];
  /** `x-fapi-interaction-id`. */
  readonly interaction: string;
}

/** A participant's authorisation, as the competent authorities' register has it, for one bank. */
export interface ParticipantRegister {
  /** True: asked at API calls and token requests too, not only at registration. */
  readonly atCalls: boolean;
  /**
   * The roles in which the register lets this participant act in the bank's country; at once when the answer is at hand.
   * @throws Refusal `participant_refused_by_register` 403; `register_unavailable` 503, never an allow
   */
  check(participant: Participant, occasion: RegisterOccasion): readonly Role[] | Promise<readonly Role[]>;
}

/**
 * An authorisation that the operator vouches for, for a provider that the register does not cover: the published register of
 * the Union has no credit institutions.
 */
export interface RegisterException {
  /** The whole authorisation number, compared to the byte. */
  readonly identifier: string;
  readonly roles: readonly Role[];
  /** An exception ends; then the register is asked again. */
  readonly until: Date;
}

/** What a bank's register check is made of. */
export interface ParticipantRegisterOptions {
  readonly bank: string;
  /** Where the bank is: an authorisation must be given there, or passported there. */
  readonly country: string;
  readonly atCalls: boolean;
  readonly register: AuthorityRegister;
  readonly exceptions?: readonly RegisterException[] | undefined;
  readonly clock: Clock;
  readonly audit: Pick<Audit, 'enqueue'>;
  /** Told every finding, for the metrics. */
  readonly observe?: ((finding: RegisterFinding) => void) | undefined;
}

/** Participants whose last finding is remembered, so that the trail has each change and not each request. */
const MAXIMUM_FINDINGS = 10_000;

/** Checks a bank's participants against a register; findings are counted, and each change of one is in the trail. */
export function createParticipantRegister(options: ParticipantRegisterOptions): ParticipantRegister {
  const { bank, country, register, clock } = options;
  if (!/^[A-Z]{2}$/.test(country)) throw new Error(`bank ${bank}: the country of its register has two capital letters`);
  const exceptions = exceptionsOf(options);
  const note = createNotes(options);

  function judge(answer: RegisterAnswer, participant: Participant, interaction: string): readonly Role[] {
    const [finding, roles] = findingOf(answer, country);
    note(participant, finding, roles, interaction);
    if (finding === 'authorised') return roles;
    throw refused(finding);
  }

  function fail(cause: unknown, participant: Participant, interaction: string): never {
    if (!(cause instanceof RegisterUnavailable)) throw cause;
    note(participant, cause.code, [], interaction, 'register_unavailable');
    throw new Refusal(
      'register_unavailable',
      503,
      'The register of the competent authority gives no answer, so your authorisation cannot be confirmed; try again later.',
      { detail: cause.code, cause },
    );
  }

  function check(participant: Participant, occasion: RegisterOccasion) {
    const { interaction } = occasion;
    const exception = exceptions.get(participant.registrationNumber);
    if (exception !== undefined && clock.now() < exception.until)
      return judge(answerOf(exception, country), participant, interaction);
    const question = questionOf(participant, occasion);
    if (question === undefined) {
      note(participant, 'register_identifier', [], interaction);
      throw refused('register_identifier');
    }
    try {
      const answer = register.ask(question);
      if (!(answer instanceof Promise)) return judge(answer, participant, interaction);
      return answer.then(
        (late) => judge(late, participant, interaction),
        (cause: unknown) => fail(cause, participant, interaction),
      );
    } catch (cause) {
      if (cause instanceof Refusal) throw cause;
      return fail(cause, participant, interaction);
    }
  }

  return { atCalls: options.atCalls, check };
}

function exceptionsOf({ bank, exceptions = [] }: ParticipantRegisterOptions): ReadonlyMap<string, RegisterException> {
  const byIdentifier = new Map(exceptions.map((exception) => [exception.identifier, exception]));
  if (byIdentifier.size !== exceptions.length)
    throw new Error(`bank ${bank}: two exceptions of its register name the same authorisation number`);
  return byIdentifier;
}

function answerOf({ roles, until }: RegisterException, country: string): RegisterAnswer {
  return { status: 'authorised', roles: { [country]: roles }, until };
}

/** Undefined for a number that no register of payment institutions can have; an exception may still name it. */
function questionOf(participant: Participant, { certificate, roles }: RegisterOccasion): RegisterQuestion | undefined {
  const { registrationNumber: identifier } = participant;
  const parts = partsOf(identifier);
  return parts === undefined ? undefined : { ...parts, identifier, roles, certificate, participant };
}

function findingOf(answer: RegisterAnswer, country: string): readonly [RegisterFinding, readonly Role[]] {
  switch (answer.status) {
    case 'unknown':
      return ['register_not_found', []];
    case 'withdrawn':
      return ['register_withdrawn', []];
    case 'authorised':
      break;
    default:
      throw new Error(`unhandled answer of a register ${answer satisfies never}`);
  }
  const roles = Object.hasOwn(answer.roles, country) ? answer.roles[country] : undefined;
  if (roles === undefined) return ['register_passport', []];
  return roles.length === 0 ? ['register_role', []] : ['authorised', roles];
}

/** A refusal by the register, as API and registration answer it. */
export function refused(finding: RegisterFinding): Refusal {
  const sentence = SENTENCES[finding] ?? 'The register of the competent authority does not confirm your authorisation.';
  return new Refusal('participant_refused_by_register', 403, sentence, { detail: finding });
}

const SENTENCES: Readonly<Partial<Record<RegisterFinding, string>>> = {
  register_identifier: 'Your authorisation number is not one that the register of competent authorities can have.',
  register_not_found: 'The register of the competent authority does not know your authorisation number.',
  register_withdrawn: 'According to the register of the competent authority your authorisation is not in force.',
  register_passport: "The register of the competent authority has no authorisation for you in this bank's country.",
  register_role: 'The register of the competent authority does not authorise you for this service.',
};

function createNotes({ bank, audit, observe }: ParticipantRegisterOptions) {
  const findings = new Map<string, string>();
  return (
    participant: Participant,
    finding: RegisterFinding,
    roles: readonly Role[],
    interaction: string,
    reason = 'participant_refused_by_register',
  ): void => {
    observe?.(finding);
    const latest = `${finding} ${roles.join(' ')}`;
    if (findings.get(participant.id) === latest) return;
    const [oldest] = findings.keys();
    if (findings.size >= MAXIMUM_FINDINGS && oldest !== undefined) findings.delete(oldest);
    findings.set(participant.id, latest);
    audit.enqueue(registerAnswered({ bank, participant: participant.id, finding, roles, interaction, reason }));
  };
}
