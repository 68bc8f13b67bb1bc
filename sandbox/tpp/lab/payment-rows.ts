import { answerOf, facts, membersOf } from '../outcome.ts';
import { AMOUNT, answers, bearer, type LabRow, pay } from './row.ts';

/** Vault and payment: steps 7 and 8. */
export const paymentRows: readonly LabRow[] = [
  {
    id: 'LAB-27',
    title: 'a payment with a vault token',
    run: async (bench, { machine, vault }) => {
      const answer = await pay(bench, machine, { token: vault, amount: AMOUNT });
      const { token, account, amount, status } = membersOf(answer);
      return {
        expected: `answer 200, token same, account masked, amount ${AMOUNT}, status APPROVED`,
        actual: facts({
          answer: answerOf(answer),
          token: token === vault ? 'same' : 'another',
          account: /^\*{4}\w{4}$/.test(String(account)) ? 'masked' : 'not masked',
          amount,
          status,
        }),
      };
    },
  },
  {
    id: 'LAB-28',
    title: 'bad payments: token, amount, too much',
    run: async (bench, { machine, vault }) => {
      const bodies = [
        { token: 'vt-invented', amount: 1 },
        { token: vault, amount: 0 },
        { token: vault, amount: 'two' },
        { token: vault },
      ];
      const actual = [];
      for (const body of bodies) actual.push(answerOf(await pay(bench, machine, body)));
      actual.push(String(membersOf(await pay(bench, machine, { token: vault, amount: 90_000_000 })).status));
      return {
        expected: '404 not_found; 400 field_invalid; 400 field_invalid; 400 field_missing; DECLINED',
        actual: actual.join('; '),
      };
    },
  },
  {
    id: 'LAB-29',
    title: 'nobody replaces the account of somebody else',
    run: async (bench, { customer, foreignAccount }) =>
      answers(
        '403 account_not_in_consent',
        await bench.send('plain', '/tokenize', {
          method: 'POST',
          ...bearer(customer, { 'content-type': 'application/json' }),
          body: JSON.stringify({ account: foreignAccount }),
        }),
      ),
  },
  {
    id: 'LAB-22',
    title: 'a token that was changed, or is signed by nobody',
    run: async (bench, { machine }) => {
      const [header = '', payload = '', signature = ''] = machine.split('.');
      const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
      const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
      const actual = [];
      for (const token of [`${header}.${payload}.${flipped}`, `${unsigned}.${payload}.`]) {
        bench.hide('CHANGED_TOKEN', token);
        actual.push(answerOf(await pay(bench, token, { token: 'x', amount: 1 })));
      }
      return { expected: '401 token_invalid; 401 token_invalid', actual: actual.join('; ') };
    },
  },
];
