import { X509Certificate } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere } from './authority/files.ts';
import type { Places } from './places.ts';

const DAY_MS = 86_400_000;
/** From here on the start page warns (N-277). */
const WARNING_DAYS = 30;

/** A warning for every certificate that ends within thirty days. */
export async function expiryWarnings(places: Places, now: Date): Promise<readonly string[]> {
  const participants = await readdir(places.participants);
  const files = [
    join(places.platform, 'server.pem'),
    join(places.platform, 'gateway.pem'),
    ...participants.map((name) => join(places.participants, name, 'transport.pem')),
  ];
  const warnings = await Promise.all(files.map((file) => warningFor(file, now)));
  return warnings.filter((warning) => warning !== undefined);
}

async function warningFor(file: string, now: Date): Promise<string | undefined> {
  const pem = await readIfThere(file);
  if (pem === undefined) return undefined;
  const days = Math.floor((new X509Certificate(pem).validToDate.getTime() - now.getTime()) / DAY_MS);
  if (days >= WARNING_DAYS) return undefined;
  return `${file} ends in ${days} day(s); a start within the last seven days renews it`;
}
