import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openAuthority } from '../authority/authority.ts';
import type { Places } from '../places.ts';
import { identitiesOf, keepStoreIdentities, storeFilesOf } from './identities.ts';
import { type OpenConsentStore, openConsentStore } from './server.ts';

/** Which bank's store, where, and where the platform is. */
export interface DemoStoreOptions {
  readonly bank: string;
  readonly port: number;
  /** `https://host:port` of the platform's mTLS door. */
  readonly platform: string;
  readonly places: Places;
  readonly now: Date;
}

/** Makes what is missing and opens the consent store of a demo bank. */
export async function openDemoStore({
  bank,
  port,
  platform,
  places,
  now,
}: DemoStoreOptions): Promise<OpenConsentStore> {
  await keepStoreIdentities(places, bank, await openAuthority(places.authority, now), now);
  const files = storeFilesOf(places, bank);
  const read = (path: string): Promise<string> => readFile(path, 'utf8');
  return openConsentStore({
    host: 'localhost',
    port,
    certificate: await read(files.server.certificate),
    key: await read(files.server.key),
    authority: await read(join(places.authority, 'internal.pem')),
    identities: identitiesOf(bank),
    file: files.consents,
    callback: {
      url: `${platform}/${bank}/consent-changed`,
      certificate: await read(files.callback.certificate),
      key: await read(files.callback.key),
      authority: await read(join(places.authority, 'root.pem')),
    },
  });
}
