import { pathToFileURL } from 'node:url';
import type { ForwardedParser } from '../trust/index.ts';

/** What a bank's own module exports. */
const EXPORT = 'parseForwardedCertificate';

/**
 * A bank's own decoder of certificate headers, from the module that the settings name. The module runs in this process and is
 * trusted as our own code is. @throws Error naming the key: a door whose decoder is not there must not open
 */
export async function loadForwardedParser(file: string, at: string): Promise<ForwardedParser> {
  const found = exportOf(await load(file, at));
  if (found === undefined) throw new Error(`${at}: ${file} exports no ${EXPORT}`);
  if (typeof found !== 'function') throw new Error(`${at}: ${EXPORT} of ${file} is no function`);
  if (found.constructor.name !== 'Function')
    throw new Error(`${at}: ${EXPORT} of ${file} must answer at once: no async function, no generator`);
  return (value) => Reflect.apply(found, undefined, [value]);
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

function exportOf(module: unknown): unknown {
  return typeof module === 'object' && module !== null && EXPORT in module ? module[EXPORT] : undefined;
}
