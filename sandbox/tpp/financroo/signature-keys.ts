import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet } from 'jose';
import { demoParticipant } from '../../authority/participants.ts';
import type { Places } from '../../places.ts';
import { fetchOver, openWire, trustedRoot } from '../wire.ts';
import { createSignatureChecker, type SignatureChecker, type SignatureParts } from './signatures.ts';

/** A checker and its connections. */
export interface OpenSignatureChecker {
  readonly check: SignatureChecker;
  close(): Promise<void>;
}

/** Opens a checker of signatures: Financroo's own keys, the directory's, and those that a bank publishes. */
export async function openSignatureChecker(
  places: Places,
  jwksUriOf: SignatureParts['jwksUriOf'],
): Promise<OpenSignatureChecker> {
  const statement = await readFile(join(places.participants, demoParticipant, 'software-statement.jwt'), 'utf8');
  const directory = await readFile(join(places.authority, 'directory.jwks.json'), 'utf8');
  // A wire of its own: fetching keys is no step of any flow, so it stands in no list of messages.
  const wire = openWire(await trustedRoot(places), undefined, () => undefined);
  const get = fetchOver(wire);
  const check = createSignatureChecker({
    own: {
      source: 'Financroo’s keys, which its software statement names',
      find: createLocalJWKSet(keySetIn(decodeJwt(statement.trim()).software_jwks)),
    },
    directory: {
      source: 'the keys of the directory of participants',
      find: createLocalJWKSet(keySetIn(JSON.parse(directory))),
    },
    jwksUriOf,
    fetch: (url) => get(url, { method: 'GET', headers: { accept: 'application/json' } }),
  });
  return { check, close: () => wire.close() };
}

function keySetIn(value: unknown): JSONWebKeySet {
  if (isKeySet(value)) return value;
  throw new Error('these are no public keys: remove the sandbox with npm run reset');
}

function isKeySet(value: unknown): value is JSONWebKeySet {
  return typeof value === 'object' && value !== null && 'keys' in value && Array.isArray(value.keys);
}
