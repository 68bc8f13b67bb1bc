import type { IncomingMessage, ServerResponse } from 'node:http';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify, type RouteOptions } from 'fastify';
import type { ManagementScope } from '../../authorization/index.ts';
import { uuid } from '../../platform/random.ts';
import { Refusal } from '../../platform/refusal.ts';
import { challengeOf, refusalOf } from './errors.ts';
import { type ManagementRequest, operationAllowed, operationRefused } from './events.ts';
import { admit, type GuardRooms, type ManagementBank } from './guard.ts';
import { managementOpenApi } from './openapi.ts';
import { type Admitted, type Desk, urlOf } from './operation.ts';
import type { OperationRooms } from './operations.ts';
import { managementOperations } from './table.ts';

/** What guards a route: a scope; or nothing, because it tells only what everybody may know or refuses everybody. */
export type RouteGuard =
  | { readonly scope: ManagementScope; readonly changesDirectory: boolean }
  | 'public'
  | 'method-refused';

declare module 'fastify' {
  interface FastifyContextConfig {
    guard?: RouteGuard;
  }
}

/** Where a defect is told. */
export interface ManagementLog {
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

/** What the management API is made of. */
export interface ManagementOptions extends OperationRooms, GuardRooms {
  readonly directory: OperationRooms['directory'] & GuardRooms['directory'];
  readonly tokens: OperationRooms['tokens'] & GuardRooms['tokens'];
  readonly audit: OperationRooms['audit'];
  readonly banks: readonly ManagementBank[];
  /** `https://host:port` of the door. */
  readonly origin: string;
  readonly log: ManagementLog;
}

/** A registered route, for whoever wants to see that none is open. */
export interface ManagementRoute {
  readonly method: string;
  readonly url: string;
  readonly guard: RouteGuard;
}

/** The management API, for a door to serve. */
export interface Management {
  readonly routes: readonly ManagementRoute[];
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** A reason and a few ids: nothing here is large. */
const MAXIMUM_BODY_BYTES = 16 * 1024;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

/** Opens the management API. It listens nowhere itself. @throws Error when a route declares no guard (N-229) */
export async function createManagement(options: ManagementOptions): Promise<Management> {
  const routes: ManagementRoute[] = [];
  const app = fastify({
    exposeHeadRoutes: false,
    bodyLimit: MAXIMUM_BODY_BYTES,
    requestIdHeader: false,
    genReqId: interactionOf,
    // What is not said exactly is refused, never bent into shape.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false } },
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (cause, request, reply) => answerRefusal(options, request, reply, cause),
  });
  app.addHook('onRoute', (route) => {
    routes.push(...guardedRoutes(route));
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  addGuard(app, options);
  app.setErrorHandler((cause, request, reply) => answerRefusal(options, request, reply, cause));
  app.setNotFoundHandler(() => {
    throw new Refusal('not_found', 404, 'There is nothing at this address; /openapi.json lists what there is.');
  });
  addRoutes(app, options);
  await app.ready();
  return { routes, handle: (request, response) => app.routing(request, response) };
}

/** What is kept of a route. @throws Error for one that says nothing of who may use it (N-229) */
export function guardedRoutes({ method, url, config }: RouteOptions): readonly ManagementRoute[] {
  const guard = config?.guard;
  if (guard === undefined) throw new Error(`the route ${String(method)} ${url} declares no guard`);
  return [method].flat().map((one) => ({ method: one, url, guard }));
}

/** The caller's interaction id when it is one UUID, else a new one. */
function interactionOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const sent = headers['x-fapi-interaction-id'];
  return typeof sent === 'string' && UUID.test(sent) ? sent : uuid();
}

const admissions = new WeakMap<IncomingMessage, Admitted>();

function admittedOf({ raw }: FastifyRequest): Admitted {
  const admitted = admissions.get(raw);
  if (admitted === undefined) throw new Error('an operation was reached without its guard');
  return admitted;
}

/** Before anything is read of the body: who is it, and may they. */
function addGuard(app: FastifyInstance, options: ManagementOptions): void {
  const banks = new Map(options.banks.map((bank) => [bank.id, bank]));
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-fapi-interaction-id': request.id,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const guard = request.routeOptions.config.guard;
    if (request.is404 || guard === 'public' || guard === 'method-refused') return;
    if (guard === undefined) throw new Error('a route without a guard was reached');
    const bank = banks.get(bankIn(request) ?? '');
    if (bank === undefined) throw new Refusal('not_found', 404, 'There is no such bank here.');
    const caller = await admit(options, bank, request.raw, guard.scope);
    admissions.set(request.raw, { bank, caller });
    if (guard.changesDirectory && !bank.changesDirectory)
      throw new Refusal('directory_read_only', 403, 'The services of this bank may read the directory, not change it.');
    options.audit.enqueue(operationAllowed(describe(request)));
  });
}

function bankIn({ params }: FastifyRequest): string | undefined {
  const known = typeof params === 'object' && params !== null && 'bank' in params ? params.bank : undefined;
  return typeof known === 'string' ? known : undefined;
}

function describe(request: FastifyRequest): ManagementRequest {
  const admitted = admissions.get(request.raw);
  const { url, method } = request.routeOptions;
  return {
    bank: admitted?.bank.id,
    operation: url === undefined ? undefined : `${String(method)} ${url}`,
    client: admitted?.caller.client,
    participant: admitted?.caller.participant,
    interaction: request.id,
  };
}

function addRoutes(app: FastifyInstance, options: ManagementOptions): void {
  const desk: Desk = { ...options, banks: options.banks.map(({ id }) => id) };
  const document = managementOpenApi(options.origin);
  app.get('/openapi.json', { config: { guard: 'public' } }, async () => document);
  for (const operation of managementOperations) operation.register(app, desk, admittedOf);
  const known = new Map<string, string[]>([['/openapi.json', ['GET']]]);
  for (const { description } of managementOperations) {
    const url = urlOf(description.path);
    known.set(url, [...(known.get(url) ?? []), description.method]);
  }
  for (const [url, allowed] of known) refuseOthers(app, url, allowed);
}

/** N-235: an address that takes one method says so to every other. */
function refuseOthers(app: FastifyInstance, url: string, allowed: readonly string[]): void {
  const headers = { allow: allowed.join(', ') };
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    config: { guard: 'method-refused' },
    handler: async () => undefined,
    // Ahead of the body: nothing of it matters.
    onRequest: async () => {
      throw new Refusal('method_not_allowed', 405, `This address takes ${headers.allow} only.`, { headers });
    },
  });
}

function answerRefusal(options: ManagementOptions, request: FastifyRequest, reply: FastifyReply, cause: unknown): void {
  const refusal = refusalOf(cause);
  if (refusal.status >= 500)
    options.log.error({ err: refusal.cause ?? refusal, trace: request.id }, 'management failed');
  record(options, request, refusal);
  const guard = request.routeOptions.config.guard;
  const challenge = challengeOf(refusal, typeof guard === 'object' ? guard.scope : undefined);
  reply
    .code(refusal.status)
    .headers({ ...refusal.headers, 'x-fapi-interaction-id': request.id, 'cache-control': 'no-store' })
    .headers(challenge === undefined ? {} : { 'www-authenticate': challenge })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: { reason: refusal.code, message: refusal.message, traceId: request.id } }));
}

function record({ audit, log }: ManagementOptions, request: FastifyRequest, refusal: Refusal): void {
  const bank = bankIn(request);
  try {
    audit.enqueue(operationRefused({ ...describe(request), bank }, refusal));
  } catch (cause) {
    // The request is refused already: there is nothing left to hold back.
    log.error({ err: cause, trace: request.id }, 'a refusal of the management API could not be recorded');
  }
}
