import type { ClientCertificate } from '../../trust/index.ts';
import type { Participant, Role } from '../participant.ts';

/** What is asked of the competent authorities' register about one participant. */
export interface RegisterQuestion {
  /** The whole authorisation number, such as `PSDGB-FCA-123456`. */
  readonly identifier: string;
  /** Its three parts (certificates.md §14): country, authority, and the number as the authority gives it. */
  readonly country: string;
  readonly authority: string;
  readonly number: string;
  /** Roles one of which the request needs; a register may use them, the caller compares in any case. */
  readonly roles: readonly string[];
  /** The certificate that came with the request; undefined at doors that ask for none. */
  readonly certificate: ClientCertificate | undefined;
  readonly participant: Participant;
}

/** Roles by country, ISO 3166-1 alpha-2: the home country and those into which the authorisation was passported. */
export type RolesByCountry = Readonly<Record<string, readonly Role[]>>;

/** What a register says. There is no answer that means "not sure": a register that cannot say throws. */
export type RegisterAnswer =
  | {
      readonly status: 'authorised';
      readonly roles: RolesByCountry;
      /** When the authorisation ends, where the register knows; it is not believed from then on. */
      readonly until: Date | undefined;
    }
  | { readonly status: 'withdrawn' }
  | { readonly status: 'unknown' };

/**
 * The competent authorities' register: a port with two implementations, the snapshot of a published file and an HTTP
 * service; a register of one's own implements this.
 */
export interface AuthorityRegister {
  /**
   * The answer to this very question, at once when it is at hand.
   * @throws RegisterUnavailable when there is none; nobody is let in for want of an answer
   */
  ask(question: RegisterQuestion): RegisterAnswer | Promise<RegisterAnswer>;
  close(): Promise<void>;
}

/** Why there is no answer, as the audit trail and the metrics name it. */
export type RegisterSilence =
  | 'register_timeout'
  | 'register_unreachable'
  | 'register_paused'
  | 'register_malformed'
  | 'register_other_number'
  | 'register_unreadable'
  | 'register_stale';

/** Thrown by a register that has no answer. */
export class RegisterUnavailable extends Error {
  readonly code: RegisterSilence;

  constructor(code: RegisterSilence, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RegisterUnavailable';
    this.code = code;
  }
}

const PSD_IDENTIFIER = /^PSD([A-Z]{2})-([A-Z]{2,8})-(.{1,200})$/;

/** The parts of an authorisation number of the PSD form (TS 119 495 §5.2.1); undefined for every other form. */
export function partsOf(identifier: string): Pick<RegisterQuestion, 'country' | 'authority' | 'number'> | undefined {
  const [, country, authority, number] = PSD_IDENTIFIER.exec(identifier) ?? [];
  if (country === undefined || authority === undefined || number === undefined) return undefined;
  return { country, authority, number };
}
