import type { IncomingMessage } from 'node:http';
import type { ClientCertificate } from '../trust/index.ts';

/** What a checked registration request says beyond its metadata; only such a request may write a client. */
export interface RegistrationContext {
  readonly participant: string;
  readonly softwareId: string;
  readonly certificate: ClientCertificate;
  /** The client that an update replaces. */
  readonly replaces: string | undefined;
}

const contexts = new WeakMap<IncomingMessage, RegistrationContext>();

/** Marks a request as a checked registration. */
export function setRegistration(request: IncomingMessage, context: RegistrationContext): void {
  contexts.set(request, context);
}

/** The context of a checked registration; undefined for any other request. */
export function registrationOf(request: IncomingMessage): RegistrationContext | undefined {
  return contexts.get(request);
}
