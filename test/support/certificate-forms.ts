import { createHash } from 'node:crypto';
import type { ForwardedFormat } from '../../src/trust/index.ts';
import type { Issued } from './certificates.ts';

const base64 = ({ der }: Issued): string => der.toString('base64');
const escaped = ({ certificatePem }: Issued): string => encodeURIComponent(certificatePem);
const bare = (text: string): string =>
  text.replaceAll('%2B', '+').replaceAll('%2F', '/').replaceAll('%3D', '=').replaceAll('%0A', '%0a');
const hash = ({ der }: Issued): string => createHash('sha256').update(der).digest('hex');

/** How one kind of proxy forwards a certificate. */
export interface CertificateForm {
  readonly name: string;
  readonly header: string;
  readonly format: ForwardedFormat;
  readonly encode: (issued: Issued) => string;
  /** What a comma between two values comes to: a form whose values hold commas calls it malformed. */
  readonly joined: 'header_duplicate' | 'header_malformed';
}

/** Every form as its sender writes it. */
export const FORMS: readonly CertificateForm[] = [
  {
    name: 'RFC 9440',
    header: 'Client-Cert',
    format: 'rfc9440',
    encode: (of) => `:${base64(of)}:`,
    joined: 'header_duplicate',
  },
  { name: 'nginx', header: 'X-Client-Cert', format: 'nginx-escaped', encode: escaped, joined: 'header_duplicate' },
  {
    name: 'AWS ALB, verify',
    header: 'X-Amzn-Mtls-Clientcert-Leaf',
    format: 'aws-alb',
    encode: (of) => bare(escaped(of)),
    joined: 'header_duplicate',
  },
  {
    name: 'AWS ALB, passthrough',
    header: 'X-Amzn-Mtls-Clientcert',
    format: 'aws-alb',
    encode: (of) => bare(encodeURIComponent(of.chainPem)),
    joined: 'header_duplicate',
  },
  {
    name: 'Envoy',
    header: 'X-Forwarded-Client-Cert',
    format: 'envoy-xfcc',
    encode: (of) => `By=spiffe://door;Hash=${hash(of)};Subject="CN=\\"x\\"";URI=;Cert="${escaped(of)}"`,
    joined: 'header_malformed',
  },
  {
    name: 'Envoy with chain',
    header: 'X-Forwarded-Client-Cert',
    format: 'envoy-xfcc',
    encode: (of) => `Hash=${hash(of)};Chain="${encodeURIComponent(of.chainPem)}"`,
    joined: 'header_malformed',
  },
  { name: 'HAProxy', header: 'X-SSL-Client-Cert', format: 'base64-der', encode: base64, joined: 'header_duplicate' },
  {
    name: 'HAProxy, quoted',
    header: 'X-SSL-Client-Cert',
    format: 'base64-der',
    encode: (of) => `"${base64(of)}"`,
    joined: 'header_duplicate',
  },
  {
    name: 'Traefik',
    header: 'X-Forwarded-Tls-Client-Cert',
    format: 'traefik',
    encode: base64,
    joined: 'header_malformed',
  },
  {
    name: 'Traefik, escaped',
    header: 'X-Forwarded-Tls-Client-Cert',
    format: 'traefik-escaped',
    encode: (of) => encodeURIComponent(base64(of)),
    joined: 'header_malformed',
  },
  {
    name: 'PEM with spaces',
    header: 'SSL_CLIENT_CERT',
    format: 'pem-loose',
    encode: (of) => of.certificatePem.trim().replaceAll('\n', ' '),
    joined: 'header_duplicate',
  },
  {
    name: 'PEM with newlines lost',
    header: 'SSL_CLIENT_CERT',
    format: 'pem-loose',
    encode: (of) => of.certificatePem.replaceAll('\n', ''),
    joined: 'header_duplicate',
  },
  {
    name: 'PEM with written newlines',
    header: 'SSL_CLIENT_CERT',
    format: 'pem-loose',
    encode: (of) => of.certificatePem.replaceAll('\n', '\\n'),
    joined: 'header_duplicate',
  },
];
