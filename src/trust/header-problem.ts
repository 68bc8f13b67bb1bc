/** Why a forwarded header was not accepted (certificates.md §11.3). */
export type HeaderCode =
  | 'header_duplicate'
  | 'header_malformed'
  | 'header_no_certificate'
  | 'header_inconsistent'
  | 'header_too_large';

/** Thrown by the decoders of this room. */
export class HeaderProblem extends Error {
  readonly code: HeaderCode;

  constructor(code: HeaderCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HeaderProblem';
    this.code = code;
  }
}
