import { join } from 'node:path';
import type { StatusAddresses } from '../extensions.ts';
import { readable, readIfThere, writePublic } from '../files.ts';

/** Where the sandbox answers about certificates when nobody moved its ports. */
export const defaultStatusOrigin = 'http://localhost:9100';

/** The addresses of one authority. */
export function statusAddressesOf(origin: string, name: string): StatusAddresses {
  return { ocsp: `${origin}/ocsp/${name}`, crl: `${origin}/${name}.crl` };
}

/**
 * Keeps the origin beside the authority: a command that issues certificates names the same one as the sandbox that runs. Gives the
 * one that counts.
 */
export async function keepStatusOrigin(directory: string, origin: string | undefined): Promise<string> {
  const file = join(directory, 'status.json');
  const kept = originOf(await readIfThere(file));
  const wanted = origin ?? kept ?? defaultStatusOrigin;
  if (wanted !== kept) await writePublic(file, readable({ origin: wanted }));
  return wanted;
}

function originOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('origin' in value)) return undefined;
  return typeof value.origin === 'string' && /^http:\/\/localhost:\d+$/.test(value.origin) ? value.origin : undefined;
}
