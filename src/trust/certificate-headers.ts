import type { IncomingMessage } from 'node:http';

/** Names under which proxies forward certificates or say what they think of them; `_` and letter case do not matter. */
const NAMES = new Set([
  'client-cert',
  'client-cert-chain',
  'x-client-cert',
  'x-forwarded-client-cert',
  'x-arr-clientcert',
  'tpp-qwac-certificate',
  'ssl.client.auth.cert.x509',
]);
const PREFIXES = ['ssl-client-', 'x-ssl-', 'x-amzn-mtls-', 'x-forwarded-tls-client-', 'x-client-cert-'];

/** Some proxies and gateways take `_` and `-` for the same. */
export function normalName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** Requests repeat the same few names, and every request is looked through. */
const judged = new Map<string, boolean>();
const MAXIMUM_JUDGED = 500;

/** True for every header that could pass for a forwarded certificate or for a proxy's opinion of one (§11.1 rule 4). */
export function isCertificateHeader(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const normal = normalName(name);
  const result = NAMES.has(normal) || PREFIXES.some((prefix) => normal.startsWith(prefix));
  if (judged.size >= MAXIMUM_JUDGED) judged.clear();
  judged.set(name, result);
  return result;
}

/** Every line of a header, as received: `headers` would join or drop some. */
export function headerLines({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  const wanted = name.toLowerCase();
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === wanted);
}

/** Deletes certificate headers, and others by name, so that nothing behind us can take them for ours. */
export function stripCertificateHeaders(request: IncomingMessage, others: ReadonlySet<string> = new Set()): void {
  const strips = (name: string) => isCertificateHeader(name) || (others.size > 0 && others.has(normalName(name)));
  if (!request.rawHeaders.some((name, index) => index % 2 === 0 && strips(name))) return;
  // Node computes both views from the raw lines on first use, and remembers how many lines there were: read them before.
  const { headers, headersDistinct } = request;
  const { rawHeaders } = request;
  const kept = rawHeaders.filter((_, index) => {
    const { [index - (index % 2)]: name = '' } = rawHeaders;
    return !strips(name);
  });
  rawHeaders.splice(0, rawHeaders.length, ...kept);
  for (const name of Object.keys(headers)) if (strips(name)) delete headers[name];
  for (const name of Object.keys(headersDistinct)) if (strips(name)) delete headersDistinct[name];
}
