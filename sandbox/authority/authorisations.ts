import type { DirectoryEntry } from './participants.ts';

/** Where the competent authority of the sandbox is, and where its authorisations hold. */
const COUNTRY = 'XX';
const NUMBER = /^PSD([A-Z]{2})-([A-Z]{2,8})-(.+)$/;

/** The register of the competent authority in the platform's plain form: who is authorised, where, for what. */
export function authorisationsOf(entries: readonly DirectoryEntry[], now: Date): Readonly<Record<string, unknown>> {
  const authorisations = entries.map(({ registrationNumber, roles }) => {
    const [, country, authority, number] = NUMBER.exec(registrationNumber) ?? [];
    if (number === undefined) throw new Error(`${registrationNumber} is not an authorisation number of the sandbox`);
    return { country, authority, number, roles: { [COUNTRY]: roles } };
  });
  return { publishedAt: now.toISOString(), authorisations };
}
