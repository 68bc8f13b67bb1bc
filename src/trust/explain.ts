import { keyProblem } from './algorithms.ts';
import { organizationIdentifierOf } from './client-certificate.ts';
import { isDenied } from './deny-list.ts';
import { evaluate, statusesOf } from './evaluate.ts';
import { readCertificate } from './judge.ts';
import { Malformed } from './malformed.ts';
import { textOfName } from './name-text.ts';
import { findPath } from './path.ts';
import { purposeOf } from './purpose.ts';
import type { Revocation } from './revocation.ts';
import type { CompiledScheme } from './scheme.ts';
import type { CertificateVerdict } from './verdict.ts';
import { ACTED_ON, type Certificate, serialText } from './x509.ts';

/** The analysis of a chain for people: every check on its own, also those behind the first refusal. */
export interface Explanation {
  readonly certificates: readonly CertificateFields[];
  readonly checks: readonly ExplainedCheck[];
  /** Subjects of the path that was found, leaf first; empty without one. */
  readonly path: readonly string[];
  readonly verdict: CertificateVerdict;
}

/** Names and numbers of one certificate, safe to print. */
export interface CertificateFields {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly thumbprint: string;
  /** SHA-256 of the SubjectPublicKeyInfo, by which a deny list names a key. */
  readonly spkiSha256: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extendedKeyUsages: readonly string[];
  readonly organizationIdentifier: string | undefined;
  readonly roles: readonly string[] | undefined;
  readonly qcTypes: readonly string[];
  readonly qualified: boolean;
  readonly ocspUrls: readonly string[];
  readonly crlUrls: readonly string[];
}

/** One check with its result. */
export interface ExplainedCheck {
  readonly check: 'parse' | 'key' | 'path' | 'purpose' | 'deny list' | 'revocation';
  readonly ok: boolean;
  /** The finer code of certificates.md §19, or what was found. */
  readonly detail: string;
  readonly message: string;
}

/** Runs every check on its own and lists what each found. */
export async function explainChain(
  chain: readonly Uint8Array[],
  scheme: CompiledScheme,
  revocation: Revocation,
  now: Date,
): Promise<Explanation> {
  const { strict: verdict } = await evaluate(chain, scheme, revocation, now);
  const parsed = chain.map(readCertificate);
  const certificates = parsed.flatMap((item) => (item instanceof Malformed ? [] : [fieldsOf(item, scheme)]));
  const parses = parsed.map((item, index) => parseCheck(item, index));
  const [leaf, ...others] = parsed;
  if (leaf === undefined || leaf instanceof Malformed) return { certificates, checks: parses, path: [], verdict };
  const untrusted = others.flatMap((item) => (item instanceof Malformed ? [] : [item]));
  const { anchors, algorithms: policy, extendedKeyUsages } = scheme;
  const found = findPath({ leaf, untrusted, anchors, policy, extendedKeyUsages, known: ACTED_ON, now });
  const path = found.ok ? found.path : [];
  const pathCheck: ExplainedCheck = found.ok
    ? { check: 'path', ok: true, detail: 'path_found', message: `Ends at an anchor (${found.anchor.origin}).` }
    : { check: 'path', ok: false, detail: found.problem.code, message: found.problem.message };
  const asked = await revocationChecks(path, scheme, revocation);
  const checks = [
    ...parses,
    keyCheck(leaf, scheme),
    pathCheck,
    purposeCheck(leaf, scheme),
    denyCheck([leaf, ...path], scheme),
    ...asked,
  ];
  return { certificates, checks, path: path.map(({ subject }) => textOfName(subject.rdns)), verdict };
}

function parseCheck(item: Certificate | Malformed, index: number): ExplainedCheck {
  const which = `Certificate ${index + 1}`;
  return item instanceof Malformed
    ? { check: 'parse', ok: false, detail: item.code, message: `${which} cannot be accepted: ${item.message}.` }
    : { check: 'parse', ok: true, detail: 'parsed', message: `${which} is canonical DER.` };
}

function fieldsOf(certificate: Certificate, scheme: CompiledScheme): CertificateFields {
  const { roles, statements } = purposeOf(certificate, scheme);
  return {
    subject: textOfName(certificate.subject.rdns),
    issuer: textOfName(certificate.issuer.rdns),
    serial: serialText(certificate.serial),
    thumbprint: certificate.thumbprint,
    spkiSha256: certificate.spkiSha256,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    extendedKeyUsages: certificate.extendedKeyUsages ?? [],
    organizationIdentifier: organizationIdentifierOf(certificate),
    roles,
    qcTypes: statements?.types ?? [],
    qualified: statements?.compliance === true && !statements.legislation,
    ocspUrls: certificate.ocspUrls,
    crlUrls: certificate.distributionPoints.flatMap(({ urls }) => urls),
  };
}

function keyCheck({ publicKeyInfo }: Certificate, { algorithms }: CompiledScheme): ExplainedCheck {
  const problem = keyProblem(publicKeyInfo, algorithms);
  return problem === undefined
    ? { check: 'key', ok: true, detail: 'key_accepted', message: 'Kind and size of the key are accepted.' }
    : { check: 'key', ok: false, detail: 'algorithm_policy', message: `The certificate has ${problem}.` };
}

function purposeCheck(leaf: Certificate, scheme: CompiledScheme): ExplainedCheck {
  const { problem, roles } = purposeOf(leaf, scheme);
  if (problem !== undefined) return { check: 'purpose', ok: false, detail: problem.code, message: problem.message };
  const granted = roles === undefined ? 'no PSD2 statement' : `roles ${roles.join(', ') || 'none'}`;
  return { check: 'purpose', ok: true, detail: 'purpose_fits', message: `Fit for ${scheme.use}; ${granted}.` };
}

function denyCheck(certificates: readonly Certificate[], { denied }: CompiledScheme): ExplainedCheck {
  return certificates.some((item) => isDenied(denied, item))
    ? { check: 'deny list', ok: false, detail: 'denied', message: 'On the deny list of this bank.' }
    : { check: 'deny list', ok: true, detail: 'not_denied', message: 'Not on the deny list of this bank.' };
}

async function revocationChecks(
  path: readonly Certificate[],
  scheme: CompiledScheme,
  revocation: Revocation,
): Promise<readonly ExplainedCheck[]> {
  if (scheme.revocation === undefined) return [NOT_WANTED];
  const statuses = await statusesOf(path, scheme, revocation);
  const subjects = path.map(({ subject }) => textOfName(subject.rdns));
  return statuses.map(({ state, method, problems, thisUpdate }, level) => {
    const { [level]: subject = '' } = subjects;
    const source = method === undefined ? 'no source answered' : `by ${method}, as of ${thisUpdate?.toISOString()}`;
    const unusable = problems.length === 0 ? '' : `; unusable: ${problems.join(', ')}`;
    return { check: 'revocation', ok: state === 'good', detail: state, message: `${subject}: ${source}${unusable}.` };
  });
}

const NOT_WANTED: ExplainedCheck = {
  check: 'revocation',
  ok: true,
  detail: 'off',
  message: 'Not asked: revocation is off for this bank, withdrawn certificates are accepted.',
};
