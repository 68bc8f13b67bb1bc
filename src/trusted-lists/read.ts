import { secondsAfter } from '../platform/clock.ts';
import { findAnchorFacts, readSignedXml, type XmlElement } from '../trust/index.ts';
import { children, momentOf, type PinnedList, refusedList, type TrustedList, textAt } from './list.ts';
import { servicesOf } from './services.ts';

const NAMESPACE = 'http://uri.etsi.org/02231/v2#';
const NATIONAL = 'http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric';
/** Clocks of operators differ from ours by less. */
const SKEW_SECONDS = 300;
/** Six months at most (TS 119 612 §5.3.15), of up to 184 days, and the operator's own rounding. */
const MAXIMUM_AHEAD_SECONDS = 190 * 86_400;
const VERSIONS: ReadonlySet<string> = new Set(['5', '6']);

/**
 * Reads a national list: signed by a certificate that is pinned for its own territory, of a known version, current. Only what
 * was signed is read. Slow: seconds for a list of some megabytes.
 * @throws Refusal `trusted_list_refused` 400, its `detail` naming the check
 */
export async function readTrustedList(
  document: Uint8Array,
  pins: readonly PinnedList[],
  now: Date,
): Promise<TrustedList> {
  const everySigner = pins.flatMap(({ signers }) => signers);
  const { root, signer } = await readSignedXml(document, everySigner);
  if (root.namespace !== NAMESPACE || root.name !== 'TrustServiceStatusList') {
    throw refusedList('list_malformed', 'The document is no trusted list.');
  }
  const head = headOf(root);
  const pin = pins.find(({ territory }) => territory === head.territory);
  const facts = pin?.signers.map(findAnchorFacts).find((found) => found?.thumbprint === signer);
  if (facts === undefined) {
    throw refusedList('signer_unknown', `The list of ${head.territory} was signed by a certificate not pinned for it.`);
  }
  if (head.issuedAt < facts.notBefore || head.issuedAt > facts.notAfter) {
    throw refusedList('signer_expired', 'The list was issued when the certificate of its signer was not valid.');
  }
  checkDates(head, now);
  return { ...head, signer, ...servicesOf(root) };
}

type Head = Pick<TrustedList, 'territory' | 'version' | 'sequence' | 'issuedAt' | 'nextUpdate'>;

function headOf(root: XmlElement): Head {
  const [information, ...more] = children(root, 'SchemeInformation');
  const text = (path: string) => textAt(information, path);
  const version = text('TSLVersionIdentifier') ?? '';
  if (!VERSIONS.has(version)) throw refusedList('version_unknown', 'The list is of a version other than 5 and 6.');
  const type = text('TSLType');
  if (type !== NATIONAL) {
    const what = type?.endsWith('/EUlistofthelists') ? 'the list of the lists' : 'of another type';
    throw refusedList('type_unknown', `The list is ${what}; only national lists of the Union are imported.`);
  }
  const territory = text('SchemeTerritory');
  const sequence = text('TSLSequenceNumber') ?? '';
  const issuedAt = momentOf(text('ListIssueDateTime'));
  const wrong = more.length > 0 || territory === undefined || !/^[A-Z]{2}$/.test(territory) || issuedAt === undefined;
  if (wrong || !/^[1-9]\d{0,9}$/.test(sequence)) {
    throw refusedList('list_malformed', 'The list lacks its territory, its number or the time it was issued.');
  }
  const nextUpdate = nextUpdateOf(information);
  return { territory, version: Number(version), sequence: Number(sequence), issuedAt, nextUpdate };
}

function nextUpdateOf(information: XmlElement | undefined): Date {
  const [next, ...more] = children(information, 'NextUpdate');
  if (next === undefined || (next.children.length === 0 && next.text === '')) {
    throw refusedList('list_closed', 'The list is closed: it names no next update, so nothing new can come of it.');
  }
  const moment = momentOf(textAt(next, 'dateTime'));
  if (moment !== undefined && more.length === 0) return moment;
  throw refusedList('list_malformed', 'The time of the next update cannot be read.');
}

function checkDates({ issuedAt, nextUpdate }: Head, now: Date): void {
  if (issuedAt > secondsAfter(now, SKEW_SECONDS)) {
    throw refusedList('list_ahead', 'The list says that it was issued in the future.');
  }
  if (nextUpdate > secondsAfter(issuedAt, MAXIMUM_AHEAD_SECONDS)) {
    throw refusedList('list_malformed', 'The next update is more than six months after the issue.');
  }
  if (nextUpdate <= now) {
    throw refusedList('list_expired', `The list is out of date: its next update was due ${nextUpdate.toISOString()}.`);
  }
}
