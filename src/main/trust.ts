import type { IncomingMessage } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { createTrust, type Sharing, type TrustObservation, type TrustRoom, type TrustScheme } from '../trust/index.ts';
import { callbackSchemes } from './consent-stores.ts';
import { forwardedSource } from './forwarded.ts';
import { createReloads, type Reloads } from './reloads.ts';
import type { BankSettings, Settings } from './settings.ts';

/** What the room is given beside the settings. */
interface TrustParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The other processes of the platform; without it this one is alone. */
  readonly sharing?: Sharing | undefined;
  /** What follows the files; without it nobody looks at them again. */
  readonly reloads?: Reloads | undefined;
}

/** The room, and how the door behind a proxy says that a request came through it. */
export interface OpenTrust {
  readonly trust: TrustRoom;
  /** Must be told before anybody asks for the request's certificate; without it certificate headers are deleted. */
  readonly behindProxy: (request: IncomingMessage) => void;
}

/** The room that judges certificates, by the settings of every bank. @throws Error naming the bank or proxy whose settings are not sound */
export async function openTrust(settings: Settings, parts: TrustParts): Promise<OpenTrust> {
  const { clock, log, metrics, sharing, reloads = createReloads({ log: parts.log, metrics: createMetrics() }) } = parts;
  const { forwarded } = settings.doors.mtls;
  const proxy = { kind: 'proxy', name: 'authorities of the proxy', paths: forwarded?.identity?.anchors ?? [] } as const;
  const followedProxy = await reloads.follow(proxy);
  let source = await forwardedSource(forwarded);
  followedProxy.whenChanged(async () => {
    source = await forwardedSource(forwarded);
  });
  const proxied = new WeakSet<IncomingMessage>();
  const followed = await Promise.all(schemeFiles(settings).map((files) => followAnchors(reloads, files)));
  const trust = createTrust({
    clock,
    schemes: new Map(followed.map(({ id, scheme }) => [id, scheme])),
    log,
    observe: countTrust(metrics),
    sharing,
    forwarded: (request) => (proxied.has(request) ? source : undefined),
  });
  for (const { id, whenChanged } of followed) whenChanged((anchors) => trust.replaceAnchors(id, { anchors }));
  // Without a proxy nothing asks, and nothing is noted for each request.
  const note = (request: IncomingMessage): unknown => proxied.add(request);
  return { trust, behindProxy: forwarded === undefined ? () => undefined : note };
}

/** One line at the start of a server for every bank, consent store or proxy whose withdrawn certificates are taken, and for reliance on a proxy (WSO-07). */
export function warnOfTrust(settings: Settings, log: Log): void {
  const { forwarded } = settings.doors.mtls;
  if (forwarded?.revocationVouched !== undefined)
    log.warn({ door: 'mtls' }, 'revocation is not asked where the proxy says that it has asked');
  if (forwarded?.identity?.revocation === 'off')
    log.warn({ door: 'mtls' }, 'a withdrawn certificate of the proxy is accepted: revocation is off');
  for (const { id, scheme } of schemeFiles(settings)) {
    if (scheme.revocation === 'off') log.warn({ bank: id }, 'withdrawn certificates are accepted: revocation is off');
  }
}

/** Counts what trust decides: labels have few values, all of them ours. */
function countTrust(metrics: Metrics): (observation: TrustObservation) => void {
  const verdict = metrics.counter({
    name: 'portcullis_certificate_verdicts_total',
    help: 'Verdicts over client certificates by bank and outcome; ok, or the reason.',
    labels: ['bank', 'outcome'],
  });
  const fetched = metrics.counter({
    name: 'portcullis_revocation_fetches_total',
    help: 'Questions to OCSP responders and for lists, by how they ended; shared: another process had asked.',
    labels: ['protocol', 'outcome'],
  });
  return (observation) => {
    if (observation.kind === 'verdict') verdict({ bank: observation.bank, outcome: observation.outcome });
    else fetched({ protocol: observation.protocol, outcome: observation.outcome });
  };
}

/** A scheme whose anchors are yet to be read. */
export interface SchemeFiles {
  readonly id: string;
  /** Whose deny list holds for it. */
  readonly bank: string;
  /** Paths of the anchors. */
  readonly paths: readonly string[];
  readonly scheme: Omit<TrustScheme, 'anchors'>;
}

function schemeFiles(settings: Settings): readonly SchemeFiles[] {
  return [...settings.banks.map(bankScheme), ...callbackSchemes(settings)];
}

/** Every scheme of the platform, with the bank it belongs to. */
export function schemeIds(settings: Settings): readonly Pick<SchemeFiles, 'id' | 'bank'>[] {
  return schemeFiles(settings).map(({ id, bank }) => ({ id, bank }));
}

async function followAnchors(reloads: Reloads, { id, paths, scheme }: SchemeFiles) {
  const { contents, whenChanged } = await reloads.follow({ kind: 'anchors', name: `anchors of ${id}`, paths });
  return { id, whenChanged, scheme: { ...scheme, anchors: contents } };
}

function bankScheme({ id, trust }: BankSettings): SchemeFiles {
  const { anchors: paths = [], extendedKeyUsages = ['clientAuth'], revocation = {}, trustedLists } = trust;
  const { anchors: _, readsWithoutRevocation: __, rolesFrom: ___, trustedLists: ____, ...scheme } = trust;
  const missingLists = trustedLists?.map(({ territory }) => territory);
  return { id, bank: id, paths, scheme: { ...scheme, extendedKeyUsages, revocation, missingLists } };
}
