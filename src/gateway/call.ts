import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '../audit/index.ts';
import type { Consent, Consents } from '../consent/index.ts';
import type { Directory, Standing } from '../directory/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import type { TokenFacts, Tokens } from '../tokens/index.ts';
import type { CertificateVerdict, ClientCertificate, Trust } from '../trust/index.ts';
import type { Vault } from '../vault/index.ts';
import type { GatewayBank } from './bank.ts';
import type { CompiledRoute } from './routes.ts';

/** The door a request came through: with or without a client certificate in the handshake. */
export type Door = 'mtls' | 'plain';

/** The rooms the checks and actions ask, and no more of each than they ask. */
export interface Rooms {
  readonly trust: Pick<Trust, 'clientCertificate'>;
  readonly directory: Pick<Directory, 'standing' | 'takeRequest'>;
  readonly tokens: Pick<Tokens, 'resolve'>;
  readonly consents: Pick<Consents, 'current' | 'touch'>;
  readonly vault: Pick<Vault, 'signJwt' | 'onRotation' | 'tokenize' | 'detokenize'>;
  readonly audit: Pick<Audit, 'enqueue' | 'checkWritable' | 'flush'>;
  readonly database: Pick<Database, 'transaction'>;
  readonly clock: Clock;
}

/** A payment as the participant asks for it (LAB-27). */
export interface PaymentOrder {
  readonly token: string;
  readonly amount: number;
}

/** What the checks found out about one request. Every slot is written once, by one check, through `learn`. */
export interface Evidence {
  /** Undefined also where the door and the bank ask for none. */
  certificate: ClientCertificate | undefined;
  /** What trust said of it; also a refusal. */
  verdict: CertificateVerdict | undefined;
  /** The text of the presented token; never leaves the process. */
  bearer: string | undefined;
  token: TokenFacts | undefined;
  standing: Standing | undefined;
  /** Roles that the competent authorities' register gives the participant; undefined where it is not asked. */
  registered: readonly string[] | undefined;
  /** The directory role that allowed the scope. */
  role: string | undefined;
  /** The account the request names, in its path or its body. */
  account: string | undefined;
  payment: PaymentOrder | undefined;
  consent: Consent | undefined;
}

/** One request on its way: fixed facts, and the evidence the checks add. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly bank: GatewayBank;
  readonly door: Door;
  readonly route: CompiledRoute;
  readonly parameters: Readonly<Record<string, string>>;
  /** Canonical path and query, as they go to the bank. */
  readonly target: string;
  /** `x-fapi-interaction-id` of request and answer. */
  readonly interaction: string;
  readonly evidence: Readonly<Evidence>;
}

/** Evidence before the first check, with every slot in place so that all calls have one shape. */
export function noEvidence(): Evidence {
  return {
    certificate: undefined,
    verdict: undefined,
    bearer: undefined,
    token: undefined,
    standing: undefined,
    registered: undefined,
    role: undefined,
    account: undefined,
    payment: undefined,
    consent: undefined,
  };
}

/** Adds what a check found. @throws Error when the slot is taken: facts are added, never changed. */
export function learn<K extends keyof Evidence>(call: Call, slot: K, value: NonNullable<Evidence[K]>): void {
  if (call.evidence[slot] !== undefined) throw new Error(`evidence "${slot}" was found twice`);
  const evidence: Evidence = call.evidence;
  evidence[slot] = value;
}

/** Goes on with what a room answered: in the same breath when it had it at hand, which is most of what a request costs. */
export function withAnswer<T>(answer: T | Promise<T>, use: (answer: T) => void): void | Promise<void> {
  return answer instanceof Promise ? answer.then(use) : use(answer);
}

/** What an earlier check found. @throws Error when it did not run: a defect of the table, answered 500, never an allow. */
export function known<K extends keyof Evidence>(call: Call, slot: K): NonNullable<Evidence[K]> {
  const value = call.evidence[slot];
  if (value === undefined || value === null) throw new Error(`evidence "${slot}" is needed before it was found`);
  return value;
}
