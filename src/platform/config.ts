import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { type Static, type TSchema, Type } from 'typebox';
import { parseDocument } from 'yaml';

/** A configuration of several hundred banks stays far below this. */
const MAXIMUM_FILE_BYTES = 4 * 1024 * 1024;
/** Complaints in one message: more are consequences of the first. */
const MAXIMUM_COMPLAINTS = 10;

/** The path of a file: relative to the configuration file as written, absolute once loaded. */
export function FilePath(description: string) {
  return Type.String({ minLength: 1, description, filePath: true });
}

/** A secret as the configuration refers to it; the value itself never stands there. */
export function SecretReference(description: string) {
  const closed = { additionalProperties: false } as const;
  return Type.Union(
    [
      Type.Object({ file: FilePath('Path of a file that holds the secret alone.') }, closed),
      Type.Object(
        { env: Type.String({ pattern: '^[A-Z][A-Z0-9_]*$', description: 'Name of an environment variable.' }) },
        closed,
      ),
    ],
    { description },
  );
}

/** Where a secret is. */
export type SecretReference = { readonly file: string } | { readonly env: string };

/**
 * Reads, checks and freezes a configuration file, JSON or YAML by its name. Keys the schema does not know and keys that come
 * twice are refused; defaults of the schema are filled in; file paths become absolute.
 * @throws Error that names the file and the path of each wrong key
 */
export async function loadConfiguration<S extends TSchema>(schema: S, file: string): Promise<Static<S>> {
  const value = parse(await readText(file), file);
  const validate = compiler(dirname(resolve(file))).compile<Static<S>>(schema);
  if (validate(value)) return freeze(value);
  throw new Error(`${file}: ${complaints(validate.errors ?? []).join('; ')}`);
}

/** The secret itself, without the line end a file has. @throws Error that names where it should be, never what it is */
export async function readSecret(reference: SecretReference): Promise<string> {
  const secret = 'env' in reference ? process.env[reference.env] : await readText(reference.file);
  const text = secret?.replace(/\r?\n$/, '');
  if (text !== undefined && text !== '') return text;
  throw new Error('env' in reference ? `set the environment variable ${reference.env}` : `${reference.file} is empty`);
}

/** What this process is told by its environment. */
export interface Environment {
  /** Of PostgreSQL; from DATABASE_URL, or from the file that DATABASE_URL_FILE names. */
  readonly databaseUrl: string | undefined;
}

/** Reads the environment. @throws Error that names the wrong variable */
export function environment(): Environment {
  return { databaseUrl: databaseUrl() };
}

function databaseUrl(): string | undefined {
  const file = variable('DATABASE_URL_FILE');
  const url = variable('DATABASE_URL') ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim());
  if (url === undefined || /^postgres(?:ql)?:\/\//.test(url)) return url;
  throw new Error('DATABASE_URL must begin with postgres:// or postgresql://');
}

function variable(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

async function readText(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`${file} cannot be read`, { cause });
  });
  if (text.length > MAXIMUM_FILE_BYTES) throw new Error(`${file} is larger than ${MAXIMUM_FILE_BYTES} characters`);
  return text;
}

function parse(text: string, file: string): unknown {
  if (file.endsWith('.json')) parseJson(text, file);
  // JSON is YAML, and this parser refuses a key that comes twice, where JSON.parse silently takes the last.
  const document = parseDocument(text, { version: '1.2', uniqueKeys: true, strict: true, prettyErrors: true });
  const [problem = document.warnings[0]] = document.errors;
  if (problem !== undefined) throw new Error(`${file}: ${problem.message}`);
  return document.toJS({ maxAliasCount: 100 });
}

function parseJson(text: string, file: string): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new Error(`${file}: ${cause instanceof Error ? cause.message : 'no JSON'}`, { cause });
  }
}

function compiler(directory: string): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allErrors: true, verbose: true, useDefaults: true, allowUnionTypes: true });
  ajv.addKeyword({
    keyword: 'filePath',
    type: 'string',
    modifying: true,
    errors: false,
    validate: (
      _schema: unknown,
      data: string,
      _parent: unknown,
      place?: { parentData: unknown; parentDataProperty: string | number },
    ) => {
      if (isContainer(place?.parentData)) place.parentData[place.parentDataProperty] = resolve(directory, data);
      return true;
    },
  });
  return ajv;
}

/** Objects and lists. */
function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}

function freeze<T>(value: T): T {
  if (isContainer(value)) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}

/** One sentence per wrong key, each beginning with its path. */
function complaints(errors: readonly ErrorObject[]): readonly string[] {
  const choices = errors.filter((error) => error.keyword === 'anyOf' || error.keyword === 'oneOf');
  const covered = (error: ErrorObject): boolean =>
    choices.some((choice) => choice !== error && error.schemaPath.startsWith(`${choice.schemaPath}/`));
  const sentences = errors.filter((error) => !covered(error)).map(sentence);
  return [...new Set(sentences)].slice(0, MAXIMUM_COMPLAINTS);
}

function sentence(error: ErrorObject): string {
  const { keyword, params } = error;
  if (keyword === 'required') return `${place(error, params.missingProperty)}: is missing`;
  if (keyword === 'additionalProperties') {
    return `${place(error, params.additionalProperty)}: there is no such key; ${knownKeys(error.parentSchema)}`;
  }
  return `${place(error)}: ${reason(error)}${hint(error.parentSchema)}`;
}

function reason({ keyword, params, parentSchema, message }: ErrorObject): string {
  if (keyword === 'const') return `must be ${JSON.stringify(params.allowedValue)}`;
  if (keyword === 'anyOf') return choiceReason(parentSchema?.anyOf);
  return message ?? 'is wrong';
}

function choiceReason(branches: unknown): string {
  const list: readonly unknown[] = Array.isArray(branches) ? branches : [];
  const words = list.map((branch) =>
    isContainer(branch) && 'const' in branch ? JSON.stringify(branch.const) : undefined,
  );
  return words.every((word) => word !== undefined)
    ? `must be one of ${words.join(', ')}`
    : 'has none of the forms allowed here';
}

function knownKeys(schema: unknown): string {
  const keys = isContainer(schema) && isContainer(schema.properties) ? Object.keys(schema.properties) : [];
  return keys.length === 0 ? 'none are known here' : `known are ${keys.join(', ')}`;
}

function hint(schema: unknown): string {
  return isContainer(schema) && typeof schema.description === 'string'
    ? ` (${schema.description.replace(/\.$/, '')})`
    : '';
}

/** `/banks/0/issuer` as `banks[0].issuer`. */
function place({ instancePath }: ErrorObject, key?: unknown): string {
  const steps = instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (typeof key === 'string') steps.push(key);
  const path = steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('');
  return path === '' ? 'the whole' : path.replace(/^\./, '');
}
