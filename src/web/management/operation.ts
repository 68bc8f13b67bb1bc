import type { FastifyInstance, FastifyRequest } from 'fastify';
import { IsUndefined, type Static, type TSchema, Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Actor } from '../../audit/index.ts';
import type { ManagementScope } from '../../authorization/index.ts';
import type { Clock } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import type { Caller, ManagementBank } from './guard.ts';
import type { OperationRooms } from './operations.ts';

/** What operations work with. */
export interface Desk extends OperationRooms {
  readonly clock: Clock;
  /** Ids of every bank of this platform. */
  readonly banks: readonly string[];
}

/** One call of an operation, by somebody who may. */
export interface OperationCall<P, Q, B> {
  readonly bank: ManagementBank;
  readonly caller: Caller;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** `x-fapi-interaction-id` */
  readonly interaction: string;
}

/** What an operation answers; a body only where its schema says so. */
export interface Reply {
  readonly status: 200 | 201 | 202 | 204;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is told of an operation in the OpenAPI document. */
export interface OperationDescription {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/{bank}/…`, parameters in braces. */
  readonly path: string;
  /** Who may: exactly this scope. There is no operation without one (N-229). */
  readonly scope: ManagementScope;
  /** True when it changes the directory, which all banks share. */
  readonly changesDirectory?: true;
  readonly summary: string;
  readonly params: TSchema;
  readonly query: TSchema;
  readonly body: TSchema;
  readonly answers: Readonly<Record<number, { readonly description: string; readonly body?: TSchema }>>;
}

/** An operation: its description, and what it does. */
export interface Operation<P extends TSchema, Q extends TSchema, B extends TSchema> extends OperationDescription {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly run: (desk: Desk, call: OperationCall<Static<P>, Static<Q>, Static<B>>) => Promise<Reply>;
}

/** An operation as the API registers it. */
export interface DefinedOperation {
  readonly description: OperationDescription;
  readonly register: (app: FastifyInstance, desk: Desk, admitted: (request: FastifyRequest) => Admitted) => void;
}

/** Who was let in, and where. */
export interface Admitted {
  readonly bank: ManagementBank;
  readonly caller: Caller;
}

/** A parameter that nothing knows is refused: it was meant to narrow. */
export const NoQuery = Type.Object({}, { additionalProperties: false });
/** An operation that reads takes no body. */
export const NoBody = Type.Undefined();

/** Makes an operation known by its schemas: what reaches `run` has passed them. */
export function define<P extends TSchema, Q extends TSchema, B extends TSchema>(
  operation: Operation<P, Q, B>,
): DefinedOperation {
  const { method, path, params, query, body, scope, changesDirectory = false } = operation;
  return {
    description: operation,
    register: (app, desk, admitted) => {
      app.route({
        method,
        url: urlOf(path),
        schema: {
          params,
          querystring: query,
          ...(IsUndefined(body) ? {} : { body }),
          response: bodiesOf(operation),
        },
        config: { guard: { scope, changesDirectory } },
        handler: async (request, reply) => {
          const call = {
            ...admitted(request),
            params: parse(params, request.params),
            query: parse(query, request.query),
            body: parse(body, request.body),
            interaction: request.id,
          };
          const { status, body: told, headers = {} } = await operation.run(desk, call);
          return reply.code(status).headers(headers).send(told);
        },
      });
    },
  };
}

/** A path as the router writes it. */
export function urlOf(path: string): string {
  return path.replaceAll(/\{([a-z]+)\}/g, ':$1');
}

function bodiesOf({ answers }: OperationDescription): Readonly<Record<string, TSchema>> {
  const told = Object.entries(answers).flatMap(([status, { body }]) => (body === undefined ? [] : [[status, body]]));
  return Object.fromEntries(told);
}

/** The framework has checked it by the same schema and named what was wrong; this gives it its type. */
function parse<S extends TSchema>(schema: S, value: unknown): Static<S> {
  if (Check(schema, value)) return value;
  throw new Refusal('field_invalid', 400, 'A parameter or a field has not the form it needs.');
}

/** Staff of the bank, acting through one of its clients; `by` is the bank's own reference to the person. */
export function staffOf(
  { caller, interaction }: Pick<OperationCall<unknown, unknown, unknown>, 'caller' | 'interaction'>,
  { reason, by }: { readonly reason: string; readonly by?: string },
): Actor {
  const reference = by === undefined ? caller.client : `${caller.client}/${by}`;
  return { kind: 'staff', reference, interaction, reason };
}
