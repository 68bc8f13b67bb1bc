import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectDirectory } from '../places.ts';

/** A check of the gateway, as the reference documents it. */
export interface GatewayCheck {
  readonly id: string;
  /** Which routes it guards, in words. */
  readonly guards: string;
  /** What it serves: rows of the requirements, sections of standards. */
  readonly clause: string;
}

/** Of a check that no route is without. */
export const EVERY_ROUTE = 'every route';

const ROW = /^\| \d+ \| `([\w-]+)` \| ([^|]+) \| ([^|]+) \|$/;

/** The checks in their order, from the reference that the platform's code generates. */
export async function readGatewayChecks(): Promise<readonly GatewayCheck[]> {
  const text = await readFile(join(projectDirectory, 'docs', 'reference', 'gateway-checks.md'), 'utf8');
  const checks = text.split('\n').flatMap((line) => {
    const [, id, guards, clause] = ROW.exec(line) ?? [];
    return id === undefined || guards === undefined || clause === undefined ? [] : [{ id, guards, clause }];
  });
  if (checks.length === 0) throw new Error('docs/reference/gateway-checks.md names no check');
  return checks;
}
