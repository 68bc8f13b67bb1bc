import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Metrics } from '../platform/metrics.ts';
import { createTrust, type Sharing, type TrustObservation, type TrustRoom, type TrustScheme } from '../trust/index.ts';
import { callbackSchemes } from './consent-stores.ts';
import { forwardedSource } from './forwarded.ts';
import type { BankSettings, Settings } from './settings.ts';

/** What the room is given beside the settings. */
interface TrustParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The other processes of the platform; without it this one is alone. */
  readonly sharing?: Sharing | undefined;
}

/** The room, and how the door behind a proxy says that a request came through it. */
export interface OpenTrust {
  readonly trust: TrustRoom;
  /** Must be told before anybody asks for the request's certificate; without it certificate headers are deleted. */
  readonly behindProxy: (request: IncomingMessage) => void;
}

/** The room that judges certificates, by the settings of every bank. @throws Error naming the bank or proxy whose settings are not sound */
export async function openTrust(settings: Settings, parts: TrustParts): Promise<OpenTrust> {
  const { clock, log, metrics, sharing } = parts;
  const source = await forwardedSource(settings.doors.mtls.forwarded);
  const proxied = new WeakSet<IncomingMessage>();
  const trust = createTrust({
    clock,
    schemes: await schemesOf(settings),
    log,
    observe: countTrust(metrics),
    sharing,
    forwarded: (request) => (proxied.has(request) ? source : undefined),
  });
  return { trust, behindProxy: (request) => proxied.add(request) };
}

/** One line at the start of a server for every bank that takes withdrawn certificates, or relies on a proxy (WSO-07). */
export function warnOfTrust(settings: Settings, log: Log): void {
  if (settings.doors.mtls.forwarded?.revocationVouched !== undefined)
    log.warn({ door: 'mtls' }, 'revocation is not asked where the proxy says that it has asked');
  for (const { id, trust } of settings.banks) {
    if (trust.revocation === 'off') log.warn({ bank: id }, 'withdrawn certificates are accepted: revocation is off');
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

async function schemesOf(settings: Settings): Promise<ReadonlyMap<string, TrustScheme>> {
  const entries = settings.banks.map(async (bank) => [bank.id, await schemeOf(bank)] as const);
  return new Map([...(await Promise.all(entries)), ...(await callbackSchemes(settings))]);
}

async function schemeOf({ trust }: BankSettings): Promise<TrustScheme> {
  const { anchors, extendedKeyUsages = ['clientAuth'], revocation = {} } = trust;
  const { acceptNoRevocation: _, readsWithoutRevocation: __, rolesFrom: ___, ...others } = trust;
  const pems = await Promise.all(anchors.map((path) => readFile(path, 'utf8')));
  return { ...others, anchors: pems, extendedKeyUsages, revocation };
}
