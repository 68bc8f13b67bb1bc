import type { Route } from '../../gateway/index.ts';

/** Account information: a customer's token, an agreed consent, and the account inside it. */
const accountInformation = {
  method: 'GET',
  scope: 'accounts',
  token: 'customer',
  consent: true,
  action: 'forward',
} as const;

/** The APIs every generic bank has (sandbox contract, design §6). */
export const routes: readonly Route[] = [
  { ...accountInformation, path: '/accounts' },
  { ...accountInformation, path: '/accounts/{account}' },
  { ...accountInformation, path: '/accounts/{account}/balances' },
  { ...accountInformation, path: '/accounts/{account}/transactions' },
  { ...accountInformation, path: '/balances' },
  {
    method: 'POST',
    path: '/accounts/{account}/funds-confirmations',
    scope: 'fundsconfirmations',
    token: 'customer',
    consent: true,
    action: 'forward',
  },
  { method: 'POST', path: '/tokenize', scope: 'accounts', token: 'customer', consent: true, action: 'tokenize' },
  { method: 'POST', path: '/payments', scope: 'payments.create', token: 'participant', consent: false, action: 'pay' },
];
