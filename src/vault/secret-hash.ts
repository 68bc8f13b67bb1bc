import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Refusal } from '../platform/refusal.ts';

/** Cost of scrypt (RFC 7914): 16 MB and some 30 ms. Client secrets are random and long; the hash is the second line. */
const COST = 16_384;
const BLOCK_SIZE = 8;
const PARALLELIZATION = 1;
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Stored parameters beyond these would let a row decide how much memory a check takes. */
const MAXIMUM_COST = 131_072;
const MAXIMUM_MEMORY_BYTES = 192 * 1024 * 1024;
/** Computations at once: half of the thread pool, so that TLS, files and name lookups go on. */
const PARALLEL = 2;
/** Callers that wait for their turn: about one second of work; more are refused. */
const MAXIMUM_WAITING = 64;
/** Longer is no secret of ours. */
const MAXIMUM_SECRET = 1_024;
const STORED = /^scrypt\$(\d{1,6})\$(\d{1,2})\$(\d{1,2})\$([\w-]{22})\$([\w-]{43})$/;

interface Parameters {
  readonly cost: number;
  readonly blockSize: number;
  readonly parallelization: number;
  readonly salt: Uint8Array;
}

/** Salted, slow hashes of secrets, with a bound on how many are computed at once. */
export interface SecretHashing {
  hashSecret(secret: string): Promise<string>;
  verifySecret(secret: string, hash: string): Promise<boolean>;
}

/** Hashing with its own turnstile. */
export function createSecretHashing(): SecretHashing {
  const inTurn = createTurnstile();
  return {
    hashSecret: async (secret) => {
      if (secret.length > MAXIMUM_SECRET) throw new Error('the secret is too long to be hashed');
      const salt = randomBytes(SALT_BYTES);
      const parameters = { cost: COST, blockSize: BLOCK_SIZE, parallelization: PARALLELIZATION, salt };
      const hash = await inTurn(() => compute(secret, parameters));
      const numbers = [COST, BLOCK_SIZE, PARALLELIZATION].join('$');
      return `scrypt$${numbers}$${salt.toString('base64url')}$${hash.toString('base64url')}`;
    },
    verifySecret: async (secret, stored) => {
      const { hash, ...parameters } = parse(stored);
      if (secret.length > MAXIMUM_SECRET) return false;
      return timingSafeEqual(await inTurn(() => compute(secret, parameters)), hash);
    },
  };
}

function parse(stored: string): Parameters & { readonly hash: Uint8Array } {
  const [, cost, blockSize, parallelization, salt = '', hash = ''] = STORED.exec(stored) ?? [];
  const parameters = { cost: Number(cost), blockSize: Number(blockSize), parallelization: Number(parallelization) };
  const usable =
    parameters.cost <= MAXIMUM_COST && parameters.blockSize === BLOCK_SIZE && parameters.parallelization <= 4;
  if (!usable) throw new Error('the stored hash of a secret is not one of ours');
  return { ...parameters, salt: Buffer.from(salt, 'base64url'), hash: Buffer.from(hash, 'base64url') };
}

function compute(secret: string, parameters: Parameters): Promise<Buffer> {
  const { salt, ...cost } = parameters;
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, HASH_BYTES, { ...cost, maxmem: MAXIMUM_MEMORY_BYTES }, (cause, key) => {
      if (cause === null) resolve(key);
      else reject(cause);
    });
  });
}

function createTurnstile() {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= PARALLEL) {
      if (waiting.length >= MAXIMUM_WAITING) throw busy();
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

function busy(): Refusal {
  const sentence = 'Too many client secrets are being checked at the moment. Try again in a second.';
  return new Refusal('secret_check_busy', 503, sentence, { headers: { 'Retry-After': '1' } });
}
