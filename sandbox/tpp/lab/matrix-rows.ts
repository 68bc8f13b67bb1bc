import { AMOUNT, answers, bearer, type LabRow, pay } from './row.ts';

/** The testing matrix. */
export const matrixRows: readonly LabRow[] = [
  {
    id: 'LAB-37',
    title: 'matrix 1: customer token on /payments',
    run: async (bench, { customer, vault }) =>
      answers('403 insufficient_scope', await pay(bench, customer, { token: vault, amount: AMOUNT })),
  },
  {
    id: 'LAB-38',
    title: 'matrix 2: customer token on /accounts',
    run: async (bench, { customer }) => answers('200', await bench.send('plain', '/accounts', bearer(customer))),
  },
  {
    id: 'LAB-39',
    title: 'matrix 3: TPP token on /payments',
    run: async (bench, { machine, vault }) =>
      answers('200', await pay(bench, machine, { token: vault, amount: AMOUNT })),
  },
  {
    id: 'LAB-40',
    title: 'matrix 4: TPP token on /accounts',
    run: async (bench, { machine }) =>
      answers('403 insufficient_scope', await bench.send('plain', '/accounts', bearer(machine))),
  },
  {
    id: 'LAB-41',
    title: 'matrix 5: TPP without certificate at the mTLS door',
    run: async (bench, { machine, vault }) =>
      answers('no answer', await pay(bench, machine, { token: vault, amount: AMOUNT }, 'mtls-without-certificate')),
  },
  {
    id: 'LAB-35',
    title: 'the same with the certificate',
    run: async (bench, { machine, vault }) =>
      answers('200', await pay(bench, machine, { token: vault, amount: AMOUNT }, 'mtls')),
  },
  {
    id: 'LAB-21',
    title: 'the refusal names the scope',
    run: async (bench, { machine }) => {
      const answer = await bench.send('plain', '/accounts', bearer(machine));
      const challenge = answer?.responseHeaders['www-authenticate'] ?? '';
      const names = /error="insufficient_scope"/.test(challenge) && /scope="accounts"/.test(challenge);
      return { expected: 'challenge names accounts', actual: names ? 'challenge names accounts' : challenge };
    },
  },
];
