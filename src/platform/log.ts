import { type DestinationStream, pino, stdTimeFunctions } from 'pino';

/** What a line carries beside its sentence. */
export type LogDetails = Readonly<Record<string, unknown>>;

/** The platform's log: one JSON object a line. Sentences are constant; what varies goes into the details. */
export interface Log {
  debug(details: LogDetails, message: string): void;
  info(details: LogDetails, message: string): void;
  warn(details: LogDetails, message: string): void;
  error(details: LogDetails, message: string): void;
}

/** How much is written. */
export interface LogOptions {
  readonly level: string;
  /** Standard output unless given. */
  readonly destination?: DestinationStream;
}

const LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];
const REDACTED = '[redacted]';
/** Deeper details are no details. */
const MAXIMUM_DEPTH = 6;
const MAXIMUM_TEXT = 8 * 1024;
const MAXIMUM_ITEMS = 100;

/** Keys whose text is never written, whoever put it there: credentials, what proves them, bodies, personal details. */
const SECRET_KEY =
  /token|secret|password|passphrase|assertion|authorization|cookie|credential|verifier|private|jwt|jws|jwe|^(?:body|key|pem|d|pin|otp|iban|account_?number|username|email|phone|request_object|id_token_hint|login_hint)$/i;

/** Secrets that stand inside other text: JWTs, bearer tokens, private keys, passwords of connection strings. */
const SECRET_TEXT =
  /\beyJ[\w-]+\.[\w-]*(?:\.[\w-]*){1,3}|\b(?:Bearer|Basic|DPoP)\s+[\w.~+/=-]{8,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|(?<=:\/\/[^\s:/@]{0,100}:)[^\s@/]+(?=@)/gi;

/** A log that writes no secret. @throws Error for a level that does not exist */
export function createLog({ level, destination }: LogOptions): Log {
  if (!LEVELS.includes(level)) throw new Error(`there is no log level ${level}; there are ${LEVELS.join(', ')}`);
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: nameOnly } };
  const logger = destination === undefined ? pino(options) : pino(options, destination);
  return {
    debug: (details, message) => logger.debug(clean(details), redactText(message)),
    info: (details, message) => logger.info(clean(details), redactText(message)),
    warn: (details, message) => logger.warn(clean(details), redactText(message)),
    error: (details, message) => logger.error(clean(details), redactText(message)),
  };
}

function nameOnly(label: string): { level: string } {
  return { level: label };
}

function clean(details: LogDetails): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).map(([key, value]) => [key, cleanValue(key, value, 1)]));
}

function cleanValue(key: string, value: unknown, depth: number): unknown {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return String(value);
  if (SECRET_KEY.test(key)) return REDACTED;
  if (typeof value === 'string') return redactText(value);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Error) return cleanError(value, depth);
  if (typeof value !== 'object' || ArrayBuffer.isView(value) || depth > MAXIMUM_DEPTH) return undefined;
  if (Array.isArray(value)) return value.slice(0, MAXIMUM_ITEMS).map((item) => cleanValue('', item, depth + 1));
  const entries = Object.entries(value).slice(0, MAXIMUM_ITEMS);
  return Object.fromEntries(entries.map(([name, part]) => [name, cleanValue(name, part, depth + 1)]));
}

/** Only what is ours to tell: errors of drivers carry row values and requests in properties of their own. */
function cleanError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const known = ['code', 'status', 'detail'].flatMap((key) => {
    const value: unknown = Reflect.get(error, key);
    const ours = key !== 'detail' || name === 'Refusal';
    return ours && (typeof value === 'string' || typeof value === 'number')
      ? [[key, cleanValue('', value, depth)]]
      : [];
  });
  return {
    name,
    message: redactText(message),
    ...Object.fromEntries(known),
    stack: stack === undefined ? undefined : redactText(stack),
    ...(cause === undefined ? {} : { cause: cleanValue('cause', cause, depth + 1) }),
  };
}

function redactText(text: string): string {
  return text.slice(0, MAXIMUM_TEXT).replaceAll(SECRET_TEXT, REDACTED);
}
