import type { Clock } from '../platform/clock.ts';
import type { Consent, ConsentFilter } from './consent.ts';
import type { Remote } from './external-remote.ts';
import { checkFilter } from './fields.ts';
import { DEFAULT_LIST, MAXIMUM_LIST } from './store.ts';
import type { Withdrawals } from './withdrawals.ts';

/** Consents asked for at once: with a thousand accounts each, the answer stays within the limit on an answer. */
const PAGE = 100;
/** Pages of one list: more would be a store that never comes to an end. */
const MAXIMUM_PAGES = 10;

interface Listing {
  readonly remote: Remote;
  readonly withdrawals: Withdrawals;
  readonly clock: Clock;
}

/**
 * The bank's list, page by page, as it counts here. What does not belong in it is no answer (N-199): a wrong filter at the
 * store must not show one customer another's consents.
 * @throws Refusal `field_invalid` 400; Error when the store gives what was not asked for
 */
export async function listExternal(listing: Listing, filter: ConsentFilter): Promise<readonly Consent[]> {
  checkFilter(filter);
  const limit = Math.min(filter.limit ?? DEFAULT_LIST, MAXIMUM_LIST);
  const found: Consent[] = [];
  let after = filter.after;
  for (let pages = 0; pages < MAXIMUM_PAGES && found.length < limit; pages += 1) {
    const asked = after === undefined ? filter : { ...filter, after };
    const page = await listing.remote.list(asked, PAGE);
    checkPage(page, asked);
    found.push(...(await countHere(listing, page, filter)));
    after = page.at(-1);
    if (page.length < PAGE) break;
  }
  if (new Set(found.map(({ id }) => id)).size !== found.length)
    throw new Error('the consent store listed a consent twice');
  return found.slice(0, limit);
}

/** What was withdrawn here, or ended between the two clocks, is no longer in the state that was asked for. */
async function countHere({ withdrawals }: Listing, page: readonly Consent[], { state }: ConsentFilter) {
  const consents = await withdrawals.apply(page);
  return state === undefined ? consents : consents.filter((consent) => consent.state === state);
}

function checkPage(page: readonly Consent[], filter: ConsentFilter): void {
  const foreign = page.some((consent) =>
    (['customer', 'participant', 'client', 'state'] as const).some(
      (member) => filter[member] !== undefined && consent[member] !== filter[member],
    ),
  );
  if (foreign) throw new Error('the consent store listed a consent that was not asked for');
  const order = [...(filter.after === undefined ? [] : [filter.after]), ...page];
  const newestFirst = order.every(
    ({ createdAt, id }, index) =>
      index === 0 || (createdAt <= (order[index - 1]?.createdAt ?? createdAt) && id !== order[index - 1]?.id),
  );
  if (!newestFirst) throw new Error('the consent store listed consents out of order');
}
