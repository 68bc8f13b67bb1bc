import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DoorHandler } from '../platform/door.ts';
import { uuid } from '../platform/random.ts';
import type { CertificateVerdict, ClientCertificate } from '../trust/index.ts';
import { certificateShown } from './events.ts';
import type { Rooms } from './rooms.ts';
import { answerError } from './router.ts';
import { addressesOf, type BankSettings, type Settings } from './settings.ts';

/**
 * The door for participants who are being onboarded: its handshake takes any certificate, and `GET /{bank}` answers what the bank
 * would say of it, where the mTLS door would end the handshake without a word. Nothing else is behind it: no token, no API.
 */
export function onboardingHandler(settings: Settings, rooms: Pick<Rooms, 'trust' | 'audit'>): DoorHandler {
  return async (request, response) => {
    const bank = settings.banks.find(({ id }) => id === bankIdOf(request.url ?? '/'));
    if (bank === undefined) {
      answerError(
        response,
        404,
        'not_found',
        'there is nothing at this address: ask at /{bank}, with the id of a bank',
      );
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      answerError(
        response,
        405,
        'method_not_allowed',
        'this door only tells what a certificate is worth: ask with GET',
      );
      return;
    }
    rooms.audit.checkWritable();
    const verdict = await rooms.trust.clientCertificate(request, bank.id);
    const interaction = uuid();
    rooms.audit.enqueue(certificateShown(bank.id, verdict, interaction));
    answer(request, response, { bank, mtls: addressesOf(bank, settings).mtlsBase, verdict, interaction });
  };
}

/** `/{bank}`, with or without a slash behind it or a question. */
function bankIdOf(url: string): string | undefined {
  return /^\/([a-z][a-z0-9-]*)\/?(?:\?.*)?$/.exec(url)?.[1];
}

interface Shown {
  readonly bank: BankSettings;
  readonly mtls: string;
  readonly verdict: CertificateVerdict;
  readonly interaction: string;
}

function answer(request: IncomingMessage, response: ServerResponse, shown: Shown): void {
  const { verdict, interaction } = shown;
  response.writeHead(verdict.ok ? 200 : 401, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-fapi-interaction-id': interaction,
  });
  response.end(request.method === 'HEAD' ? undefined : JSON.stringify(bodyOf(shown)));
}

function bodyOf({ bank, mtls, verdict, interaction }: Shown) {
  const certificate = verdict.certificate === undefined ? {} : { certificate: fieldsOf(verdict.certificate) };
  if (verdict.ok) return { message: `${bank.name} accepts this certificate at ${mtls}.`, ...certificate };
  return { error: { reason: verdict.reason, message: verdict.message, traceId: interaction }, ...certificate };
}

/** The caller's own certificate, so that nobody looks for the fault in another one. */
function fieldsOf({ subject, issuer, serial, thumbprint, notBefore, notAfter, roles }: ClientCertificate) {
  return { subject, issuer, serial, thumbprint, notBefore, notAfter, roles: roles ?? [] };
}
