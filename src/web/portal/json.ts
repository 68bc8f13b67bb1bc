import type { ConsentStep } from '../../consent/index.ts';
import { parseListQuery } from './list-query.ts';
import { readPage } from './list-read.ts';
import type { CustomerVisit } from './portal-visit.ts';
import { loadOwn, nameOf, type Share, shareOf } from './share.ts';
import { stateOf } from './share-view.ts';

/** The list for machines (SCR-10). */
export async function tellList(visit: CustomerVisit, parameters: URLSearchParams): Promise<void> {
  const { shares, more, cut } = await readPage(visit, parseListQuery(parameters));
  tell(visit, {
    store: storeOf(visit),
    consents: shares.map(documentOf),
    ...(more === undefined ? {} : { after: more }),
    ...(cut ? { cut } : {}),
  });
}

/** One consent with its history, to keep (SCR-12). */
export async function tellDetail(visit: CustomerVisit, id: string): Promise<void> {
  const share = await shareOf(visit, await loadOwn(visit, id));
  const history = await visit.site.rooms.consents.history(visit.site.bank.id, id);
  tell(visit, { store: storeOf(visit), consent: documentOf(share), history: history.map(stepOf) });
}

function storeOf({ site }: CustomerVisit): 'external' | 'built-in' {
  return site.bank.ownConsentStore === true ? 'external' : 'built-in';
}

function documentOf(share: Share) {
  const { id, scopes, accounts, createdAt, changedAt, expiresAt, lastUsedAt } = share.consent;
  const participant = { id: share.consent.participant, name: nameOf(share) };
  const status = STATUS[stateOf(share)];
  return { id, participant, status, scopes, accounts, createdAt, changedAt, expiresAt, lastUsedAt };
}

const STATUS = {
  Awaiting: 'Awaiting',
  Authorised: 'Authorised',
  Rejected: 'Rejected',
  Consumed: 'Consumed',
  Revoked: 'Revoked',
  Expired: 'Expired',
  revoking: 'Revoking',
  unused: 'Unused',
  paused: 'Paused',
  barred: 'Barred',
} as const;

/** Who acted is told by kind: the reference of staff is the bank's. */
function stepOf({ at, action, state, actor, accounts }: ConsentStep) {
  return { at, action, status: state, actor, ...(accounts === undefined ? {} : { accounts }) };
}

function tell({ request, response }: CustomerVisit, value: unknown): void {
  const text = JSON.stringify(value);
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}
