import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { headerLines, normalName, stripCertificateHeaders } from './certificate-headers.ts';
import {
  decodeForwarded,
  decodeRfc9440Chain,
  type ForwardedFormat,
  MAXIMUM_HEADER_CHARACTERS,
  saysNothing,
} from './forwarded-formats.ts';
import type { ForwardedParser } from './forwarded-parser.ts';
import { HeaderProblem } from './header-problem.ts';
import { judgeChain } from './judge.ts';
import type { RevocationSettings } from './revocation-settings.ts';
import { type CompiledScheme, compileScheme, type TrustScheme } from './scheme.ts';
import { subjectMatches } from './subject.ts';
import { type PresentedChain, presentedChain } from './tls-source.ts';

/** The one proxy that stands before a door, and how it forwards certificates (§11): data of the configuration. */
export interface ForwardedSource {
  /** Name of the header; `Client-Cert` for RFC 9440. */
  readonly header: string;
  /** The form is configured, never detected. */
  readonly format: ForwardedFormat | ForwardedParser;
  /** RFC 9440 alone: where the issuers come, such as `Client-Cert-Chain`. */
  readonly chainHeader?: string | undefined;
  /** Addresses or networks (`10.1.0.0/16`) of the proxy. */
  readonly proxies: readonly string[];
  /** How the proxy proves itself by its own client certificate. This, or `secret`, is required. */
  readonly identity?: ProxyIdentity | undefined;
  /** A header that only the proxy and we know the value of. */
  readonly secret?: { readonly header: string; readonly value: string } | undefined;
  /** `envoy-xfcc` alone: number of elements, one for each trusted hop. Default 1. */
  readonly hops?: number | undefined;
  /**
   * A header by which the proxy says that it has asked about revocation itself: where its one line has this value, revocation
   * is not asked again. Path, time, purpose and deny list are ours always.
   */
  readonly revocationVouched?: { readonly header: string; readonly value: string } | undefined;
  /** May participants also connect directly, with their own certificate in the handshake? Default false. */
  readonly directAllowed?: boolean | undefined;
}

/** By which certificates the proxy is known. */
export interface ProxyIdentity {
  readonly anchors: readonly string[];
  /** RFC 4514 text. */
  readonly subject?: string | undefined;
  /** How it is found that the proxy's own certificate was withdrawn. Default `off`, as in a scheme. */
  readonly revocation?: 'off' | RevocationSettings | undefined;
}

/** A source with everything read that can be read once. */
export interface CompiledSource {
  readonly settings: ForwardedSource;
  readonly addresses: BlockList;
  readonly identity: CompiledScheme | undefined;
  readonly stripped: ReadonlySet<string>;
}

/** Shorter secrets can be guessed. */
const MINIMUM_SECRET_CHARACTERS = 32;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

/** @throws Error naming the setting that is missing or wrong: a door that believes anybody must not open */
export function compileSource(settings: ForwardedSource): CompiledSource {
  const { identity, secret, proxies, header, chainHeader, revocationVouched, hops = 1 } = settings;
  const names = [
    header,
    ...(chainHeader === undefined ? [] : [chainHeader]),
    ...(secret === undefined ? [] : [secret.header]),
    ...(revocationVouched === undefined ? [] : [revocationVouched.header]),
  ];
  if (new Set(names.map(normalName)).size !== names.length) {
    throw new Error('forwarded certificate: two settings name the same header');
  }
  for (const name of names)
    if (!HEADER_NAME.test(name)) throw new Error(`forwarded certificate: "${name}" is no header name`);
  if (proxies.length === 0) throw new Error('forwarded certificate: proxies: name at least one address');
  if (identity === undefined && secret === undefined) {
    throw new Error('forwarded certificate: the proxy must prove itself: configure identity or secret');
  }
  if (secret !== undefined && secret.value.length < MINIMUM_SECRET_CHARACTERS) {
    throw new Error(`forwarded certificate: secret: at least ${MINIMUM_SECRET_CHARACTERS} characters`);
  }
  if (chainHeader !== undefined && settings.format !== 'rfc9440') {
    throw new Error('forwarded certificate: chainHeader belongs to the format rfc9440 alone');
  }
  if (!Number.isSafeInteger(hops) || hops < 1) throw new Error('forwarded certificate: hops must be at least 1');
  return {
    settings,
    addresses: addressesOf(proxies),
    identity: identity && compileScheme(schemeOf(identity)),
    stripped: new Set(names.map(normalName)),
  };
}

function schemeOf({ anchors, revocation }: ProxyIdentity): TrustScheme {
  return { anchors, revocation, extendedKeyUsages: ['clientAuth'] };
}

function addressesOf(proxies: readonly string[]): BlockList {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address = '', prefix] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const bits = Number(prefix ?? (family === 'ipv6' ? 128 : 32));
    const maximum = family === 'ipv6' ? 128 : 32;
    if (isIP(address) === 0 || !Number.isSafeInteger(bits) || bits < 1 || bits > maximum) {
      throw new Error(`forwarded certificate: proxies: "${proxy}" is no address or network`);
    }
    list.addSubnet(address, bits, family);
  }
  return list;
}

/** What a request showed: a chain, nothing, or a header that is refused. */
export type Presented =
  | (PresentedChain & {
      /** The proxy has asked about revocation. */
      readonly vouched?: boolean;
      /** The proxy's own certificates, where it is yet to be asked whether they were withdrawn. */
      readonly proxy?: ShownByProxy;
    })
  | {
      readonly refused: HeaderProblem['code'] | 'header_untrusted_source';
      readonly message: string;
      readonly fault?: string;
    }
  | { readonly absent: 'header_untrusted_source' };

