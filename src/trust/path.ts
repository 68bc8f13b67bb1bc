import { type AlgorithmPolicy, isSignedBy, isUsableKey, keyProblem, signatureProblem } from './algorithms.ts';
import { KEY_USAGE } from './extensions.ts';
import { type Grant, grantProblem } from './grant.ts';
import { nameConstraintProblem } from './name-constraints.ts';
import { type Certificate, unknownCritical } from './x509.ts';

/** A trust anchor: a subject with a key (§7.1 rule 2). It need not be self-signed. */
export interface Anchor extends Grant {
  readonly certificate: Certificate;
  /** Where it comes from, for the record: `configured`, or a trusted list with its country. */
  readonly origin: string;
}

/** Why no path was accepted (certificates.md §19 C). */
export type PathCode =
  | 'issuer_unknown'
  | 'path_signature'
  | 'not_a_ca'
  | 'path_length'
  | 'path_budget'
  | 'name_constraint'
  | 'critical_extension'
  | 'algorithm_policy'
  | 'expired'
  | 'not_yet_valid'
  | 'anchor_not_granted'
  | 'trusted_list_expired'
  | 'chain_too_long'
  | 'eku';

/** Where in the path a problem sits. */
export type Level = 'leaf' | 'issuer' | 'anchor';

/** One problem with a path. */
export interface PathProblem {
  readonly code: PathCode;
  readonly level: Level;
  readonly message: string;
  /** Whose problem it is; undefined when no single certificate is to blame. */
  readonly certificate?: Certificate | undefined;
}

/** A path that holds, leaf first, or the problem of the best attempt. */
export type PathResult =
  | { readonly ok: true; readonly path: readonly Certificate[]; readonly anchor: Anchor }
  | { readonly ok: false; readonly problem: PathProblem };

/** What path validation needs to know. */
export interface PathInput {
  readonly leaf: Certificate;
  /** Sent by the client: in any order, surplus allowed. */
  readonly untrusted: readonly Certificate[];
  readonly anchors: readonly Anchor[];
  readonly policy: AlgorithmPolicy;
  /** Purposes that an authority which limits its purposes must include. */
  readonly extendedKeyUsages: readonly string[];
  /** Critical extensions that are acted on. */
  readonly known: ReadonlySet<string>;
  readonly now: Date;
}

/** Certificates in a path, anchor included. */
const MAXIMUM_DEPTH = 5;
/** Edges tried in all; cross-signed authorities grow the search without bound otherwise (F11). */
const MAXIMUM_EDGES = 32;

/** Searches depth first, anchors before untrusted certificates, and validates while it walks (§7.1). */
export function findPath(input: PathInput): PathResult {
  const search: Search = { input, edges: 0, exhausted: false, best: undefined };
  const own = certificateProblem(input.leaf, 'leaf', input);
  if (own !== undefined && own.code === 'algorithm_policy') return failing(own, input.leaf);
  const found = extend(search, [input.leaf]);
  if (found === undefined && search.exhausted) return { ok: false, problem: BUDGET };
  if (found === undefined) return failing(search.best ?? UNKNOWN, input.leaf);
  // Said last, so that a certificate of a stranger is called untrusted before anything else.
  return own === undefined ? { ok: true, ...found } : failing(own, input.leaf);
}

/** What nobody else is to blame for is the leaf's. */
function failing(problem: PathProblem, leaf: Certificate): PathResult {
  return { ok: false, problem: { certificate: leaf, ...problem } };
}

const UNKNOWN: PathProblem = {
  code: 'issuer_unknown',
  level: 'leaf',
  message: 'The certificate was not issued by an authority that this bank trusts.',
};
const BUDGET: PathProblem = {
  code: 'path_budget',
  level: 'issuer',
  message: 'No path to a trusted authority was found within the work that one request may cause.',
};

interface Search {
  readonly input: PathInput;
  edges: number;
  exhausted: boolean;
  /** The problem of the attempt that came furthest: the most useful thing to say. */
  best: PathProblem | undefined;
}

type Found = { readonly path: readonly Certificate[]; readonly anchor: Anchor };

function extend(search: Search, path: readonly Certificate[]): Found | undefined {
  const { input } = search;
  const [child = input.leaf] = path.slice(-1);
  const issues = (issuer: Certificate) => Buffer.compare(issuer.subject.der, child.issuer.der) === 0;
  for (const anchor of input.anchors.filter((item) => issues(item.certificate))) {
    const { certificate } = anchor;
    const problem =
      tryEdge(search, path, certificate, 'anchor') ?? blame(anchorProblem(anchor, path, input), certificate);
    if (search.exhausted) return undefined;
    if (problem === undefined) return { path: [...path, anchor.certificate], anchor };
    remember(search, problem);
  }
  for (const issuer of input.untrusted.filter((item) => issues(item) && !uses(path, item))) {
    const problem = tryEdge(search, path, issuer, 'issuer');
    if (search.exhausted) return undefined;
    if (problem !== undefined) remember(search, problem);
    const found = problem === undefined ? extend(search, [...path, issuer]) : undefined;
    if (found !== undefined || search.exhausted) return found;
  }
  return undefined;
}

function uses(path: readonly Certificate[], certificate: Certificate): boolean {
  return path.some(({ thumbprint }) => thumbprint === certificate.thumbprint);
}

function tryEdge(search: Search, path: readonly Certificate[], issuer: Certificate, level: Level) {
  search.edges += 1;
  if (search.edges > MAXIMUM_EDGES) search.exhausted = true;
  if (search.exhausted || path.length >= MAXIMUM_DEPTH) return BUDGET;
  const problem = edgeProblem(search.input, path, issuer, level);
  return blame(problem, problem?.code === 'path_signature' ? path.at(-1) : issuer);
}

