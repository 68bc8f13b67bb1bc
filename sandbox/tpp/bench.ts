import { join, relative } from 'node:path';
import { addressesOf, type Ports } from '../configuration.ts';
import type { Places } from '../places.ts';
import { type CommandOutcome, platformCommand } from '../platform-command.ts';
import { curlOf } from './curl.ts';
import { findLabClient, LAB_BANK, LAB_PARTICIPANT, type LabClient, labClients } from './lab-clients.ts';
import { type Exchange, openWire, transportIdentity, trustedRoot, type Wire, type WireRequest } from './wire.ts';

/** Which door a request goes to: without client certificates, with the participant's, or there without one. */
export type Door = 'plain' | 'mtls' | 'mtls-without-certificate';

/** The learner's bench: everything a row of the lab needs, and every command printed as a learner types it. */
export interface Bench {
  readonly places: Places;
  readonly issuer: string;
  readonly plainOrigin: string;
  readonly machine: LabClient;
  readonly customer: LabClient;
  /** For the customer's browser. */
  readonly browserWire: Wire;
  print(line: string): void;
  /** A value that printed commands show as `$NAME` from now on. */
  hide(name: string, value: string): void;
  /** Sends a request to Lab Bank; undefined when the connection ended without an answer. */
  send(door: Door, path: string, request?: WireRequest): Promise<Exchange | undefined>;
  /** A form to the token endpoint. */
  token(door: Door, fields: Readonly<Record<string, string>>): Promise<Exchange | undefined>;
  /** Runs a command of the platform. */
  command(...words: readonly string[]): Promise<CommandOutcome>;
  close(): Promise<void>;
}

/** Sets the bench up. @throws Error when there is no sandbox */
export async function openBench(places: Places, ports: Ports, print: (line: string) => void): Promise<Bench> {
  const root = await trustedRoot(places);
  const [machine, customer] = await Promise.all([
    findLabClient(places, labClients.machine),
    findLabClient(places, labClients.customer),
  ]);
  const identity = await transportIdentity(places, LAB_PARTICIPANT);
  const browserWire = openWire(root, undefined, () => undefined);
  const wires = { plain: browserWire, mtls: openWire(root, identity, () => undefined) };
  const secrets = new Map([
    [machine.client_secret, 'CLIENT_SECRET'],
    [customer.client_secret, 'APP_SECRET'],
  ]);
  const { issuer, mtls, plain } = addressesOf(ports);
  const send: Bench['send'] = async (door, path, request = {}) => {
    const url = `${door === 'plain' ? plain : mtls}/${LAB_BANK}${path}`;
    print(`$ ${curlOf(url, request, { authority: authorityPath(places), identity: pathsFor(door, places), secrets })}`);
    const wire = door === 'mtls' ? wires.mtls : wires.plain;
    const exchange = await wire.send(url, request).catch((cause: unknown) => {
      print(`  no answer: ${innermost(cause)}`);
      return undefined;
    });
    if (exchange !== undefined) print(`  ${exchange.status} ${summary(exchange.responseBody, secrets)}`);
    return exchange;
  };
  return {
    places,
    issuer: `${issuer}/${LAB_BANK}`,
    plainOrigin: plain,
    machine,
    customer,
    browserWire,
    print,
    hide: (name, value) => {
      secrets.set(value, name);
      print(`  from here on it is $${name}`);
    },
    send,
    token: (door, fields) =>
      send(door, '/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(fields).toString(),
      }),
    command: async (...words) => {
      print(`$ node src/main.ts ${words.join(' ')}`);
      return platformCommand(places, words);
    },
    close: async () => {
      await Promise.all([browserWire.close(), wires.mtls.close()]);
    },
  };
}

/** As short as it is from where the learner stands. */
function shortPath(path: string): string {
  const here = relative(process.cwd(), path);
  return here.startsWith('..') ? path : here;
}

function authorityPath(places: Places): string {
  return shortPath(join(places.authority, 'root.pem'));
}

function pathsFor(door: Door, places: Places) {
  if (door !== 'mtls') return undefined;
  const path = shortPath(join(places.participants, LAB_PARTICIPANT, 'transport'));
  return { certificate: `${path}.pem`, key: `${path}.key` };
}

const SUMMARY_CHARACTERS = 200;

function summary(body: string, secrets: ReadonlyMap<string, string>): string {
  const shown = [...secrets].reduce((text, [value, name]) => text.replaceAll(value, `‹${name}›`), body);
  const safe = shown
    .replaceAll(/"(access_token|id_token|refresh_token|token)":"[^"‹]{20,}"/g, '"$1":"‹left out›"')
    .replaceAll(/\s+/g, ' ');
  return safe.length > SUMMARY_CHARACTERS ? `${safe.slice(0, SUMMARY_CHARACTERS)}…` : safe;
}

function innermost(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause === undefined ? cause.message : innermost(cause.cause);
}
