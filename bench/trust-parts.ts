import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connect } from 'node:tls';
import { type Issuer, issueCertificate, type Subject } from '../sandbox/authority/certificate.ts';
import { bitString, explicit, integer, oid, sequence, time } from '../sandbox/authority/der.ts';
import {
  authorityConstraints,
  extendedKeyUsage,
  extension,
  keyUsage,
  leafConstraints,
} from '../sandbox/authority/extensions.ts';
import { systemClock } from '../src/platform/clock.ts';
import { createTrust, type TrustScheme } from '../src/trust/index.ts';

/** What verdicts cost, in microseconds of processor time each: the median of several turns. */
export interface TrustCosts {
  readonly alone: number;
  readonly naive: number;
  readonly library: number;
  readonly cold: number;
  readonly judged: number;
  readonly asked: number;
}

/** What a list of a million entries costs a process that loads it. */
export interface ListCosts {
  readonly entries: number;
  readonly octets: number;
  readonly milliseconds: number;
  /** The longest time in which nothing else got its turn. */
  readonly stallMilliseconds: number;
  /** Resident memory in MiB: before, at its highest, and when all is loaded. */
  readonly before: number;
  readonly peak: number;
  readonly after: number;
  /** The verdict over another certificate while the list is at hand, in microseconds. */
  readonly another: number;
}

const HOUR_MS = 3_600_000;
const TURNS = 9;
/** Certificates never seen before, for each turn. */
const EACH = 100;
/** The library needs ten times as long. */
const LIBRARY_EACH = 20;
const CACHED_EACH = 20_000;
const MILLION = 1_000_000;

interface Authority extends Issuer {
  readonly pem: string;
  readonly publicKey: KeyObject;
}

const subjectOf = (commonName: string): Subject => ({ country: 'XX', organisation: 'Portcullis Bench', commonName });
const lifetime = { notBefore: new Date(Date.now() - HOUR_MS), notAfter: new Date(Date.now() + 24 * HOUR_MS) };
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

function authority(commonName: string, above?: Issuer): Authority {
  const { privateKey: key, publicKey } = newKey();
  const subject = subjectOf(commonName);
  const extensions = [authorityConstraints(undefined), keyUsage(['keyCertSign', 'cRLSign'])];
  const pem = issueCertificate({ subject, publicKey, issuer: above ?? { subject, key }, ...lifetime, extensions });
  return { subject, key, publicKey, pem };
}

const leafKey = newKey();

function leafOf(issuer: Issuer, purpose: 'clientAuth' | 'serverAuth', more: readonly Uint8Array[] = []): string {
  const extensions = [leafConstraints(), keyUsage(['digitalSignature']), ...extendedKeyUsage([purpose]), ...more];
  const subject = subjectOf(`leaf ${randomBytes(4).toString('hex')}`);
  return issueCertificate({ subject, publicKey: leafKey.publicKey, issuer, ...lifetime, extensions });
}

const derOf = (pem: string): Buffer => new X509Certificate(pem).raw;

async function median(turns: number, each: number, turn: () => Promise<void>): Promise<number> {
  const found: number[] = [];
  for (let index = 0; index < turns; index += 1) {
    const started = process.cpuUsage();
    await turn();
    const { user, system } = process.cpuUsage(started);
    found.push((user + system) / each);
  }
  return found.toSorted((a, b) => a - b)[Math.floor(turns / 2)] ?? 0;
}

/** Every item once: nothing of it was seen before. */
function fresh<T>(items: readonly T[], each: number, work: (item: T) => unknown): Promise<number> {
  let next = 0;
  return median(TURNS, each, async () => {
    for (const item of items.slice(next, next + each)) await work(item);
    next += each;
  });
}

