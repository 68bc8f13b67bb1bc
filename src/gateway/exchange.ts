import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayBank } from './bank.ts';
import type { Call, Door } from './call.ts';

/** One request and its answer, from arrival to the record in the trail. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined when no such bank is served here. */
  readonly bank: GatewayBank | undefined;
  readonly door: Door;
  readonly interaction: string;
  /** Monotonic milliseconds at arrival. */
  readonly startedAt: number;
  /** Set once the route is known. */
  call: Call | undefined;
  /** Id of the check that runs or refused; undefined before the first and after the last. */
  check: string | undefined;
  /** True once the one record of this exchange was given to the trail. */
  recorded: boolean;
}

/** How an exchange ended, for the trail. */
export type Ending =
  | { readonly kind: 'forwarded'; readonly status: number }
  /** Refused here; nothing of it reached the bank, or the action itself said no. */
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly detail: string | undefined }
  /** Forwarded without an answer that could be given on, a client that left, or a defect of ours. */
  | { readonly kind: 'failed'; readonly status: number; readonly reason: string; readonly detail: string | undefined };
