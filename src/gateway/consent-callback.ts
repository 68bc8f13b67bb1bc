import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Actor, Audit, AuditEvent } from '../audit/index.ts';
import type { ConsentState, Consents } from '../consent/index.ts';
import { readBody } from '../platform/form.ts';
import { Refusal } from '../platform/refusal.ts';
import type { Tokens } from '../tokens/index.ts';
import { CertificateRefusal, refusalFacts, type Trust } from '../trust/index.ts';
import type { GatewayLog } from './endings.ts';
import { interactionHeader, interactionOf } from './interaction.ts';

/** How a bank's own consent store shows who it is when it calls back. */
export interface CallbackIdentity {
  /** The trust scheme that its certificate is judged by. */
  readonly scheme: string;
  /** `x5t#S256` of the one certificate that may call. */
  readonly thumbprint: string;
}

/** What the call-back works with. */
export interface ConsentCallbackOptions {
  /** By bank; one without an entry has no store that calls back. */
  readonly identities: ReadonlyMap<string, CallbackIdentity>;
  readonly trust: Pick<Trust, 'clientCertificate'>;
  readonly consents: Pick<Consents, 'find' | 'noticeChange'>;
  readonly tokens: Pick<Tokens, 'deny'>;
  readonly audit: Pick<Audit, 'enqueue'>;
  readonly log?: GatewayLog;
}

/** Where a bank's own consent store says that a consent changed there. */
export interface ConsentCallback {
  /** True for the path that follows `/{bank}` at the mTLS door. */
  owns(path: string): boolean;
  /** Answers 204 once the consent is read anew everywhere and, when it is over, its tokens are dead. Never rejects. */
  handle(request: IncomingMessage, response: ServerResponse, bank: string): Promise<void>;
}

const PATH = '/consent-changed';
/** An id and nothing else. */
const MAXIMUM_BODY_BYTES = 4_096;
const MAXIMUM_ID = 256;
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"? *)?$/i;
const LIVING: readonly (ConsentState | undefined)[] = ['Awaiting', 'Authorised'];

/** The call-back of banks that keep consents themselves. */
export function createConsentCallback(options: ConsentCallbackOptions): ConsentCallback {
  return {
    owns: (path) => path.split('?', 1)[0] === PATH,
    handle: async (request, response, bank) => {
      const interaction = interactionOf(request);
      try {
        const id = await admit(options, request, bank);
        await take(options, { bank, id, interaction });
        response.writeHead(204, { 'cache-control': 'no-store', [interactionHeader]: interaction }).end();
      } catch (cause) {
        refuse(options, { bank, interaction }, response, cause);
      }
    },
  };
}

/** The id that the bank's own store names. @throws Refusal 404, 405, 401, 403, 415, 413, 400 */
async function admit({ identities, trust }: ConsentCallbackOptions, request: IncomingMessage, bank: string) {
  const identity = identities.get(bank);
  if (identity === undefined) throw new Refusal('not_found', 404, 'This bank has no consent store that calls back.');
  if (request.method !== 'POST')
    throw new Refusal('method_not_allowed', 405, 'Changes are told by POST.', { headers: { allow: 'POST' } });
  const verdict = await trust.clientCertificate(request, identity.scheme);
  if (!verdict.ok) throw new CertificateRefusal(verdict);
  if (verdict.certificate.thumbprint !== identity.thumbprint)
    throw new Refusal('caller_not_allowed', 403, "Only the bank's own consent store may call here.");
  if (!JSON_TYPE.test(request.headers['content-type'] ?? ''))
    throw new Refusal('unsupported_media_type', 415, 'Send application/json.');
  return idOf(await readBody(request, MAXIMUM_BODY_BYTES));
}

/** @throws Refusal `body_malformed` 400 unless the body is `{"id": …}` */
function idOf(body: Uint8Array): string {
  const value = parse(body);
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  if (typeof id === 'string' && id.trim() !== '' && id.length <= MAXIMUM_ID) return id;
  throw new Refusal('body_malformed', 400, 'Send {"id": …} with the id of the consent that changed.');
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new Refusal('body_malformed', 400, 'The body is no JSON.', { cause });
  }
}

interface Told {
  readonly bank: string;
  readonly id: string;
  readonly interaction: string;
}

/** What the call says is not believed, only that something changed: the consent is read anew, and its tokens go by that. */
async function take(
  { consents, tokens, audit }: ConsentCallbackOptions,
  { bank, id, interaction }: Told,
): Promise<void> {
  await consents.noticeChange(bank, id);
  const state = (await consents.find(bank, id))?.state;
  const actor: Actor = { kind: 'system', reference: 'consent-store', interaction };
  if (!LIVING.includes(state)) await tokens.deny({ bank, consent: id }, actor);
  audit.enqueue(consentChangedElsewhere(bank, id, state, interaction));
}

function refuse(
  { audit, log }: ConsentCallbackOptions,
  { bank, interaction }: Omit<Told, 'id'>,
  response: ServerResponse,
  cause: unknown,
): void {
  const known = cause instanceof Refusal;
  const refusal = known ? cause : new Refusal('internal_error', 500, 'Something went wrong here.', { cause });
  if (!known || refusal.status >= 500) log?.error({ cause, interaction }, 'a call-back of a consent store failed');
  record(audit, callbackRefused(bank, refusal, interaction));
  const { code: reason, message, status } = refusal;
  response.writeHead(status, {
    ...refusal.headers,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    [interactionHeader]: interaction,
    connection: 'close',
  });
  response.end(JSON.stringify({ error: { reason, message, traceId: interaction } }));
}

/** The caller is refused already: a trail that cannot take the record changes nothing about that. */
function record(audit: Pick<Audit, 'enqueue'>, event: AuditEvent): void {
  try {
    audit.enqueue(event);
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause;
  }
}

/** A bank's own store said that a consent changed there. */
function consentChangedElsewhere(
  bank: string,
  consent: string,
  state: ConsentState | undefined,
  interaction: string,
): AuditEvent {
  const facts = { state: state ?? null };
  return {
    family: 'consent',
    action: 'consent.changed_elsewhere',
    outcome: 'changed',
    bank,
    consent,
    interaction,
    facts,
  };
}

function callbackRefused(bank: string, refusal: Refusal, interaction: string): AuditEvent {
  const { code: reason, detail } = refusal;
  const told = { outcome: 'refused', bank, reason, detail, interaction, facts: refusalFacts(refusal) } as const;
  return { family: 'consent', action: 'consent.callback_refused', ...told };
}
