import { type Qualification, qualifiesFor } from './qualification.ts';
import type { Certificate } from './x509.ts';

/** A time in which a trusted list gives a service its status. */
export interface GrantedPeriod {
  readonly from: Date;
  /** The status ended or ends here; undefined while it holds. */
  readonly until?: Date | undefined;
  /** What the list says of some of the certificates of the service, overriding what they say of themselves. */
  readonly qualifications?: readonly Qualification[] | undefined;
}

/** What limits an anchor beside its certificate (ETSI TS 119 615 §4.4). */
export interface Grant {
  /** Certificates issued before this do not count. */
  readonly from?: Date | undefined;
  /** From here on nothing that it issued counts; for a trusted list the end of the list itself. */
  readonly until?: Date | undefined;
  /** Times of a trusted list: one has to hold the moment of issuance, and one has to hold now. */
  readonly granted?: readonly GrantedPeriod[] | undefined;
  /** What the list grants; undefined without a list. */
  readonly grantedUse?: 'transport' | 'signature' | undefined;
  /** True: it vouches for what it issued itself, not for what an authority below it issued. */
  readonly issuingOnly?: boolean | undefined;
}

/** Why a grant does not cover a leaf. */
export interface GrantProblem {
  readonly code: 'anchor_not_granted' | 'trusted_list_expired';
  readonly message: string;
}

const NOT_GRANTED = 'The trusted list does not grant this authority its status.';

/** Asks a grant about the moment of issuance and about now; `between` counts the authorities below the anchor. */
export function grantProblem(grant: Grant, leaf: Certificate, between: number, now: Date): GrantProblem | undefined {
  const { from, until, granted } = grant;
  if (granted !== undefined && until !== undefined && now >= until) {
    return { code: 'trusted_list_expired', message: 'The trusted list that names this authority is out of date.' };
  }
  const inside =
    (from === undefined || (from <= leaf.notBefore && from <= now)) && (until === undefined || now < until);
  if (!inside) return { code: 'anchor_not_granted', message: NOT_GRANTED };
  if (grant.issuingOnly === true && between > 0) {
    const message = 'The trusted list names an authority above the issuer of the certificate, not the issuer.';
    return { code: 'anchor_not_granted', message };
  }
  return granted === undefined ? undefined : periodProblem(granted, grant.grantedUse ?? 'transport', leaf, now);
}

function periodProblem(
  periods: readonly GrantedPeriod[],
  use: 'transport' | 'signature',
  leaf: Certificate,
  now: Date,
): GrantProblem | undefined {
  const at = [leaf.notBefore, now].map((moment) => periods.filter((period) => holds(period, moment)));
  if (at.some((held) => held.length === 0)) return { code: 'anchor_not_granted', message: NOT_GRANTED };
  const covered = at.every((held) => held.some(({ qualifications = [] }) => qualifiesFor(leaf, use, qualifications)));
  if (covered) return undefined;
  const message = 'The trusted list says of certificates like this one that they are not qualified for this use.';
  return { code: 'anchor_not_granted', message };
}

function holds({ from, until }: GrantedPeriod, moment: Date): boolean {
  return from <= moment && (until === undefined || moment < until);
}

/** Moments at which a grant may stop covering what it covers now. */
export function grantEnds({ until, granted = [] }: Grant, now: Date): readonly Date[] {
  const ends = granted.flatMap((period) => (holds(period, now) && period.until !== undefined ? [period.until] : []));
  return until === undefined ? ends : [...ends, until];
}
