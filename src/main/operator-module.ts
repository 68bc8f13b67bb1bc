import { pathToFileURL } from 'node:url';

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