/** What the proxy showed of itself, and the rules for it. */
export interface ShownByProxy {
  readonly presented: PresentedChain;
  readonly scheme: CompiledScheme;
}

/**
 * The one source that counts for a request (§11.4): the handshake on a direct door, the header of the one proxy on a door
 * behind it. The two are never mixed, and whatever could pass for a forwarded certificate is deleted from the request.
 */
export function presentedBy(request: IncomingMessage, source: CompiledSource, now: Date): Presented {
  const { settings } = source;
  const lines = headerLines(request, settings.header);
  const chainLines = settings.chainHeader === undefined ? [] : headerLines(request, settings.chainHeader);
  const standing = standingOf(request, source, now);
  const vouched = vouches(request, settings);
  stripCertificateHeaders(request, source.stripped);
  if (standing === 'proxy') return { ...fromHeader(lines, chainLines, settings), vouched, ...unasked(request, source) };
  return fromElsewhere(request, standing, lines.length > 0, settings);
}

/** Path, time and purpose of the proxy's certificate were judged at once; responders and lists take time. */
function unasked(request: IncomingMessage, { identity: scheme }: CompiledSource): { readonly proxy?: ShownByProxy } {
  if (scheme?.revocation === undefined) return {};
  return { proxy: { presented: presentedChain(request), scheme } };
}

/** On a door that participants reach themselves, only the handshake counts. */
export function presentedDirectly(request: IncomingMessage): Presented {
  stripCertificateHeaders(request);
  return presentedChain(request);
}

/** Who is at the other end: the proxy, somebody at the proxy's address who is not it, or somebody else. */
type Standing = 'proxy' | 'impostor' | 'other';

function standingOf(request: IncomingMessage, source: CompiledSource, now: Date): Standing {
  if (!isProxyAddress(request.socket.remoteAddress, source.addresses)) return 'other';
  const proven =
    source.identity === undefined ? knowsSecret(request, source) : hasIdentity(request, source, source.identity, now);
  return proven ? 'proxy' : 'impostor';
}

/** A connection that is gone has no address. */
function isProxyAddress(address = '', addresses: BlockList): boolean {
  // A dual-stack listener shows IPv4 peers in the mapped form.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  return isIP(plain) !== 0 && addresses.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

function knowsSecret(request: IncomingMessage, { settings: { secret } }: CompiledSource): boolean {
  if (secret === undefined) return false;
  const lines = headerLines(request, secret.header);
  const [given] = lines;
  return lines.length === 1 && given !== undefined && sameSecret(given, secret.value);
}

function sameSecret(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function hasIdentity(request: IncomingMessage, source: CompiledSource, scheme: CompiledScheme, now: Date): boolean {
  const presented = presentedChain(request);
  if (!('chain' in presented)) return false;
  const { verdict } = judgeChain(presented.chain, scheme, now);
  const subject = source.settings.identity?.subject;
  if (!verdict.ok) return false;
  const named = subject === undefined || subjectMatches(verdict.certificate, 'tls_client_auth_subject_dn', subject);
  return named && (source.settings.secret === undefined || knowsSecret(request, source));
}

function vouches(request: IncomingMessage, { revocationVouched: expected }: ForwardedSource): boolean {
  if (expected === undefined) return false;
  const lines = headerLines(request, expected.header);
  return lines.length === 1 && lines[0] === expected.value;
}

/** What everybody hears who is not the proxy, or not any more. */
export const PROXY_ALONE = 'Certificates are taken from the configured proxy alone.';

function fromElsewhere(
  request: IncomingMessage,
  standing: Standing,
  spoofed: boolean,
  settings: ForwardedSource,
): Presented {
  const message = PROXY_ALONE;
  if (standing === 'impostor') return { refused: 'header_untrusted_source', message };
  const presented = presentedChain(request);
  if ('chain' in presented)
    return settings.directAllowed === true ? presented : { refused: 'header_untrusted_source', message };
  return spoofed ? { absent: 'header_untrusted_source' } : presented;
}

function fromHeader(lines: readonly string[], chainLines: readonly string[], settings: ForwardedSource): Presented {
  try {
    return decode(lines, chainLines, settings);
  } catch (cause) {
    if (!(cause instanceof HeaderProblem)) throw cause;
    const message = `The header with the certificate cannot be accepted: ${cause.message}.`;
    const fault = typeof cause.cause === 'string' ? { fault: cause.cause } : {};
    return { refused: cause.code, message, ...fault };
  }
}

function decode(
  lines: readonly string[],
  chainLines: readonly string[],
  { format, hops = 1 }: ForwardedSource,
): Presented {
  if (lines.length > 1 || chainLines.length > 1)
    throw new HeaderProblem('header_duplicate', 'the header is there twice');
  const [value = ''] = lines;
  const [chain = ''] = chainLines;
  if (value.length > MAXIMUM_HEADER_CHARACTERS) throw new HeaderProblem('header_too_large', 'the header is too long');
  if (saysNothing(value)) {
    if (!saysNothing(chain)) throw new HeaderProblem('header_malformed', 'issuers without a certificate');
    return { absent: 'certificate_absent' };
  }
  const issuers = saysNothing(chain) ? [] : decodeRfc9440Chain(chain);
  return { chain: [...decodeForwarded(value, format, { hops }), ...issuers] };
}
