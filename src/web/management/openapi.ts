import { IsUndefined } from 'typebox';
import { MANAGEMENT_SCOPES } from '../../authorization/index.ts';
import { isRecord } from '../../platform/json.ts';
import type { OperationDescription } from './operation.ts';
import { ErrorDocument } from './schemas.ts';
import { managementOperations } from './table.ts';

type Json = Readonly<Record<string, unknown>>;

const SCHEME = 'managementToken';

/** Answers every operation can give. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: 'A parameter or a field is wrong: the message names it.',
  401: 'Certificate or access token is missing or not valid.',
  403: 'The caller is not the bank, or the token has not the scope.',
  404: 'There is nothing with this id at this bank.',
  409: 'The state does not allow this.',
  429: 'Too many requests.',
  503: 'Something this answer needs is not available: nothing was allowed.',
};

/** The OpenAPI 3.1 description of the management API, made from the schemas that requests are checked with. */
export function managementOpenApi(server: string): Json {
  const schemas = new Map<string, unknown>();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { description } of managementOperations) {
    const path = paths[description.path] ?? {};
    path[description.method.toLowerCase()] = operationOf(description, schemas);
    paths[description.path] = path;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Portcullis management API',
      version: '1',
      description:
        "For a bank's own services. Tokens come from the bank's authorization server by client credentials, for clients of the bank's own entry in the directory (role ASPSP), bound to their certificate; each operation needs exactly one scope.",
    },
    servers: [{ url: server }],
    paths,
    components: {
      schemas: Object.fromEntries([...schemas].sort(([one], [other]) => (one < other ? -1 : 1))),
      securitySchemes: {
        [SCHEME]: {
          type: 'oauth2',
          description: `Scopes: ${MANAGEMENT_SCOPES.join(', ')}. The connection is mutual TLS with the certificate the token is bound to (RFC 8705).`,
          flows: {
            clientCredentials: {
              tokenUrl: 'https://localhost:8444/{bank}/token',
              scopes: Object.fromEntries(MANAGEMENT_SCOPES.map((scope) => [scope, scope])),
            },
          },
        },
      },
    },
  };
}

function operationOf(operation: OperationDescription, schemas: Map<string, unknown>): Json {
  const { id, summary, scope, params, query, body, answers } = operation;
  const told = Object.entries(answers).map(([status, answer]) => [
    status,
    { description: answer.description, ...(answer.body === undefined ? {} : contentOf(answer.body, schemas)) },
  ]);
  const refused = Object.entries(REFUSALS).map(([status, description]) => [
    status,
    { description, ...contentOf(ErrorDocument, schemas) },
  ]);
  return {
    operationId: id,
    summary,
    security: [{ [SCHEME]: [scope] }],
    parameters: [...parametersOf('path', params, schemas), ...parametersOf('query', query, schemas)],
    ...(IsUndefined(body) ? {} : { requestBody: { required: true, ...contentOf(body, schemas) } }),
    responses: Object.fromEntries([...told, ...refused]),
  };
}

function contentOf(schema: unknown, schemas: Map<string, unknown>): Json {
  return { content: { 'application/json': { schema: refer(schema, schemas) } } };
}

function parametersOf(place: 'path' | 'query', schema: unknown, schemas: Map<string, unknown>): readonly Json[] {
  if (!isRecord(schema) || !isRecord(schema.properties)) return [];
  const required: readonly unknown[] = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties).map(([name, property]) => {
    const { description, ...rest } = isRecord(property) ? property : {};
    return { name, in: place, required: required.includes(name), description, schema: refer(rest, schemas) };
  });
}

/** Schemas with a title stand once, among the components. */
function refer(schema: unknown, schemas: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item: unknown) => refer(item, schemas));
  if (!isRecord(schema)) return schema;
  const { title, ...rest } = schema;
  const inner = Object.fromEntries(Object.entries(rest).map(([name, part]) => [name, refer(part, schemas)]));
  if (typeof title !== 'string') return inner;
  schemas.set(title, inner);
  return { $ref: `#/components/schemas/${title}` };
}
