import { randomUUID } from 'node:crypto';
import type { Bench } from '../bench.ts';
import { LAB_PARTICIPANT } from '../lab-clients.ts';
import { facts } from '../outcome.ts';
import { AMOUNT, type LabRow, pay } from './row.ts';

/** The trail: step 11. */
export const auditRows: readonly LabRow[] = [
  {
    id: 'LAB-06',
    title: 'one payment, its steps in order under one interaction id',
    run: async (bench, { machine, vault }) => {
      const interaction = randomUUID();
      await pay(bench, machine, { token: vault, amount: AMOUNT }, 'plain', interaction);
      const records = await trail(bench, '--interaction', interaction);
      return {
        expected: 'request.received token.checked handler.started vault.lookup key.used request.forwarded',
        actual: records
          .toReversed()
          .map((record) => String(record.action))
          .join(' '),
      };
    },
  },
  {
    id: 'LAB-36',
    title: 'the ended handshake of matrix 5 is in the trail',
    run: async (bench) => {
      const records = await trail(bench, '--limit', '500');
      const found = records.some((record) => record.action === 'tls.client_certificate_missing');
      return { expected: 'found true', actual: facts({ found }) };
    },
  },
  {
    id: 'LAB-42',
    title: 'no token, secret or account number in the trail',
    run: async (bench, { machine, customer, vault }) => {
      const text = JSON.stringify(await trail(bench, '--limit', '500'));
      const secrets = [machine, customer, vault, bench.machine.client_secret, bench.customer.client_secret];
      return {
        expected: 'found 0',
        actual: facts({ found: secrets.filter((secret) => text.includes(secret)).length }),
      };
    },
  },
  {
    id: 'LAB-44',
    title: 'the trail of one participant',
    run: async (bench) => {
      const records = await trail(bench, '--participant', LAB_PARTICIPANT, '--limit', '200');
      const others = records.filter((record) => record.participant !== LAB_PARTICIPANT).length;
      return { expected: 'some true, others 0', actual: facts({ some: records.length > 0, others }) };
    },
  },
  {
    id: 'LAB-45',
    title: 'the hash chain is whole',
    run: async (bench) => {
      const { status, output } = await bench.command('audit', 'verify');
      bench.print(`  ${output}`);
      return { expected: 'intact', actual: status === 0 ? (output.split(':')[0] ?? '') : output };
    },
  },
];

async function trail(
  bench: Bench,
  ...options: readonly string[]
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { output } = await bench.command('audit', 'search', ...options);
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  bench.print(`  ${lines.length} records`);
  return lines.map((line) => JSON.parse(line));
}
