/** What a caller proves itself with at the token endpoint: a fresh assertion for each request. */
export interface AssertionPlan {
  readonly client: string;
  readonly algorithm: 'PS256' | 'ES256';
  /** PKCS#8 PEM. */
  readonly key: string;
  readonly kid: string;
  readonly audience: string;
}

/** One connection with a client certificate, and what it sends in turn. */
export interface Caller {
  readonly certificate: string;
  readonly key: string;
  /** Whole HTTP/1.1 requests; or, with an assertion, one request whose form the assertion is appended to. */
  readonly requests: readonly string[];
  readonly assertion?: AssertionPlan;
}

/** A server under measurement. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly callers: readonly Caller[];
  /** True: every request is one never sent before, in order; no ramp before a slice. */
  readonly cold?: boolean;
}

/** What the load generator is told: all targets in one run, in turns. */
export interface Scenario {
  /** PEM of the authority that vouches for every server. */
  readonly root: string;
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
  readonly targets: readonly Target[];
  /** Processes around the targets, whose CPU share is stated. */
  readonly around: readonly { readonly name: string; readonly pid: number }[];
}

/** What one target did in one round. */
export interface Slice {
  readonly target: string;
  readonly round: number;
  readonly requests: number;
  /** Answers that were not 200. */
  readonly refused: number;
  /** The first of them, to say why the run counts for nothing. */
  readonly refusal?: string | undefined;
  /** Slices before this one that a refusal made void. */
  readonly repeated: number;
  readonly milliseconds: number;
  readonly p50: number;
  readonly p99: number;
  /** CPU of the target, of the generator, and of the processes around, in milliseconds. */
  readonly cpu: number;
  readonly generatorCpu: number;
  readonly aroundCpu: Readonly<Record<string, number>>;
  /** Resident memory of the target afterwards, in MiB. */
  readonly memory: number;
}