async function measureVerdicts(): Promise<TrustCosts> {
  const root = authority('Bench Root');
  const issuing = authority('Bench Issuing', root);
  const leaves = Array.from({ length: 3 * TURNS * EACH }, () => derOf(leafOf(issuing, 'clientAuth')));
  const above = [derOf(issuing.pem), derOf(root.pem)] as const;
  const trust = createTrust({ clock: systemClock, schemes: schemesOf(root.pem, { revocation: 'off' }) });
  const [one, two, three] = [0, 1, 2].map((part) => leaves.slice(part * TURNS * EACH, (part + 1) * TURNS * EACH));
  const chainOf = (leaf: Uint8Array) => [leaf, above[0]];
  // Keys of authorities and code are warm, as in a process that has run for a while; leaves are not.
  for (const leaf of (three ?? []).slice(0, EACH)) await trust.judge(chainOf(leaf), 'bank');
  const alone = await fresh(one ?? [], EACH, (leaf) => new X509Certificate(leaf).fingerprint256);
  const naive = await fresh(one ?? [], EACH, (leaf) => naively(leaf, above));
  const cold = await fresh(two ?? [], EACH, (leaf) => trust.judge(chainOf(leaf), 'bank'));
  const known = chainOf(leaves[0] ?? Buffer.alloc(0));
  const judged = await median(TURNS, CACHED_EACH / 10, async () => {
    for (let index = 0; index < CACHED_EACH / 10; index += 1) await trust.judge(known, 'bank');
  });
  return { alone, naive, cold, judged, library: await byLibrary(one ?? [], above), asked: await asGateway(root) };
}

function schemesOf(anchor: string, settings: Partial<TrustScheme>): ReadonlyMap<string, TrustScheme> {
  return new Map([['bank', { anchors: [anchor], extendedKeyUsages: ['clientAuth'], ...settings }]]);
}

/** What one writes without a library: parse the chain, and check each signature with the key above. */
function naively(leaf: Uint8Array, above: readonly Uint8Array[]): boolean {
  const chain = [leaf, ...above].map((der) => new X509Certificate(der));
  return chain.every((certificate, level) => {
    const issuer = chain[level + 1] ?? certificate;
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  });
}

/** `@peculiar/x509` builds paths; what a path is worth it does not judge (certificates.md §15). */
async function byLibrary(leaves: readonly Uint8Array[], above: readonly Uint8Array[]): Promise<number> {
  giveMetadata();
  const library = await import('@peculiar/x509');
  const certificates = above.map((der) => new library.X509Certificate(Buffer.from(der)));
  const builder = new library.X509ChainBuilder({ certificates });
  const lengths = new Set<number>();
  const cost = await fresh(leaves, LIBRARY_EACH, async (leaf) => {
    lengths.add((await builder.build(new library.X509Certificate(Buffer.from(leaf)))).length);
  });
  if ([...lengths].join() !== '3') throw new Error(`the library built chains of ${[...lengths].join()}`);
  return cost;
}

/** Three functions of a proposal that the library's container of parts insists on; nothing that is measured uses them. */
function giveMetadata(): void {
  const kept = new WeakMap<object, Map<unknown, unknown>>();
  const getMetadata = (key: unknown, target: object) => kept.get(target)?.get(key);
  const defineMetadata = (key: unknown, value: unknown, target: object) =>
    kept.set(target, (kept.get(target) ?? new Map()).set(key, value));
  Object.assign(Reflect, { getMetadata, getOwnMetadata: getMetadata, defineMetadata });
}

