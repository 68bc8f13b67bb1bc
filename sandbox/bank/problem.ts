/** A refusal of the demo bank: what the caller did wrong, as a reason and a sentence. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** What the bank says of anything that is not there, or not there for this customer. */
export function notFound(): Problem {
  return new Problem(404, 'not_found', 'There is no such thing here.');
}
