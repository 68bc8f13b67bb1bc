import type { Consent } from '../consent/index.ts';
import { type Clock, epochSeconds } from '../platform/clock.ts';
import type { TokenFacts } from '../tokens/index.ts';
import { type Call, known, type Rooms } from './call.ts';

/** The request header that tells the bank what was verified: a compact JWS of the platform. */
export const factsHeader = 'portcullis-facts';
/** The JWS `typ`, so that no other JWT of the same key can pass for one. */
const factsType = 'portcullis-facts+jwt';
/** How long the bank may believe a statement, in seconds. */
const lifeSeconds = 60;
/** How long one statement is used again, in milliseconds: signing costs more than all checks together. */
const reuseMilliseconds = 30_000;

/** What an action adds for one request: the customer and account behind a vault token. */
export interface ActionFacts {
  readonly customer: string;
  readonly consent: string;
  readonly accounts: readonly string[];
}

/** Signs the facts of a call. */
export interface FactsSigner {
  /** The header value; a promise only when it has to be signed anew. */
  forCall(call: Call): string | Promise<string>;
  /** The same with the facts of an action, never used again. */
  forAction(call: Call, facts: ActionFacts): Promise<string>;
}

interface Statement {
  readonly header: string;
  readonly until: number;
  readonly consent: Consent | undefined;
  readonly thumbprint: string | undefined;
}

/**
 * Statements are kept beside the token's facts as the token room gives them, for as long as that room keeps them; a statement
 * is used again only under the very same consent and certificate, so that a changed consent is a new statement.
 */
export function createFactsSigner(vault: Rooms['vault'], clock: Clock): FactsSigner {
  let statements = new WeakMap<TokenFacts, Statement>();
  vault.onRotation(() => {
    statements = new WeakMap();
  });
  async function sign(call: Call, action?: ActionFacts): Promise<string> {
    return vault.signJwt(call.bank.id, factsType, claimsOf(call, clock.now(), action));
  }
  async function renew(call: Call, token: TokenFacts): Promise<string> {
    const kept = statements;
    const { consent, certificate } = call.evidence;
    const until = clock.now().getTime() + reuseMilliseconds;
    const header = await sign(call);
    kept.set(token, { header, until, consent, thumbprint: certificate?.thumbprint });
    return header;
  }
  return {
    forCall(call) {
      const token = known(call, 'token');
      const statement = statements.get(token);
      return statement !== undefined && stillTrue(statement, call, clock.now()) ? statement.header : renew(call, token);
    },
    forAction: (call, facts) => sign(call, facts),
  };
}

function stillTrue(statement: Statement, call: Call, now: Date): boolean {
  return (
    now.getTime() < statement.until &&
    sameConsent(statement.consent, call.evidence.consent) &&
    statement.thumbprint === call.evidence.certificate?.thumbprint
  );
}

/** Whether a statement says the same of both: two changes of one moment, or of two clocks, can have one `changedAt`. */
function sameConsent(one: Consent | undefined, other: Consent | undefined): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined || one.id !== other.id) return false;
  return (
    one.changedAt.getTime() === other.changedAt.getTime() &&
    one.accounts.length === other.accounts.length &&
    one.accounts.every((account, index) => account === other.accounts[index])
  );
}

function claimsOf(call: Call, now: Date, action: ActionFacts | undefined) {
  const token = known(call, 'token');
  const { consent, certificate } = call.evidence;
  return defined({
    iss: call.bank.issuer,
    aud: call.bank.id,
    iat: epochSeconds(now),
    exp: epochSeconds(now) + lifeSeconds,
    client: token.client,
    participant: token.participant,
    customer: action?.customer ?? token.customer,
    consent: action?.consent ?? consent?.id,
    accounts: action?.accounts ?? consent?.accounts,
    scopes: token.scopes,
    thumbprint: certificate?.thumbprint,
  });
}

/** Absent facts are absent claims, not nulls. */
function defined(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
