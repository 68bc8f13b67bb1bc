import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import type { View } from './chromium.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds wrong on a page. It comes in through the debugger, so the page's content policy stays as it is. */
export async function axeFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(AXE, 'utf8'));
  const found: unknown = await page.evaluate(
    `axe.run().then(({ violations, passes }) => [passes.length, ...violations.map(({ id, impact, nodes }) => [id, impact, nodes[0].html, nodes[0].failureSummary].join(' '))])`,
  );
  if (!Array.isArray(found) || Number(found[0]) < 10) throw new Error('axe did not look at the page');
  return found.slice(1).map(String);
}

/** Axe takes its time: desktop light and phone dark have every colour and every layout between them. */
export function axeLooksAt({ width, colorScheme }: Pick<View, 'width' | 'colorScheme'>): boolean {
  return width === 1440 ? colorScheme === 'light' : colorScheme === 'dark';
}
