import { isRecord } from '../platform/json.ts';
import { Refusal } from '../platform/refusal.ts';
import { type Call, known, type PaymentOrder, type Rooms } from './call.ts';
import { type FactsSigner, factsHeader } from './facts.ts';
import { interactionHeader } from './interaction.ts';
import { type Answer, actorOf } from './tokenize.ts';

/** Largest answer to a payment that is read, in bytes: it is a status and a reason. */
const answerLimit = 16_384;
/** Longest reason that is given on, in characters. */
const reasonLimit = 200;

type AccountNumber = Awaited<ReturnType<Rooms['vault']['detokenize']>>;

/** The answer of the bank to a payment. */
interface Decision {
  readonly status: 'APPROVED' | 'DECLINED';
  readonly reason: string | undefined;
}

/**
 * Pays from the account behind a vault token and answers with the masked number (LAB-27). The consent under which the token
 * was made must still stand (LAB-04).
 * @throws Refusal `not_found` 404 for an invented, withdrawn or expired token; those of the vault; `upstream_unavailable` 502
 */
export async function pay(call: Call, rooms: Rooms, signer: FactsSigner): Promise<Answer> {
  const order = known(call, 'payment');
  const entry = await entryBehind(call, rooms, order.token);
  const consent = await standingConsent(call, rooms, entry);
  const facts = await signer.forAction(call, { customer: entry.customer, consent, accounts: [entry.account] });
  const decision = await submit(call, facts, { account: entry.number, amount: order.amount });
  rooms.consents.touch(call.bank.id, consent);
  return { status: 200, body: resultOf(order, entry.number, decision) };
}

async function entryBehind(call: Call, { vault }: Rooms, token: string): Promise<AccountNumber> {
  try {
    return await vault.detokenize(call.bank.id, token, actorOf(call));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not_found') throw noSuchToken('unknown', error);
    throw error;
  }
}

/** The id of the consent behind a vault token. A token without one is not a customer's act, and not told apart from an invented one. */
async function standingConsent(call: Call, { consents, clock }: Rooms, entry: AccountNumber): Promise<string> {
  if (entry.consent === undefined) throw noSuchToken('no_consent');
  const consent = await consents.current(call.bank.id, entry.consent);
  if (consent === undefined) throw noSuchToken('consent_missing');
  if (consent.state !== 'Authorised' || consent.expiresAt <= clock.now()) throw noSuchToken(`consent_${consent.state}`);
  if (consent.customer !== entry.customer || consent.participant !== known(call, 'token').participant)
    throw noSuchToken('consent_of_another');
  if (!consent.accounts.includes(entry.account)) throw noSuchToken('account_not_in_consent');
  return consent.id;
}

/** One sentence for an invented token and a withdrawn one, so that nobody learns which tokens there were. */
function noSuchToken(detail: string, cause?: unknown): Refusal {
  return new Refusal('not_found', 404, 'There is no account behind this token.', { detail, cause });
}

/** A payment under way is not broken off when the participant leaves: it would be neither made nor refused. */
async function submit(call: Call, facts: string, payment: { account: string; amount: number }): Promise<Decision> {
  const answer = await exchange(call, facts, JSON.stringify(payment));
  const decision = decisionOf(answer);
  if (decision === undefined) throw unavailable('answer_malformed');
  const { reason } = decision;
  // Whatever the bank writes there: the number it was given never comes back out.
  return reason !== undefined && plain(reason).includes(plain(payment.account))
    ? { status: decision.status, reason: undefined }
    : decision;
}

async function exchange(call: Call, facts: string, body: string): Promise<unknown> {
  try {
    const response = await call.bank.upstream.dispatcher.request({
      path: call.target,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        [interactionHeader]: call.interaction,
        [factsHeader]: facts,
      },
      body,
    });
    const text = await readText(response.body);
    if (response.statusCode !== 200 && response.statusCode !== 201) throw unavailable(`status_${response.statusCode}`);
    return JSON.parse(text);
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw unavailable('no_answer', cause);
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > answerLimit) throw unavailable('answer_too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function unavailable(detail: string, cause?: unknown): Refusal {
  return new Refusal('upstream_unavailable', 502, 'The bank did not answer whether the payment was made.', {
    detail,
    cause,
  });
}

function decisionOf(answer: unknown): Decision | undefined {
  if (!isRecord(answer)) return undefined;
  const { status, reason } = answer;
  if (status !== 'APPROVED' && status !== 'DECLINED') return undefined;
  const told = typeof reason === 'string' && reason.length <= reasonLimit;
  return { status, reason: told ? reason : undefined };
}

function resultOf(order: PaymentOrder, number: string, { status, reason }: Decision): Answer['body'] {
  const result = { token: order.token, account: masked(number), amount: order.amount, status };
  return reason === undefined ? result : { ...result, reason };
}

/** Without the spaces and hyphens that people write into account numbers. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]/g, '');
}

/** As the vault masks: the last four characters, and never more than half of the number. */
function masked(number: string): string {
  const characters = plain(number);
  return `****${characters.slice(characters.length - Math.min(4, Math.floor(characters.length / 2)))}`;
}
