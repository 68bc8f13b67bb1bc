import { type ForwardedParser, parsedBy } from './forwarded-parser.ts';
import { HeaderProblem } from './header-problem.ts';
import { Malformed } from './malformed.ts';
import { canonicalBase64, certificatesOfPem } from './pem.ts';
import { MAXIMUM_CHAIN } from './tls-source.ts';
import { parseXfcc } from './xfcc.ts';

/** The forms in which proxies forward certificates (§11.2). */
export type ForwardedFormat =
  | 'rfc9440'
  | 'nginx-escaped'
  | 'aws-alb'
  | 'envoy-xfcc'
  | 'base64-der'
  | 'traefik'
  | 'traefik-escaped'
  | 'pem-loose';

/** What a decoder is told beside the value. */
export interface FormatOptions {
  /** Elements of `x-forwarded-client-cert`: one for each trusted hop. */
  readonly hops: number;
}

/** Values that mean "no certificate" (§11.3). */
const NOTHING: ReadonlySet<string> = new Set(['', '(null)', 'null', '-']);
/** An RSA-4096 chain passes 16 KiB. */
export const MAXIMUM_HEADER_CHARACTERS = 24 * 1024;

/** True when a header says that there is no certificate. */
export function saysNothing(value: string): boolean {
  return NOTHING.has(value.trim());
}

/** Certificates of a header value, leaf first. @throws HeaderProblem */
export function decodeForwarded(
  value: string,
  format: ForwardedFormat | ForwardedParser,
  options: FormatOptions,
): readonly Uint8Array[] {
  if (value.length > MAXIMUM_HEADER_CHARACTERS) throw new HeaderProblem('header_too_large', 'the header is too long');
  const certificates = guarded(() =>
    typeof format === 'function' ? parsedBy(format, value) : DECODERS[format](value.trim(), options),
  );
  if (certificates.length === 0) throw new HeaderProblem('header_no_certificate', 'the header holds no certificate');
  if (certificates.length > MAXIMUM_CHAIN)
    throw new HeaderProblem('header_too_large', `more than ${MAXIMUM_CHAIN} certificates`);
  return certificates;
}

/** The list of RFC 9440 `Client-Cert-Chain`: issuers without the leaf. @throws HeaderProblem */
export function decodeRfc9440Chain(value: string): readonly Uint8Array[] {
  if (value.length > MAXIMUM_HEADER_CHARACTERS) throw new HeaderProblem('header_too_large', 'the header is too long');
  return guarded(() => value.split(',').map((item) => byteSequence(item.trim())));
}

function guarded(decode: () => readonly Uint8Array[]): readonly Uint8Array[] {
  try {
    return decode();
  } catch (cause) {
    if (cause instanceof HeaderProblem) throw cause;
    if (cause instanceof Malformed) throw new HeaderProblem('header_malformed', cause.message);
    throw cause;
  }
}

const DECODERS: Readonly<Record<ForwardedFormat, (value: string, options: FormatOptions) => readonly Uint8Array[]>> = {
  rfc9440: (value) => [byteSequence(single(value))],
  'nginx-escaped': (value) => certificatesOfPem(percentDecoded(single(value), NGINX_ALPHABET), 1),
  'aws-alb': (value) => certificatesOfPem(percentDecoded(single(value), ALB_ALPHABET), MAXIMUM_CHAIN),
  'envoy-xfcc': (value, { hops }) => parseXfcc(value, hops),
  'base64-der': (value) => [canonicalBase64(single(value).replace(/^"(.*)"$/, '$1'))],
  traefik: (value) => value.split(',').map((item) => canonicalBase64(item)),
  'traefik-escaped': (value) =>
    percentDecoded(value, ALB_ALPHABET)
      .split(',')
      .map((item) => canonicalBase64(item)),
  'pem-loose': loosePem,
};

/** Two lines joined on the way look like one value with a comma; no single-certificate form has one. */
function single(value: string): string {
  if (value.includes(',')) throw new HeaderProblem('header_duplicate', 'two values in one header');
  return value;
}

/** RFC 8941 §3.3.5: base64 between colons. */
function byteSequence(value: string): Uint8Array {
  const [, body] = /^:([A-Za-z0-9+/=]+):$/.exec(value) ?? [];
  if (body === undefined) throw new HeaderProblem('header_malformed', 'not a byte sequence between colons');
  return canonicalBase64(body);
}

const NGINX_ALPHABET = /^[A-Za-z0-9%._~-]+$/;
/** The load balancer leaves `+`, `=` and `/` bare; a space would mean that somebody decoded it as a form. */
const ALB_ALPHABET = /^[A-Za-z0-9%._~+/=-]+$/;

function percentDecoded(value: string, alphabet: RegExp): string {
  if (!alphabet.test(value)) throw new HeaderProblem('header_malformed', 'characters that the form would have escaped');
  try {
    return decodeURIComponent(value);
  } catch {
    throw new HeaderProblem('header_malformed', 'a percent sequence that is none');
  }
}

const LOOSE = /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----$/;

/** PEM whose line breaks became spaces, tabs, a literal `\n`, or nothing. */
function loosePem(value: string): readonly Uint8Array[] {
  const text = value.replaceAll(/\\[nr]/g, ' ').trim();
  if (/-----END CERTIFICATE-----\s*,\s*-----BEGIN/.test(text))
    throw new HeaderProblem('header_duplicate', 'two values in one header');
  if (!LOOSE.test(text)) throw new HeaderProblem('header_malformed', 'not one PEM block');
  return [canonicalBase64(text.replaceAll(/-----(BEGIN|END) CERTIFICATE-----|\s/g, ''))];
}
