import { isDenied } from './deny-list.ts';
import { type Judgement, judgeChain, refused } from './judge.ts';
import { earliest } from './moments.ts';
import type { DetailCode } from './reasons.ts';
import type { Revocation } from './revocation.ts';
import type { RevocationStatus } from './revocation-status.ts';
import type { CompiledScheme } from './scheme.ts';
import type { CertificateVerdict, ClientCertificate } from './verdict.ts';
import type { Certificate } from './x509.ts';

/** A verdict, and the milder one for callers who may go on when no source of revocation answers. */
export interface Evaluation {
  readonly strict: CertificateVerdict;
  readonly soft: CertificateVerdict;
}

/**
 * Everything trust has to say of a chain: parse, path, validity, purpose, deny list, revocation, in this order. The last is
 * left out where the proxy before the door vouches for it.
 */
export async function evaluate(
  chain: readonly Uint8Array[],
  scheme: CompiledScheme,
  revocation: Revocation,
  now: Date,
  vouched = false,
): Promise<Evaluation> {
  const { verdict, path } = judgeChain(chain, scheme, now);
  if (!verdict.ok) return both(verdict);
  const denied = deniedIn(path, scheme, verdict.certificate);
  if (denied !== undefined) return both(denied.verdict);
  if (scheme.revocation === undefined) return both(verdict);
  if (vouched) return both({ ...verdict, revocation: BY_PROXY });
  return withRevocation(verdict, path, await statusesOf(path, scheme, revocation));
}

const BY_PROXY = { method: 'proxy', thisUpdate: undefined, nextUpdate: undefined, nonce: undefined } as const;

function both(verdict: CertificateVerdict): Evaluation {
  return { strict: verdict, soft: verdict };
}

function deniedIn(
  path: readonly Certificate[],
  scheme: CompiledScheme,
  certificate: ClientCertificate,
): Judgement | undefined {
  const at = path.find((item) => isDenied(scheme.denied, item));
  if (at === undefined) return undefined;
  const message = 'The certificate, its key or its authority is on the deny list of this bank.';
  return refused('denied', message, certificate, at);
}

/** The status of every certificate below the anchor, leaf first; the anchor answers to configuration alone (§9.1). */
export async function statusesOf(
  path: readonly Certificate[],
  scheme: CompiledScheme,
  revocation: Revocation,
): Promise<readonly RevocationStatus[]> {
  const settings = scheme.revocation;
  if (settings === undefined) return [];
  const statuses: RevocationStatus[] = [];
  for (const [level, certificate] of path.entries()) {
    const issuer = path[level + 1];
    if (issuer === undefined || (level > 0 && !settings.authorities)) break;
    // Authorities are few and their lists short: a list that is at hand answers for all of them.
    const order = level === 0 ? settings.order : (['crl', 'ocsp'] as const);
    const question = { certificate, issuer, policy: scheme.algorithms, settings: { ...settings, order } };
    statuses.push(await revocation.check(question));
  }
  return statuses;
}

type Accepted = Extract<CertificateVerdict, { ok: true }>;

function withRevocation(
  verdict: Accepted,
  path: readonly Certificate[],
  statuses: readonly RevocationStatus[],
): Evaluation {
  const level = worstOf(statuses);
  const { [level]: status = SILENCE } = statuses;
  const [leaf = SILENCE] = statuses;
  const validUntil = earliest(verdict.validUntil, ...statuses.map((item) => item.validUntil));
  if (status.state === 'good') return both({ ...verdict, validUntil, revocation: evidenceOf(leaf) });
  const strict = refusalOf(status, level, verdict.certificate, path[level]);
  const silent = statuses.every(({ state }) => state === 'good' || state === 'unavailable');
  const soft = silent
    ? { ...verdict, validUntil, revocation: { ...evidenceOf(leaf), method: 'soft' as const } }
    : strict;
  return { strict, soft };
}

/** What stands where nobody was asked: a scheme that demands an answer has none. */
const SILENCE: RevocationStatus = {
  state: 'unavailable',
  method: undefined,
  permanent: false,
  thisUpdate: undefined,
  nextUpdate: undefined,
  nonce: undefined,
  validUntil: new Date(0),
  problems: [],
};

const SEVERITY = ['good', 'unavailable', 'info_missing', 'unknown', 'revoked'] as const;

/** Where the worst status is; of equals the one nearest to the leaf. */
function worstOf(statuses: readonly RevocationStatus[]): number {
  const severities = statuses.map(({ state }) => SEVERITY.indexOf(state));
  return severities.indexOf(Math.max(...severities));
}

function evidenceOf({ method, thisUpdate, nextUpdate, nonce }: RevocationStatus) {
  return { method: method ?? 'soft', thisUpdate, nextUpdate, nonce } as const;
}

function refusalOf(
  { state }: RevocationStatus,
  level: number,
  certificate: ClientCertificate,
  at: Certificate | undefined,
): CertificateVerdict {
  const which = level === 0 ? 'the certificate' : 'an authority above the certificate';
  const [code, words] = state === 'revoked' && level > 0 ? CA_REVOKED : REFUSALS[state];
  return refused(code, `${words} ${which}.`, certificate, at).verdict;
}

const CA_REVOKED = ['ca_revoked', 'The issuer has withdrawn'] as const;
const REFUSALS: Readonly<Record<RevocationStatus['state'], readonly [DetailCode, string]>> = {
  revoked: ['revoked', 'The issuer has withdrawn'],
  unknown: ['revocation_unknown', 'The responder does not know'],
  info_missing: ['revocation_info_missing', 'No responder and no list that could be asked is named for'],
  unavailable: ['revocation_unavailable', 'Neither a responder nor a list gave a usable answer about'],
  // Never reached: a good status is no refusal. Should it be, nobody gets through.
  good: ['revocation_unavailable', 'Nothing certain is known about'],
};
