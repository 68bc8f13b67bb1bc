import { createServer } from 'node:net';
import { type Ports, sandboxBanks } from './configuration.ts';

/** A port that is taken, and what it was meant for. */
export interface Clash {
  readonly port: number;
  readonly purpose: string;
}

/** The first port that somebody else holds; undefined when all are free. */
export async function findClash(ports: Ports): Promise<Clash | undefined> {
  const wanted: readonly Clash[] = [
    { port: ports.issuer, purpose: 'issuer door' },
    { port: ports.mtls, purpose: 'mTLS door' },
    { port: ports.plain, purpose: 'door without client certificates' },
    { port: ports.operators, purpose: "operators' door" },
    { port: ports.portal, purpose: "customer's portal" },
    { port: ports.management, purpose: 'management API' },
    { port: ports.onboarding, purpose: 'onboarding door' },
    { port: ports.financroo, purpose: 'Financroo' },
    { port: ports.status, purpose: "test authority's answers about certificates" },
    ...sandboxBanks.flatMap(({ id, name }) => {
      const port = ports.banks[id];
      return port === undefined ? [] : [{ port, purpose: `core service of ${name}` }];
    }),
    ...Object.entries(ports.consentStores).map(([id, port]) => ({ port, purpose: `consent store of ${id}` })),
  ];
  for (const candidate of wanted) {
    if (!(await isFree(candidate.port))) return candidate;
  }
  return undefined;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, 'localhost', () => probe.close(() => resolve(true)));
  });
}
