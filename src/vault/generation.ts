import type { Actor, Audit } from '../audit/index.ts';
import { type Clock, secondsAfter } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Envelope } from './envelope.ts';
import { keysCreated, keysRotated } from './events.ts';
import { generateSigningKey, parseSigningKey, SIGNING_ALGORITHMS, type SigningAlgorithm } from './signing-key.ts';
import * as store from './store.ts';

/** What making keys needs. */
export interface GenerationOptions {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly envelope: Envelope;
  readonly overlapSeconds: number;
}

/** Processes hear of a rotation here; the payload is the bank. */
export const KEYS_CHANNEL = 'vault_keys';

/** What a sealed signing key is bound to: it opens for no other bank, algorithm or generation. */
export function signingKeyContext(bank: string, generation: number, algorithm: SigningAlgorithm): string {
  return JSON.stringify(['signing-key', bank, generation, algorithm]);
}

/** Makes a bank's first keys, unless another process was first: then its keys are the bank's. */
export async function createFirstGeneration(options: GenerationOptions, bank: string): Promise<void> {
  const keys = await makeGeneration(options.envelope, bank, 1);
  await options.database.transaction(async (statements) => {
    if (!(await store.insertGeneration(statements, keys, options.clock.now()))) return;
    await options.audit.record(statements, keysCreated(bank, kidsOf(keys)));
  });
}

/**
 * Makes the next generation current and lets the present one retire after the overlap.
 * @throws Refusal `key_rotation_conflict` 409 when somebody else rotated meanwhile
 */
export async function nextGeneration(
  options: GenerationOptions,
  present: readonly store.SigningKeyRow[],
  actor: Actor,
): Promise<void> {
  const current = present.filter(({ retiresAt }) => retiresAt === undefined);
  const [{ bank, generation } = missing()] = current;
  const keys = await makeGeneration(options.envelope, bank, generation + 1);
  const now = options.clock.now();
  const until = secondsAfter(now, options.overlapSeconds);
  await options.database.transaction(async (statements) => {
    const retired = await store.retireGeneration(statements, { bank, generation, retiresAt: until });
    if (!retired || !(await store.insertGeneration(statements, keys, now))) throw conflict();
    await store.removeRetiredKeys(statements, bank, now);
    await store.notifyKeysChanged(statements, KEYS_CHANNEL, bank);
    const change = { made: kidsOf(keys), retiring: kidsOf(current), until };
    await options.audit.record(statements, keysRotated(bank, change, actor));
  });
}

async function makeGeneration(envelope: Envelope, bank: string, generation: number) {
  return Promise.all(
    SIGNING_ALGORITHMS.map(async (algorithm) => {
      const pkcs8 = await generateSigningKey(algorithm);
      const { kid } = parseSigningKey(algorithm, pkcs8);
      const sealedKey = await envelope.seal(signingKeyContext(bank, generation, algorithm), pkcs8);
      pkcs8.fill(0);
      return { bank, generation, algorithm, kid, sealedKey };
    }),
  );
}

function kidsOf(keys: readonly { readonly kid: string }[]): readonly string[] {
  return keys.map(({ kid }) => kid);
}

function missing(): never {
  throw new Error('the bank has no current signing keys');
}

function conflict(): Refusal {
  return new Refusal('key_rotation_conflict', 409, 'The keys were rotated by somebody else at the same moment.');
}
