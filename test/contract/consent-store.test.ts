import { readFile } from 'node:fs/promises';
import { createAuthority, type Issued } from '../support/certificates.ts';
import { startConsentService } from '../support/consent-service.ts';
import { consentStoreContract } from './consent-store.ts';
import type { Identity, StoreUnderTest } from './store-visitor.ts';

const { CONSENT_STORE_ORIGIN: origin } = process.env;

if (origin === undefined) consentStoreContract("the sandbox's store", openSandboxStore);
else consentStoreContract(origin, () => openNamedStore(origin));

async function openSandboxStore(): Promise<StoreUnderTest> {
  const authority = createAuthority('Consent CA');
  const service = await startConsentService(authority);
  return {
    origin: service.store.origin,
    authorities: authority.certificatePem,
    platform: identityOf(service.platform),
    bank: identityOf(service.bank),
    stranger: identityOf(authority.issue({ commonName: 'tpp' })),
    attribute: { name: 'riskScore', right: 12, wrong: 'high' },
    close: service.close,
  };
}

function identityOf({ chainPem, keyPem }: Issued): Identity {
  return { certificate: chainPem, key: keyPem };
}

/** A store that somebody named in the environment: see docs/integrate/consent-store.md. */
async function openNamedStore(named: string): Promise<StoreUnderTest> {
  const platform = await identityFrom('CONSENT_STORE_PLATFORM');
  const authorities = process.env.CONSENT_STORE_AUTHORITIES;
  if (platform === undefined || authorities === undefined)
    throw new Error('set CONSENT_STORE_AUTHORITIES, CONSENT_STORE_PLATFORM_CERTIFICATE and CONSENT_STORE_PLATFORM_KEY');
  const attribute = process.env.CONSENT_STORE_ATTRIBUTE;
  return {
    origin: named,
    authorities: await readFile(authorities, 'utf8'),
    platform,
    bank: await identityFrom('CONSENT_STORE_BANK'),
    stranger: await identityFrom('CONSENT_STORE_STRANGER'),
    attribute: attribute === undefined ? undefined : attributeFrom(JSON.parse(attribute)),
  };
}

async function identityFrom(prefix: string): Promise<Identity | undefined> {
  const [certificate, key] = [process.env[`${prefix}_CERTIFICATE`], process.env[`${prefix}_KEY`]];
  if (certificate === undefined || key === undefined) return undefined;
  return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
}

function attributeFrom(value: unknown): StoreUnderTest['attribute'] {
  if (typeof value !== 'object' || value === null || !('name' in value) || typeof value.name !== 'string')
    throw new Error('CONSENT_STORE_ATTRIBUTE: write {"name":…,"right":…,"wrong":…}');
  return {
    name: value.name,
    right: 'right' in value ? value.right : undefined,
    wrong: 'wrong' in value ? value.wrong : undefined,
  };
}
