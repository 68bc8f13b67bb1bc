import type { ForwardedParser } from '../trust/index.ts';
import { loadExport } from './operator-module.ts';

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
