import type { IncomingMessage } from 'node:http';
import { uuid } from '../platform/random.ts';

/** The header that names one request through every system it touches (FAPI 1.0 Baseline §6.2.1-11). */
export const interactionHeader = 'x-fapi-interaction-id';

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The caller's interaction id when it is one UUID, else a new one (WSO-36, RS-11). */
export function interactionOf(request: IncomingMessage): string {
  const sent = request.headers[interactionHeader];
  return typeof sent === 'string' && uuidPattern.test(sent) ? sent : uuid();
}
