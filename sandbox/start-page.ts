import { join, relative } from 'node:path';
import { demoPassword } from './bank/passwords.ts';
import { addressesOf, type Ports, sandboxBanks } from './configuration.ts';
import { storeFilesOf } from './consent-store/identities.ts';
import { expiryWarnings } from './expiry.ts';
import type { Places } from './places.ts';
import { demoUserPassword } from './tpp/financroo/sessions.ts';

/** What `npm start` prints once everything is ready: addresses, users, what to try next. */
export async function startPage(
  places: Places,
  ports: Ports,
  milliseconds: number,
  notes: readonly string[],
): Promise<string> {
  const { issuer, mtls, plain, operators, portal, management, onboarding, financroo, status } = addressesOf(ports);
  const warnings = [...notes, ...(await expiryWarnings(places, new Date()))];
  const here = (path: string) => {
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  return [
    '',
    `Portcullis is ready after ${(milliseconds / 1000).toFixed(1)} s.`,
    '',
    ...sandboxBanks.map(({ id, name }) => `  ${name.padEnd(17)}${issuer}/${id}/.well-known/openid-configuration`),
    '',
    `  Financroo   ${financroo}   the demo third party: open this first (robin / ${demoUserPassword})`,
    `  portal      ${portal}   customers see and stop what they share`,
    `  management  ${management}/{bank}   the banks' own services: consents, tokens, participants, trail`,
    `  mTLS door   ${mtls}/{bank}   the banks' APIs and the machines' endpoints`,
    `  onboarding  ${onboarding}/{bank}   what a bank says of a client certificate, instead of a broken handshake`,
    `  lab door    ${plain}/{bank}   Lab Bank without client certificates`,
    `  health      ${operators}/health/ready`,
    `  authority   ${status}   says which certificates count still: OCSP, revocation lists`,
    ...Object.entries(ports.consentStores).map(
      ([id, port]) =>
        `  consents    https://localhost:${port}   ${id} keeps its consents itself; its staff: ${here(storeFilesOf(places, id).staff.certificate)}`,
    ),
    '',
    `  customers   user / ${demoPassword}   user2 / ${demoPassword}`,
    `  trust       ${here(join(places.authority, 'root.pem'))}   the root of every certificate here`,
    `  participants ${here(places.participants)}`,
    `  log         ${here(join(places.sandbox, 'portcullis.log'))}`,
    ...(warnings.length === 0 ? [] : ['', ...warnings.map((warning) => `  note        ${warning}`)]),
    '',
    'Try next, in another terminal:',
    '  npm run walk                                     a third party goes the whole way at Go Bank',
    '  npm run walk -- --revoked                        a revoked certificate is refused on the very connection it opened',
    '  npm run lab                                      the lab at Lab Bank, with its commands and its matrix',
    '  npm run participant -- mypay --roles AISP,PISP   another participant',
    '',
    'Stop with Ctrl+C. npm run reset removes everything this start made.',
  ].join('\n');
}
