import { CertificateRefusal, type CertificateVerdict } from '../../trust/index.ts';
import { type Call, learn, withAnswer } from '../call.ts';
import type { Check } from '../check.ts';

/** The client certificate is there and trusted by the bank, at this moment; without one only where door and bank say so (LAB-31). */
export const certificateTrusted: Check = {
  id: 'certificate-trusted',
  clause: 'acceptance.md §1.3 (1)(2); LAB-31, LAB-35, N-24; RFC 8705 §2',
  run(call, { trust }) {
    if (call.door === 'plain' && !call.bank.requireClientCertificate) return;
    const options = {
      revocation: onlyReads(call) && call.bank.readsWithoutRevocation === true ? 'soft' : 'strict',
    } as const;
    return withAnswer(trust.clientCertificate(call.request, call.bank.id, options), (verdict) => accept(call, verdict));
  },
};

function onlyReads({ request: { method } }: Call): boolean {
  return method === 'GET' || method === 'HEAD';
}

function accept(call: Call, verdict: CertificateVerdict): void {
  learn(call, 'verdict', verdict);
  if (verdict.certificate !== undefined) learn(call, 'certificate', verdict.certificate);
  if (verdict.ok) return;
  throw new CertificateRefusal(verdict);
}
