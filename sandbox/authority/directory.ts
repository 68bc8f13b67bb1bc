import { hash, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose';
import { readable, writePublic } from './files.ts';
import { openKey } from './keys.ts';
import type { Role } from './roles.ts';

/** Who signs software statements. */
export const statementIssuer = 'Portcullis Sandbox Directory';
/** As long as the platform accepts them by default; the start makes fresh ones. */
const STATEMENT_DAYS = 30;
const DAY_SECONDS = 86_400;

/** The directory's signing key. */
export interface DirectorySigner {
  readonly key: KeyObject;
  readonly keyId: string;
}

/** What the directory says of a participant's software (claims of standards.md §4). */
export interface Software {
  readonly id: string;
  readonly clientName: string;
  readonly organisation: string;
  readonly organisationName: string;
  readonly roles: readonly Role[];
  readonly redirectUris: readonly string[];
  /** Public keys by value: no bank has to fetch anything. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
}

/** Opens the directory's key and publishes its public half as `directory.jwks.json`. */
export async function openDirectorySigner(directory: string): Promise<DirectorySigner> {
  const { privateKey, publicKey } = await openKey(join(directory, 'directory.key'), 'ec');
  const jwk = await exportJWK(publicKey);
  const keyId = await calculateJwkThumbprint(jwk);
  const keys = { keys: [{ ...jwk, kid: keyId, use: 'sig', alg: 'ES256' }] };
  await writePublic(join(directory, 'directory.jwks.json'), readable(keys));
  return { key: privateKey, keyId };
}

/** A software statement: RFC 7591 §2.3, with the claims of the UK directory. */
export function signStatement(software: Software, signer: DirectorySigner, now: Date): Promise<string> {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT({
    software_id: software.id,
    software_client_name: software.clientName,
    software_environment: 'sandbox',
    software_mode: 'Test',
    software_roles: [...software.roles],
    software_redirect_uris: [...software.redirectUris],
    software_jwks: { keys: software.keys.map((key) => ({ ...key })) },
    org_id: software.organisation,
    org_name: software.organisationName,
    org_status: 'Active',
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: signer.keyId })
    .setIssuer(statementIssuer)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + STATEMENT_DAYS * DAY_SECONDS)
    .setJti(crypto.randomUUID())
    .sign(signer.key);
}

/** 22 letters and digits, as the UK directory's ids are, from a participant's name. */
export function softwareIdOf(name: string): string {
  return hash('sha256', `software ${name}`, 'base64url').replaceAll(/[-_]/g, '').slice(0, 22);
}
