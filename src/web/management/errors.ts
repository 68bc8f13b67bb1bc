import { isRecord } from '../../platform/json.ts';
import { Refusal } from '../../platform/refusal.ts';

/** Codes of the web framework, in our words. */
const FRAMEWORK: Readonly<Record<string, readonly [code: string, status: number, sentence: string]>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 415, 'Send the body as application/json.'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['body_too_large', 413, 'The body is too large.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['body_malformed', 400, 'The body is empty.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['body_malformed', 400, 'The body is not JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['body_malformed', 400, 'The body has another length than announced.'],
};

/** What was thrown, as a refusal: what a schema or the framework refuses by its field, a defect without any detail. */
export function refusalOf(cause: unknown): Refusal {
  if (cause instanceof Refusal) return cause;
  if (!isRecord(cause)) return defect(cause);
  const { validation, validationContext, code, statusCode } = cause;
  if (Array.isArray(validation)) return invalid(validation[0], validationContext);
  const known = typeof code === 'string' ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return new Refusal(...known);
  const theirs = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500;
  return theirs ? new Refusal('request_malformed', 400, 'The request could not be read.', { cause }) : defect(cause);
}

function defect(cause: unknown): Refusal {
  return new Refusal('internal_error', 500, 'Something went wrong here; the trace id finds it in our log.', { cause });
}

/** Names the field by its path, so that the caller can mend it. */
function invalid(fault: unknown, context: unknown): Refusal {
  const { keyword, instancePath, params, message } = isRecord(fault) ? fault : {};
  const given = isRecord(params) ? params : {};
  const named = keyword === 'required' ? given.missingProperty : given.additionalProperty;
  const steps = [
    ...String(instancePath ?? '')
      .split('/')
      .slice(1),
    ...(typeof named === 'string' ? [named] : []),
  ];
  const field = printable(steps.join('.')) || 'the whole';
  const place = `${String(context ?? 'request')}: ${field}`;
  if (keyword === 'required') return new Refusal('field_missing', 400, `${place} is missing.`, { detail: field });
  const why = keyword === 'additionalProperties' ? 'is not known here' : String(message ?? 'is wrong');
  return new Refusal('field_invalid', 400, `${place} ${why}.`, { detail: field });
}

/** A caller's own key comes back to them in the sentence: short and without surprises. */
function printable(path: string): string {
  return path === '' || /^[A-Za-z0-9_.-]{1,80}$/.test(path) ? path : '(unprintable)';
}

/** Reasons that RFC 6750 §3.1 knows as `invalid_token`. */
const INVALID_TOKEN: ReadonlySet<string> = new Set([
  'token_invalid',
  'token_expired',
  'token_revoked',
  'wrong_audience',
  'wrong_token_type',
  'certificate_not_bound',
]);

/** The `WWW-Authenticate` challenge of a refusal (RFC 6750 §3); undefined where none belongs. */
export function challengeOf({ code, status }: Refusal, scope: string | undefined): string | undefined {
  if (code === 'insufficient_scope') return `Bearer error="insufficient_scope", scope="${scope ?? ''}"`;
  if (status !== 401) return undefined;
  return INVALID_TOKEN.has(code) ? 'Bearer error="invalid_token"' : 'Bearer realm="management"';
}
