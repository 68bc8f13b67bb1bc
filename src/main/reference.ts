import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type Column, checkTable } from '../gateway/index.ts';
import { regimes } from '../regimes/index.ts';
import { managementOpenApi } from '../web/index.ts';
import { commands } from './commands.ts';
import { Settings } from './settings.ts';

const DIRECTORY = new URL('../../docs/reference/', import.meta.url);

/** Writes the generated reference, or with `check` compares it; gives the exit status. */
export async function reference(check: boolean): Promise<number> {
  const stale: string[] = [];
  if (!check) await mkdir(DIRECTORY, { recursive: true });
  for (const [name, content] of documents()) {
    const file = new URL(name, DIRECTORY);
    if (!check) await writeFile(file, content);
    else if ((await readFile(file, 'utf8').catch(() => undefined)) !== content) stale.push(name);
  }
  for (const name of stale)
    process.stderr.write(`docs/reference/${name} is out of step: run node src/main.ts reference\n`);
  return stale.length === 0 ? 0 : 1;
}

function documents(): ReadonlyMap<string, string> {
  return new Map([
    ['configuration.schema.json', `${JSON.stringify(Settings, null, 2)}\n`],
    ['gateway-checks.md', gatewayChecks()],
    ['routes.md', routes()],
    ['commands.md', commandList()],
    ['management-api.openapi.json', `${JSON.stringify(managementOpenApi('https://localhost:8086'), null, 2)}\n`],
  ]);
}

function gatewayChecks(): string {
  const rows = checkTable.map(
    ({ check, guards }, index) => `| ${index + 1} | \`${check.id}\` | ${guarded(guards)} | ${check.clause} |`,
  );
  return [
    '# Gateway checks',
    '',
    'In this order; the first failure decides the answer.',
    '',
    '| # | Check | Guards | Clause |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** Every route takes one kind of token or any, so a check of all three is a check of every route. */
function guarded(guards: readonly Column[]): string {
  if (guards.includes('any')) return 'every route';
  return guards.map((column) => GUARDED[column]).join(', ');
}

const GUARDED: Readonly<Record<Column, string>> = {
  customer: "routes for a customer's token",
  participant: "routes for a participant's own token",
  any: 'routes for any token',
  consent: 'routes that need a consent',
  account: 'routes that name an account',
  forward: 'routes that are forwarded',
  tokenize: 'the route that replaces an account number',
  pay: 'the route that pays',
};

function routes(): string {
  const tables = [...regimes.values()].map((regime) => {
    const rows = regime.routes.map(
      (route) =>
        `| ${route.method} | \`${route.path}\` | \`${route.scope}\` | ${route.token} | ${route.consent ? 'yes' : 'no'} |`,
    );
    return [
      `## ${regime.id}`,
      '',
      '| Method | Path | Scope | Token | Consent |',
      '|---|---|---|---|---|',
      ...rows,
      '',
    ].join('\n');
  });
  return ['# Routes by regime', '', ...tables].join('\n');
}

function commandList(): string {
  const rows = [...commands.values()].map((command) => `- \`node src/main.ts ${command.usage}\`: ${command.summary}`);
  return ['# Commands', '', 'Each takes `--config <file>`.', '', ...rows, ''].join('\n');
}