/** The verdict at hand as the gateway asks for it: for a request over a connection that has proved its certificate. */
async function asGateway(root: Authority): Promise<number> {
  const trust = createTrust({ clock: systemClock, schemes: schemesOf(root.pem, { revocation: 'off' }) });
  const key = leafKey.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({
    key,
    cert: leafOf(root, 'serverAuth'),
    requestCert: true,
    rejectUnauthorized: false,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, key, cert: leafOf(root, 'clientAuth') });
  socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer x\r\naccept: */*\r\n\r\n');
  const [request]: IncomingMessage[] = await once(server, 'request');
  if (request === undefined) throw new Error('no request came');
  const verdict = await trust.clientCertificate(request, 'bank');
  if (!verdict.ok) throw new Error(verdict.message);
  const cost = await median(TURNS, CACHED_EACH, async () => {
    for (let index = 0; index < CACHED_EACH; index += 1) trust.clientCertificate(request, 'bank');
  });
  socket.destroy();
  server.close();
  return cost;
}

/** Writes what `list` needs: anchor, two leaves, and a list of a million others, at the address that the leaves name. */
function writeList(url: string, places: readonly string[]): void {
  const root = authority('Bench List Root');
  const point = sequence(
    sequence(explicit(0, explicit(0, Buffer.concat([Buffer.from([0x86, url.length]), Buffer.from(url)])))),
  );
  const leaf = () => leafOf(root, 'clientAuth', [extension('2.5.29.31', false, point)]);
  const files = [root.pem, leaf(), leaf(), listOf(root)];
  for (const [index, place] of places.entries()) writeFileSync(place, files[index] ?? '');
}

function listOf(root: Authority): Buffer {
  const entry = sequence(integer(Buffer.alloc(8, 0x40)), time(lifetime.notBefore));
  const entries = Buffer.alloc(entry.length * MILLION, entry);
  // Spread over the whole range, as random serials are: the multiplier is odd, so that no two are the same.
  for (let index = 0; index < MILLION; index += 1) {
    const serial = BigInt.asUintN(62, BigInt(index + 1) * 0x9e37_79b9_7f4a_7c15n) | (1n << 62n);
    entries.writeBigUInt64BE(serial, index * entry.length + 4);
  }
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const name = new X509Certificate(root.pem);
  const body = sequence(
    integer(Buffer.from([1])),
    algorithm,
    subjectDerOf(name.raw),
    time(lifetime.notBefore),
    time(lifetime.notAfter),
    sequence(entries),
    explicit(0, sequence(extension('2.5.29.20', false, integer(Buffer.from([1]))))),
  );
  return sequence(body, algorithm, bitString(sign('sha256', body, root.key)));
}

/** The name of a self-signed certificate of ours: the element behind version, serial and algorithm. */
function subjectDerOf(der: Buffer): Buffer {
  let offset = startOf(der, startOf(der, 0));
  for (let part = 0; part < 3; part += 1) offset = endOf(der, offset);
  return der.subarray(offset, endOf(der, offset));
}

function startOf(der: Buffer, offset: number): number {
  const first = der.readUInt8(offset + 1);
  return offset + 2 + (first < 0x80 ? 0 : first & 0x7f);
}

function endOf(der: Buffer, offset: number): number {
  const first = der.readUInt8(offset + 1);
  const length = first < 0x80 ? first : der.readUIntBE(offset + 2, first & 0x7f);
  return startOf(der, offset) + length;
}

const mebibytes = (octets: number): number => Math.round(octets / 1024 / 1024);

async function measureList(anchor: string, leaf: string, another: string): Promise<Omit<ListCosts, 'octets'>> {
  const revocation = { order: 'crl-only', allowPrivateAddresses: true } as const;
  const trust = createTrust({ clock: systemClock, schemes: schemesOf(anchor, { revocation }) });
  const before = mebibytes(process.memoryUsage().rss);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const started = performance.now();
  const verdict = await trust.judge([derOf(leaf)], 'bank');
  const milliseconds = performance.now() - started;
  delay.disable();
  if (!verdict.ok) throw new Error(`the list was not used: ${verdict.detail} after ${milliseconds} ms`);
  const later = performance.now();
  const second = await trust.judge([derOf(another)], 'bank');
  if (!second.ok) throw new Error(second.message);
  const microseconds = (performance.now() - later) * 1_000;
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  const after = mebibytes(process.memoryUsage().rss);
  await trust.close();
  const stallMilliseconds = delay.max / 1e6;
  return { entries: MILLION, milliseconds, stallMilliseconds, before, peak, after, another: microseconds };
}

if (import.meta.main) {
  const [mode = '', ...words] = process.argv.slice(2);
  const [url = '', ...places] = words;
  if (mode === 'write') writeList(url, places);
  const [anchor = '', leaf = '', another = ''] = mode === 'list' ? words.map((file) => readFileSync(file, 'utf8')) : [];
  const found = mode === 'list' ? await measureList(anchor, leaf, another) : undefined;
  if (mode !== 'write') process.stdout.write(JSON.stringify(found ?? (await measureVerdicts())));
}
