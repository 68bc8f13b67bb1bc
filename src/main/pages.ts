import { readFile } from 'node:fs/promises';
import { type Regime, regimes } from '../regimes/index.ts';
import type { ConsentKind, Logo, PageBank } from '../web/index.ts';
import { limitsOf } from './limits.ts';
import { addressesOf, type BankSettings, type Settings } from './settings.ts';

/** The colour of a bank that names none: dark enough for white text. */
const DEFAULT_COLOUR = '#1f4b6e';
/** What a role asks customers about. */
const KIND_OF_ROLE: ReadonlyMap<string, ConsentKind> = new Map([
  ['AISP', 'accounts'],
  ['PISP', 'payments'],
  ['CBPII', 'funds'],
]);

/** A bank as its pages show it. */
export async function pageBankOf(bank: BankSettings, settings: Settings): Promise<PageBank> {
  const regime = regimes.get(bank.regime);
  if (regime === undefined) throw new Error(`bank ${bank.id}: unknown regime`);
  return {
    id: bank.id,
    name: bank.name,
    issuer: addressesOf(bank, settings).issuer,
    colour: bank.brand?.colour ?? DEFAULT_COLOUR,
    logo: await logoOf(bank.brand?.logo),
    showTestUsers: bank.testUsers,
    words: regime.scopes,
    kinds: kindsOf(regime),
    paysByStandIn: regime.routes.some(({ action }) => action === 'pay'),
    consentDays: regime.consentDays,
    portalUrl: bank.portalUrl ?? addressesOf(bank, settings).portalBase,
    accountChanges: bank.accountChanges,
    reportProblem: bank.reportProblem,
    failedSignInsPerSource: limitsOf(settings).failedSignInsPerSource,
    ownConsentStore: bank.consentStore !== undefined,
    texts: bank.texts,
  };
}

function kindsOf({ rolesByScope }: Regime): Readonly<Record<string, ConsentKind>> {
  const kinds = Object.entries(rolesByScope).flatMap(([scope, roles]) => {
    const kind = roles.map((role) => KIND_OF_ROLE.get(role)).find((known) => known !== undefined);
    return kind === undefined ? [] : [[scope, kind] as const];
  });
  return Object.fromEntries(kinds);
}

async function logoOf(path: string | undefined): Promise<Logo | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readFile(path);
  if (path.endsWith('.svg')) return { type: 'image/svg+xml', bytes };
  if (path.endsWith('.png')) return { type: 'image/png', bytes };
  throw new Error(`banks[].brand.logo: ${path} is neither .svg nor .png`);
}
