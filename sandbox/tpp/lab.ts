import { ownPorts, type Ports } from '../configuration.ts';
import { ownPlaces, type Places } from '../places.ts';
import { openBench } from './bench.ts';
import { labRows } from './lab/index.ts';
import { fileOf, labClients } from './lab-clients.ts';
import { collectTokens } from './lab-tokens.ts';
import { type LabResult, tableOf } from './outcome.ts';

/** Performs the lab at Lab Bank, every command printed, and gives the table's lines. @throws Error when it cannot begin */
export async function performLab(
  places: Places,
  ports: Ports,
  print: (line: string) => void,
): Promise<readonly LabResult[]> {
  const bench = await openBench(places, ports, print);
  try {
    print('\nThe secrets of the commands below:');
    print(`$ CLIENT_SECRET=$(node -p "require('${fileOf(places, labClients.machine.id)}').client_secret")`);
    print(`$ APP_SECRET=$(node -p "require('${fileOf(places, labClients.customer.id)}').client_secret")`);
    print('\nTokens: TPP_TOKEN by client credentials, CUSTOMER_TOKEN by code and PKCE, VAULT_TOKEN for an account');
    const tokens = await collectTokens(bench);
    const results: LabResult[] = [];
    for (const { id, title, run } of labRows) {
      print(`\n${id} ${title}`);
      const outcome = await run(bench, tokens).catch((cause: unknown) => ({
        expected: 'no surprise',
        actual: cause instanceof Error ? cause.message : String(cause),
      }));
      print(outcome.expected === outcome.actual ? '✓' : `✗ expected ${outcome.expected}, saw ${outcome.actual}`);
      results.push({ id, title, ...outcome });
    }
    return results;
  } finally {
    await bench.close();
  }
}

if (import.meta.main) {
  try {
    const results = await performLab(ownPlaces(), ownPorts(), console.log);
    const differing = results.filter(({ expected, actual }) => expected !== actual).length;
    console.log(
      `\n${tableOf(results)}\n\nLAB-47 ${results.length - differing} of ${results.length} rows are as they should be.`,
    );
    if (differing > 0) process.exitCode = 1;
  } catch (cause) {
    console.error(cause instanceof Error ? cause.message : cause);
    process.exitCode = 1;
  }
}
