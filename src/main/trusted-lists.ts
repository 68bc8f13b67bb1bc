import { readFile } from 'node:fs/promises';
import type { Audit } from '../audit/index.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/database.ts';
import { createFetcher } from '../platform/fetch.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { Refusal } from '../platform/refusal.ts';
import { certificatesOfPem, type TrustRoom } from '../trust/index.ts';
import {
  type ConfiguredList,
  createTrustedLists,
  type ListedBank,
  type ListObservation,
  MAXIMUM_LIST_BYTES,
  type TrustedLists,
} from '../trusted-lists/index.ts';
import type { Settings } from './settings.ts';
import type { TrustedListSettings } from './trusted-list-settings.ts';

/** Operators of lists have slow servers, and a large list takes its time. */
const FETCH_TIMEOUT_MS = 60_000;
const DEFAULT_REFRESH_SECONDS = 21_600;
const MEDIA_TYPES = 'application/vnd.etsi.tsl+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1';

/** What the lists are opened with. */
interface ListParts {
  readonly database: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Judges by the anchors of the lists, as soon as there are any. */
  readonly trust: TrustRoom;
}

/** Opens the trusted lists of all banks, and shows when the first of them ends. @throws Error when a signer's file cannot be read */
export async function openTrustedLists(settings: Settings, parts: ListParts): Promise<TrustedLists> {
  const { clock, metrics, trust } = parts;
  const banks: ListedBank[] = [];
  for (const { id: bank, trust: own } of settings.banks) {
    if (own.trustedLists === undefined) continue;
    const lists = await Promise.all(own.trustedLists.map((list) => configuredList(bank, list)));
    banks.push({ bank, use: 'transport', lists });
  }
  const count = metrics.counter({
    name: 'portcullis_trusted_list_refreshes_total',
    help: 'Attempts to get a national trusted list, by bank, territory and outcome.',
    labels: ['bank', 'territory', 'outcome'],
  });
  const observe = (observation: ListObservation) => count({ ...observation });
  const lists = await createTrustedLists({ ...parts, banks, apply: trust.replaceAnchors, observe });
  if (banks.length > 0) {
    metrics.gauge(
      {
        name: 'portcullis_trusted_list_seconds_left',
        help: 'Seconds until the first of the national trusted lists ends; 0 when one has ended or is missing.',
      },
      () => Math.max(0, ((lists.endsAt()?.getTime() ?? 0) - clock.now().getTime()) / 1_000),
    );
  }
  return lists;
}

async function configuredList(bank: string, list: TrustedListSettings): Promise<ConfiguredList> {
  const { territory, refreshSeconds = DEFAULT_REFRESH_SECONDS } = list;
  const signers: Uint8Array[] = [];
  for (const path of list.signers) {
    try {
      signers.push(...certificatesOfPem(await readFile(path, 'utf8')));
    } catch (cause) {
      throw new Error(`bank ${bank}: the signers of the trusted list of ${territory} cannot be read: ${path}`, {
        cause,
      });
    }
  }
  return { territory, signers, refreshSeconds, obtain: (signal) => obtain(list, signal) };
}

async function obtain({ url, file, allowPrivateAddresses = false }: TrustedListSettings, signal: AbortSignal) {
  if (url !== undefined) return fetchList(url, allowPrivateAddresses, signal);
  if (file === undefined) throw new Error('a trusted list without a source');
  return readListFile(file);
}

/** Reads a list from a file. @throws Refusal `file_invalid` 400 when it is larger than a list may be */
export async function readListFile(path: string): Promise<Uint8Array> {
  const content = await readFile(path);
  if (content.length <= MAXIMUM_LIST_BYTES) return content;
  throw new Refusal('file_invalid', 400, `the file is larger than ${MAXIMUM_LIST_BYTES} octets`);
}

/** Fetches a list. @throws Refusal `upstream_unavailable` 502 for any answer but the document, and those of the fetcher */
export async function fetchList(
  url: string,
  allowPrivateAddresses: boolean,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const fetcher = createFetcher({
    allowPrivateAddresses,
    allowPlainHttp: true,
    timeoutMs: FETCH_TIMEOUT_MS,
    maximumBytes: MAXIMUM_LIST_BYTES,
  });
  try {
    const request = { method: 'GET', url, headers: { accept: MEDIA_TYPES }, ...(signal && { signal }) };
    const { status, body } = await fetcher.request(request);
    if (status === 200) return body;
    const hint = status >= 300 && status < 400 ? '; redirects are not followed: write the address it leads to' : '';
    throw new Refusal('upstream_unavailable', 502, `${new URL(url).host} answered ${status}${hint}`);
  } finally {
    await fetcher.close();
  }
}
