/** What a refusal may carry beside its code, status and sentence. */
export interface RefusalOptions {
  /** A finer code for the audit record; never shown to the caller. */
  readonly detail?: string;
  /** Response headers that belong to the refusal, such as `Retry-After` (seconds). */
  readonly headers?: Readonly<Record<string, string>>;
  /** What led here, for our log only. */
  readonly cause?: unknown;
}

/**
 * The one way to say no. `code` is stable and documented (acceptance.md §1.3), `status` is the HTTP status an edge
 * answers with, and `message` is a sentence that is safe for the caller and tells what to change.
 * Anything else that is thrown is a defect and answers 500 without detail.
 */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;
  readonly detail: string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: string, status: number, message: string, options: RefusalOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Refusal';
    this.code = code;
    this.status = status;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }
}