function blame(problem: PathProblem | undefined, certificate: Certificate | undefined): PathProblem | undefined {
  return problem && { ...problem, certificate };
}

/** A wrong signature says nothing about the issuer that was meant: any other problem is better to report. */
function remember(search: Search, problem: PathProblem): void {
  if (search.best === undefined || search.best.code === 'path_signature') search.best = problem;
}

function edgeProblem(
  input: PathInput,
  path: readonly Certificate[],
  issuer: Certificate,
  level: Level,
): PathProblem | undefined {
  const [child = input.leaf] = path.slice(-1);
  const key = keyProblem(issuer.publicKeyInfo, input.policy);
  if (key !== undefined) return problemOf('algorithm_policy', level, `The issuing authority has ${key}.`);
  if (!verified(child, issuer)) {
    return problemOf(
      'path_signature',
      level,
      'The signature was not made by the authority that the certificate names.',
    );
  }
  return (
    authorityProblem(issuer, path, level) ??
    limitedPurpose(issuer, level, input) ??
    certificateProblem(issuer, level, input) ??
    constraintProblem(issuer, path, level)
  );
}

/** Signatures are checked once per pair of certificate and issuer key (§7.1 rule 10). */
const MAXIMUM_SIGNATURES = 5_000;
const signatures = new Map<string, boolean>();

function verified(child: Certificate, issuer: Certificate): boolean {
  const key = `${child.thumbprint}${issuer.spkiSha256}`;
  const known = signatures.get(key);
  if (known !== undefined) return known;
  const valid = isSignedBy(issuer.publicKeyInfo, child.signatureAlgorithm, child.tbs, child.signature);
  if (signatures.size >= MAXIMUM_SIGNATURES) signatures.clear();
  signatures.set(key, valid);
  return valid;
}

function authorityProblem(issuer: Certificate, path: readonly Certificate[], level: Level): PathProblem | undefined {
  // Version 1 has no extensions; the strict reader lets it pass for configured anchors alone.
  if (issuer.version === 1) return undefined;
  const { basicConstraints, keyUsage } = issuer;
  if (basicConstraints?.authority !== true || keyUsage?.has(KEY_USAGE.keyCertSign) !== true) {
    return problemOf('not_a_ca', level, 'A certificate on the path is not allowed to issue certificates.');
  }
  const below = path.length - 1;
  if (basicConstraints.pathLength !== undefined && below > basicConstraints.pathLength) {
    return problemOf('path_length', level, 'The path has more authorities than one of them allows below itself.');
  }
  return undefined;
}

/** An authority with extended key usages issues for these alone, as every TLS stack reads it; "any" replaces none (§7.1 rule 9). */
function limitedPurpose(issuer: Certificate, level: Level, input: PathInput): PathProblem | undefined {
  const limits = issuer.extendedKeyUsages;
  if (limits === undefined || input.extendedKeyUsages.every((usage) => limits.includes(usage))) return undefined;
  return problemOf('eku', level, 'An authority on the path may not issue certificates for this purpose.');
}

/** What every certificate of a path must satisfy (§7.1 rule 5). An anchor's own signature is not asked: it is trusted by name. */
function certificateProblem(certificate: Certificate, level: Level, input: PathInput): PathProblem | undefined {
  const unknown = unknownCritical(certificate, input.known);
  if (unknown.length > 0) {
    const message = `A critical extension (${unknown.join(', ')}) is not understood.`;
    return problemOf('critical_extension', level, message);
  }
  const weak = level === 'anchor' ? undefined : signatureProblem(certificate.signatureAlgorithm, input.policy);
  const key = weak ?? keyProblem(certificate.publicKeyInfo, input.policy) ?? offCurve(certificate, level);
  if (key !== undefined) return problemOf('algorithm_policy', level, `The certificate uses ${key}.`);
  return validityProblem(certificate, level, input.now);
}

/** Issuers' keys prove themselves by verifying; a leaf's key has not been used yet. */
function offCurve(certificate: Certificate, level: Level): string | undefined {
  return level === 'leaf' && !isUsableKey(certificate.publicKeyInfo) ? 'a key that is not valid' : undefined;
}

function validityProblem({ notBefore, notAfter }: Certificate, level: Level, now: Date): PathProblem | undefined {
  const which =
    level === 'leaf'
      ? 'The certificate'
      : `The certificate of the ${level === 'anchor' ? 'trusted' : 'issuing'} authority`;
  if (now < notBefore) return problemOf('not_yet_valid', level, `${which} is not valid yet.`);
  if (now > notAfter) return problemOf('expired', level, `${which} has expired.`);
  return undefined;
}

function anchorProblem(
  anchor: Anchor,
  path: readonly Certificate[],
  { leaf, now }: PathInput,
): PathProblem | undefined {
  const problem = grantProblem(anchor, leaf, path.length - 1, now);
  return problem && { ...problem, level: 'anchor' };
}

function constraintProblem(issuer: Certificate, path: readonly Certificate[], level: Level): PathProblem | undefined {
  for (const certificate of path) {
    const problem = nameConstraintProblem(issuer, certificate);
    if (problem !== undefined) return problemOf('name_constraint', level, `Name constraints are broken: ${problem}.`);
  }
  return undefined;
}

function problemOf(code: PathCode, level: Level, message: string): PathProblem {
  return { code, level, message };
}
