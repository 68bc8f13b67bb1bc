import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const KEY_OCTETS = 32;
const SALT_OCTETS = 16;

/** The password of both demo customers; the start prints it. */
export const demoPassword = 'p@ssword!';

/** Checks a customer's password. */
export interface PasswordBook {
  /** True when the password is this user's. Takes as long for a user who does not exist. */
  matches(username: string, password: string): Promise<boolean>;
}

interface Hashed {
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** A book in which the given users have the demo password; only salted hashes are kept. */
export async function createPasswordBook(usernames: readonly string[]): Promise<PasswordBook> {
  const book = new Map(
    await Promise.all(usernames.map(async (username) => [username, await hashed(demoPassword)] as const)),
  );
  const nobody = await hashed(randomBytes(KEY_OCTETS).toString('base64url'));
  return {
    matches: async (username, password) => {
      const known = book.get(username);
      const { salt, key } = known ?? nobody;
      const same = timingSafeEqual(await derive(password, salt, KEY_OCTETS), key);
      return same && known !== undefined;
    },
  };
}

async function hashed(password: string): Promise<Hashed> {
  const salt = randomBytes(SALT_OCTETS);
  return { salt, key: await derive(password, salt, KEY_OCTETS) };
}
