import type { Binding } from './binding.ts';
import type { CertificateFields } from './certificate.ts';
import { html, type Markup } from './markup.ts';
import { isApi, type Message } from './messages.ts';
import type { Signature } from './signatures.ts';

/** What proves something in a message: signatures of JWTs, and a token that belongs to the connection's certificate (SCR-29). */
export function proofView(message: Message, certificates: readonly CertificateFields[]): Markup {
  const { signatures = [], binding, title } = message;
  return html`${signatures.length > 0 && html`<ul class="signatures">${signatures.map(signatureView)}</ul>`}${
    binding !== undefined && bindingView(binding, certificates, isApi(title))
  }`;
}

function signatureView({ name, verdict, why, algorithm, keyId, key, source }: Signature): Markup {
  const kind = verdict === 'holds' ? 'good' : 'problem';
  return html`<li><span class="badge ${kind}">${verdict === 'not checked' ? verdict : `signature ${verdict}`}</span> <code>${name}</code>: ${algorithm} with key <code>${keyId ?? 'without id'}</code>${key === undefined ? '' : ` (${key})`}, from ${source}${why === undefined ? '' : `: ${why}`}.</li>`;
}

const TOLD: Readonly<Record<Binding['told'], string>> = {
  introspection: 'as this answer of the bank says',
  token: 'among the claims of the token',
  earlier: 'as the bank said when it was asked about this token',
};

/** RFC 8705 §3.1: the token carries the hash of a certificate; beside it the hash of the certificate that was there. */
function bindingView(
  { token, certificate, told, same }: Binding,
  known: readonly CertificateFields[],
  brief: boolean,
): Markup {
  const badge = html`<span class="badge ${same ? 'good' : 'problem'}">${same ? 'bound to us' : 'not the same'}</span>`;
  // Every call of the API would show the same drawing once more.
  if (same && brief) return html`<p>${badge} The token belongs to the certificate of this connection.</p>`;
  const ownerOf = (thumbprint: string) =>
    known.find(({ thumbprint: { x5tS256 } }) => x5tS256 === thumbprint)?.name ?? 'nobody Financroo knows';
  return html`<div class="binding" role="group" aria-label="Token and certificate">
<p><strong>The token</strong> is bound to <code>${token}</code> <small>cnf, x5t#S256, ${TOLD[told]}; the certificate of ${ownerOf(token)}</small></p>
<p class="${same ? 'equal' : 'unequal'}"><span aria-hidden="true">${same ? '=' : '≠'}</span> ${badge}</p>
<p><strong>The connection</strong> has ${certificate === undefined ? 'no certificate' : html`<code>${certificate}</code> <small>SHA-256 of the certificate of ${ownerOf(certificate)}, counted by Financroo</small>`}</p>
</div>
${same ? '' : html`<p>The bank must refuse this: the token is genuine, but whoever sends it is not the one it was given to.</p>`}`;
}

/** The certificates of connections, field by field; a message names its own by a link to here. */
export function certificatesView(certificates: readonly CertificateFields[]): Markup {
  if (certificates.length === 0) return html``;
  return html`<section id="certificates"><h2>Certificates of these connections</h2>
${certificates.map(
  (
    certificate,
  ) => html`<details id="${anchorOf(certificate)}"><summary>${certificate.name}: ${rolesOf(certificate)}</summary>
${fieldsView(certificate)}</details>`,
)}</section>`;
}

/** Where the fields of a certificate stand on the page. */
export function anchorOf({ thumbprint }: CertificateFields): string {
  return `certificate-${thumbprint.hex.slice(0, 16)}`;
}

/** The platform's names for the roles that a certificate names in the standard's way (ETSI TS 119 495 §5.2.2). */
const ROLES: Readonly<Record<string, string>> = {
  PSP_AS: 'ASPSP, keeps accounts',
  PSP_PI: 'PISP, begins payments',
  PSP_AI: 'AISP, reads accounts',
  PSP_IC: 'CBPII, asks whether there is enough money',
};

function rolesOf({ psd2 }: CertificateFields): string {
  if (psd2 === undefined) return 'no roles';
  if (psd2 === 'unreadable') return 'roles that cannot be read';
  return psd2.roles.map((role) => ROLES[role]?.split(',')[0] ?? role).join(', ');
}

function fieldsView(certificate: CertificateFields): Markup {
  const { subject, issuer, serial, validFrom, validUntil, organisationIdentifier, psd2, key, thumbprint } = certificate;
  const rows: readonly (readonly [string, string | Markup])[] = [
    ['Subject', subject],
    ['Organisation identifier', organisationIdentifier ?? 'none'],
    ['Issuer', issuer],
    ['Serial number', html`<code>${serial}</code>`],
    [
      'Valid',
      html`<time datetime="${validFrom}">${validFrom.slice(0, 10)}</time> to <time datetime="${validUntil}">${validUntil.slice(0, 10)}</time>`,
    ],
    ['PSD2 roles', rolesView(psd2)],
    ['Competent authority', typeof psd2 === 'object' ? `${psd2.authority} (${psd2.authorityId})` : 'none'],
    ['Key', key],
    ['SHA-256, hexadecimal', html`<code>${thumbprint.hex}</code>`],
    ['SHA-256, as x5t#S256', html`<code>${thumbprint.x5tS256}</code>`],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function rolesView(psd2: CertificateFields['psd2']): string | Markup {
  if (psd2 === undefined) return 'none';
  if (psd2 === 'unreadable') return 'there is a statement, and it cannot be read';
  return html`${psd2.roles.map((role, index) => html`${index === 0 ? '' : '; '}<code>${role}</code> (${ROLES[role] ?? 'no role of PSD2'})`)}`;
}
