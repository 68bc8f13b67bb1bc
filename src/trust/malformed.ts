/** Why octets were not accepted as what they claim to be (certificates.md §19 B): stable, for the audit record. */
export type MalformedCode =
  | 'der_trailing'
  | 'der_length'
  | 'der_tag'
  | 'der_boolean'
  | 'der_integer'
  | 'der_oid'
  | 'der_bitstring'
  | 'der_string'
  | 'der_set'
  | 'der_time'
  | 'der_default'
  | 'extension_duplicate'
  | 'extension_syntax'
  | 'version'
  | 'serial'
  | 'algorithm_mismatch'
  | 'validity_order'
  | 'name_syntax'
  | 'san_syntax'
  | 'orgid_duplicate'
  | 'limit'
  | 'pem';

/** Thrown by every reader of this room for input it does not accept; nothing else is thrown for bad input. */
export class Malformed extends Error {
  readonly code: MalformedCode;

  constructor(code: MalformedCode, message: string) {
    super(message);
    this.name = 'Malformed';
    this.code = code;
  }
}
