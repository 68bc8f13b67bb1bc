import { type CertificateVerdict, createTrust, type TrustScheme } from '../../src/trust/index.ts';
import type { Issued } from './certificates.ts';

/** The moment at which tests judge, well inside the validity of minted certificates. */
export const NOW = new Date('2026-11-20T12:00:00Z');

/** Judges a chain as a bank with these anchors would, with everything else at its default. */
export function judge(
  chain: readonly Uint8Array[],
  anchor: Issued | readonly Issued[],
  settings: Partial<TrustScheme> & { readonly now?: Date } = {},
): Promise<CertificateVerdict> {
  const { now = NOW, ...scheme } = settings;
  const anchors = [anchor].flat().map(({ certificatePem }) => certificatePem);
  const schemes = new Map([['bank', { anchors, extendedKeyUsages: ['clientAuth'], ...scheme }]]);
  return createTrust({ clock: { now: () => now }, schemes }).judge(chain, 'bank');
}

/** `ok`, or reason and finer code in one text: what most tests compare. */
export async function judged(...input: Parameters<typeof judge>): Promise<string> {
  const verdict = await judge(...input);
  return verdict.ok ? 'ok' : `${verdict.reason}/${verdict.detail}`;
}
