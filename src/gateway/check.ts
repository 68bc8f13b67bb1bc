import type { Call, Rooms } from './call.ts';

/** One rule of the gateway. It passes by returning, refuses by throwing a Refusal, and adds what it found to the call's evidence. */
export interface Check {
  /** Stable; in the audit record and the reference. */
  readonly id: string;
  /** The requirement it enforces. */
  readonly clause: string;
  /** Returns a promise only where it must wait, so that a call answered from caches is not put off. */
  run(call: Call, rooms: Rooms): Promise<void> | void;
}
