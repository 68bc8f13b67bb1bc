import { createRemoteJWKSet, customFetch, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { Agent, fetch } from 'undici';
import { Problem } from './problem.ts';

/** The header in which the platform tells what it verified. */
const factsHeader = 'portcullis-facts';
const FACTS_TYPE = 'portcullis-facts+jwt';
/** Clocks on one machine differ by nothing, on two by little. */
const TOLERANCE_SECONDS = 5;
/** A signature costs the platform something; nobody makes longer ones. */
const MAXIMUM_CHARACTERS = 65_536;
const KEY_FETCH_MS = 3_000;
/** An unknown key id is asked for again after this long: keys rotate, and guessed ids must not become requests. */
const KEY_COOLDOWN_MS = 1_000;
const KEY_CACHE_MS = 600_000;

/** What the platform verified of a request. */
export interface Facts {
  readonly customer: string | undefined;
  /** The accounts the customer agreed to; empty when there is no consent. */
  readonly accounts: readonly string[];
}

/** Reads the facts of a request. @throws Problem 401 when they are missing, expired, another's or signed by another */
export type FactsReader = (header: string | readonly string[] | undefined) => Promise<Facts>;

/** A reader for one bank. `keys` finds the platform's key of a statement. */
export function createFactsReader(bank: string, issuer: string, keys: JWTVerifyGetKey, now: () => Date): FactsReader {
  return async (header) => {
    if (typeof header !== 'string' || header === '') {
      throw new Problem(401, 'facts_missing', `Only the platform asks here, with the header ${factsHeader}.`);
    }
    if (header.length > MAXIMUM_CHARACTERS) throw new Problem(401, 'facts_invalid', 'The statement is too long.');
    try {
      const { payload } = await jwtVerify(header, keys, {
        issuer,
        audience: bank,
        algorithms: ['ES256'],
        typ: FACTS_TYPE,
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: now(),
        requiredClaims: ['iat', 'exp'],
      });
      return factsOf(payload);
    } catch (cause) {
      throw problemOf(cause);
    }
  };
}

function factsOf({ customer, accounts }: JWTPayload): Facts {
  if (customer !== undefined && typeof customer !== 'string') throw invalid('customer is no text');
  if (accounts === undefined) return { customer, accounts: [] };
  if (!Array.isArray(accounts)) throw invalid('accounts is no list');
  const ids: unknown[] = accounts;
  const texts = ids.filter((id) => typeof id === 'string');
  if (texts.length !== ids.length) throw invalid('accounts holds something that is no id');
  return { customer, accounts: texts };
}

function invalid(what: string): Problem {
  return new Problem(401, 'facts_invalid', `The statement cannot be used: ${what}.`);
}

/** What jose says of a statement that is wrong, in contrast to keys that cannot be had. */
const STATEMENT_ERRORS: readonly string[] = [
  errors.JWTClaimValidationFailed.code,
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
];

function problemOf(cause: unknown): Problem {
  if (cause instanceof Problem) return cause;
  if (cause instanceof errors.JWTExpired) return new Problem(401, 'facts_expired', 'The statement has expired.');
  if (cause instanceof errors.JOSEError && STATEMENT_ERRORS.includes(cause.code)) {
    const claim = cause instanceof errors.JWTClaimValidationFailed ? ` (${cause.claim})` : '';
    return new Problem(401, 'facts_invalid', `The statement is not one of the platform for this bank${claim}.`);
  }
  return new Problem(503, 'keys_unavailable', "The platform's keys cannot be had: nothing can be believed now.");
}

/** The platform's keys at an address, over TLS with the given authority; fetched when first needed and on an unknown id. */
export function remoteKeys(address: string, authority: string): JWTVerifyGetKey {
  const dispatcher = new Agent({ connect: { ca: authority }, headersTimeout: KEY_FETCH_MS, bodyTimeout: KEY_FETCH_MS });
  return createRemoteJWKSet(new URL(address), {
    timeoutDuration: KEY_FETCH_MS,
    cooldownDuration: KEY_COOLDOWN_MS,
    cacheMaxAge: KEY_CACHE_MS,
    [customFetch]: async (url, { headers, signal }) => {
      const answer = await fetch(url, { dispatcher, headers: [...headers], signal, redirect: 'manual' });
      return new Response(await answer.text(), { status: answer.status, headers: [...answer.headers] });
    },
  });
}
