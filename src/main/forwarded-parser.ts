import { pathToFileURL } from 'node:url';
import type { ForwardedParser } from '../trust/index.ts';

/** What a bank's own module exports. */
const EXPORT = 'parseForwardedCertificate';

/**
 * A bank's own decoder of certificate headers, from the module that the settings name. The module runs in this process and is
 * trusted as our own code is. @throws Error naming the key: a door whose decoder is not there must not open
 */
export async function loadForwardedParser(file: string, at: string): Promise<ForwardedParser> {
  const found = await loadExport(file, EXPORT, at);
  if (found === undefined) throw new Error(`${at}: ${file} exports no ${EXPORT}`);
  if (typeof found !== 'function') throw new Error(`${at}: ${EXPORT} of ${file} is no function`);
  if (found.constructor.name !== 'Function')
    throw new Error(`${at}: ${EXPORT} of ${file} must answer at once: no async function, no generator`);
  return (value) => Reflect.apply(found, undefined, [value]);
}

/**
 * What a module of the operator exports under a name; undefined when it exports no such thing.
 * @throws Error naming the key when the module cannot be loaded
 */
export async function loadExport(file: string, name: string, at: string): Promise<unknown> {
  const module = await load(file, at);
  if (typeof module !== 'object' || module === null) return undefined;
  return new Map<string, unknown>(Object.entries(module)).get(name);
}

async function load(file: string, at: string): Promise<unknown> {
  try {
    return await import(pathToFileURL(file).href);
  } catch (cause) {
    throw new Error(`${at}: ${file} cannot be loaded: ${cause instanceof Error ? cause.message : 'it threw'}`, {
      cause,
    });
  }
}
