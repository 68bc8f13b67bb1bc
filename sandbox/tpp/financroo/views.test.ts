import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OwnAccount, Transaction } from './account-data.ts';
import { parseAccounts, parseBalances, parseTransactions } from './account-data.ts';
import { categoryChart, monthChart } from './charts.ts';
import { compare } from './compare.ts';
import { html, textOf } from './markup.ts';
import { createRecorder, type Log, type Message } from './messages.ts';
import { centsOf, money, typedAmount } from './money.ts';
import { byCategory, byMonth, spendingIn } from './spending.ts';
import { filterOf, matching, transactionsPanel } from './transactions-view.ts';

const NOW = new Date('2026-05-15T12:00:00Z');

function transaction(bookedOn: string, amount: number, category = 'groceries', counterparty = 'Shop'): Transaction {
  const id = `${bookedOn}${amount}${category}`;
  return { id, bookedOn, amount, category, counterparty, currency: 'EUR', description: 'Card payment' };
}

function account(id: string, transactions: readonly Transaction[]): OwnAccount {
  const own = { id, name: `Account ${id}`, type: 'current', currency: 'EUR', maskedNumber: '****1234' };
  return { account: own, balance: 0, transactions, bank: 'Bank', connection: 'connection' };
}

test('markup escapes every value, in content and in attributes', () => {
  const evil = `<script>"'&`;
  assert.equal(
    textOf(html`<p title="${evil}">${[evil, undefined, false, 7]}</p>`),
    '<p title="&lt;script&gt;&quot;&#39;&amp;">&lt;script&gt;&quot;&#39;&amp;7</p>',
  );
});

test('money is counted in whole cents', () => {
  assert.equal(centsOf('-12.3'), -1230);
  assert.equal(centsOf(0.07), 7);
  for (const wrong of ['', '1.234', 'x', '1e3', null, undefined]) assert.throws(() => centsOf(wrong));
  assert.equal(typedAmount(' 12,50 '), 1250);
  for (const wrong of ['0', '-1', '1.234', '1 000', '']) assert.equal(typedAmount(wrong), undefined);
  assert.equal(money(-123450, 'EUR'), '−€1,234.50');
});

test('spending leaves out income, transfers and other currencies, month by month', () => {
  const all = [
    transaction('2026-05-01', -1000),
    transaction('2026-05-02', -500, 'dining'),
    transaction('2026-05-03', -9900, 'transfer'),
    transaction('2026-05-04', 9900, 'income'),
    transaction('2026-04-30', -200),
    transaction('2025-05-31', -7777),
    { ...transaction('2026-05-05', -1), currency: 'USD' },
  ];
  const spending = spendingIn(all, 'EUR');
  const months = byMonth(spending, NOW);
  assert.equal(months.length, 12);
  assert.deepEqual(months.slice(-2), [
    { name: '2026-04', amount: 200 },
    { name: '2026-05', amount: 1500 },
  ]);
  assert.equal(months[0]?.name, '2025-06');
  assert.deepEqual(byCategory(spending, NOW), [
    { name: 'groceries', amount: 1200 },
    { name: 'dining', amount: 500 },
  ]);
  assert.deepEqual(byCategory(spending, NOW, '2026-04'), [{ name: 'groceries', amount: 200 }]);
});

test('many small categories become one, and nothing is lost', () => {
  const spending = Array.from({ length: 14 }, (_, index) =>
    transaction('2026-05-01', -100 - index, `category ${index}`),
  );
  const slices = byCategory(spending, NOW);
  assert.equal(slices.length, 9);
  assert.equal(slices.at(-1)?.name, 'everything else');
  const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);
  assert.equal(sum(slices.map(({ amount }) => amount)), -sum(spending.map(({ amount }) => amount)));
});

test('charts have a text for everybody, escaped, and no inline style', () => {
  const chart = textOf(categoryChart([{ name: '<b>', amount: 100 }], 'EUR'));
  assert.match(chart, /role="img" aria-label="Spending by category/);
  assert.match(chart, /<title>&lt;b&gt;: €1\.00<\/title>/);
  const months = textOf(monthChart(byMonth([], NOW), 'EUR'));
  assert.equal(months.match(/<rect/g)?.length, 12);
  for (const markup of [chart, months]) assert.doesNotMatch(markup, /style=|NaN|undefined|on\w+=/);
});

test('search, account, category, dates, order and pages of transactions', () => {
  const days = Array.from({ length: 60 }, (_, index) =>
    new Date(Date.UTC(2026, 0, 1 + index)).toISOString().slice(0, 10),
  );
  const one = account(
    '1',
    days.map((day, index) => transaction(day, -index - 1)),
  );
  const two = account('2', [transaction('2026-02-01', 5000, 'income', 'Employer')]);
  const found = (query: string) => matching([one, two], filterOf(new URLSearchParams(query), [one, two]));
  assert.equal(found('').length, 61);
  assert.deepEqual(
    found('q=EMPLOY').map(({ amount }) => amount),
    [5000],
  );
  assert.equal(found('account=connection:2').length, 1);
  assert.equal(found('account=somebody:else').length, 61);
  assert.equal(found('category=income').length, 1);
  assert.equal(found('from=2026-01-02&to=2026-01-04').length, 3);
  assert.equal(found('from=<script>').length, 61);
  assert.equal(found('sort=largest')[0]?.amount, 5000);
  assert.equal(found('sort=smallest')[0]?.amount, -60);
  assert.equal(found('sort=oldest')[0]?.bookedOn, '2026-01-01');
  assert.equal(found('sort=__proto__')[0]?.bookedOn, '2026-03-01');
  const panel = (query: string) =>
    textOf(transactionsPanel([one, two], filterOf(new URLSearchParams(query), [one, two])));
  assert.match(panel(''), /61 found, page 1 of 3/);
  assert.match(panel('page=99'), /page 3 of 3/);
  assert.match(panel('q=%3Cscript%3E'), /value="&lt;script&gt;"[\s\S]*0 found/);
});

test('answers of a bank that are no answers are refused', () => {
  for (const body of [undefined, null, [], {}, { accounts: {} }, { accounts: [{ id: 1 }] }]) {
    assert.throws(() => parseAccounts(body), TypeError);
  }
  assert.throws(() => parseBalances({ balances: [{ account: 'a', amount: 'much' }] }), TypeError);
  assert.throws(() => parseTransactions({ transactions: [null] }), TypeError);
});

test('under the hood: secrets are blanked in messages and variables in commands', async () => {
  const recorder = createRecorder({ authority: 'root.pem', identity: { certificate: 'c', key: 'k' } }, () => NOW);
  const log: Log = [];
  const jwt = `${btoa('{"alg":"PS256"}')}.${btoa('{"iss":"client"}')}.c2lnbmF0dXJl`;
  const form = { grant_type: 'authorization_code', code: 'SECRET-1', code_verifier: 'SECRET-2', client_assertion: jwt };
  await recorder.within(log, async () => {
    recorder.listen({
      method: 'POST',
      url: 'https://bank.example/one/token',
      requestHeaders: { 'content-type': 'application/x-www-form-urlencoded', authorization: 'Bearer SECRET-3' },
      requestBody: new URLSearchParams(form).toString(),
      status: 200,
      responseHeaders: { 'content-type': 'application/json', 'set-cookie': 'SECRET-4' },
      cookies: ['SECRET-4'],
      responseBody: JSON.stringify({ access_token: 'SECRET-5', refresh_token: 'SECRET-6', expires_in: 300 }),
    });
  });
  const [message] = log;
  assert.equal(message?.title, 'The code becomes tokens');
  const text = JSON.stringify(log);
  assert.doesNotMatch(text, /SECRET|c2lnbmF0dXJl/);
  assert.match(message?.sent.body ?? '', /"iss": "client"/);
  assert.match(message?.curl ?? '', /--data-urlencode "code=\$CODE"/);
  assert.match(message?.curl ?? '', /Bearer \$ACCESS_TOKEN/);
});

test('SCR-29 an experiment’s message has its own words, and its command the certificate that was used, or none', async () => {
  const recorder = createRecorder({ authority: 'root.pem', identity: { certificate: 'own.pem', key: 'k' } }, () => NOW);
  const log: Log = [];
  const words = { title: 'Experiment', says: '', clause: '', actor: 'Financroo' as const, experiment: 'bare' };
  const request = {
    method: 'GET',
    url: 'https://bank.example/one/accounts',
    requestHeaders: {},
    requestBody: undefined,
  };
  const exchange = { ...request, status: 401, responseHeaders: {}, cookies: [], responseBody: '' };
  const send = async () => recorder.listen(exchange);
  for (const identity of [{ certificate: 'other.pem', key: 'k' }, undefined]) {
    await recorder.within(log, send, { explain: () => words, identity });
  }
  await recorder.within(log, send);
  assert.deepEqual(
    log.map(({ title, experiment, curl }) => [title, experiment, /--cert (\S+)/.exec(curl ?? '')?.[1]]),
    [
      ['Experiment', 'bare', 'other.pem'],
      ['Experiment', 'bare', undefined],
      ['The bank’s API: accounts', undefined, 'own.pem'],
    ],
  );
});

test('a log is bounded: the beginning and the latest stay', async () => {
  const recorder = createRecorder({ authority: 'root.pem' }, () => NOW);
  const log: Log = [];
  const words = { title: '', says: '', clause: '', actor: 'browser' as const };
  for (let index = 0; index < 200; index++) recorder.note(log, words, `message ${index}`);
  assert.equal(log.length, 80);
  assert.deepEqual([log[0]?.sent.line, log.at(-1)?.sent.line], ['message 0', 'message 199']);
});

function message(title: string, sent: unknown, status = '200'): Message {
  const body = JSON.stringify(sent, undefined, 2);
  const words = { title, says: '', clause: '', actor: 'Financroo' as const, at: NOW.toISOString(), curl: undefined };
  return {
    ...words,
    sent: { line: 'POST https://bank/x', headers: [], body },
    answered: { line: status, headers: [], body: undefined },
  };
}

test('SCR-29 two flows side by side: common steps together, what is in one alone told so, values told apart by name', () => {
  const push = { scope: 'openid', nonce: 'n-1', client_assertion: { claims: { aud: 'one', jti: '1' } } };
  const one = [message('Discovery', {}), message('The request is pushed', push), message('API: accounts/a1/x', {})];
  const pushed = { scope: 'openid accounts', nonce: 'n-2', client_assertion: { claims: { aud: 'two', jti: '2' } } };
  const other = [
    message('Registration', {}),
    message('The request is pushed', { ...pushed, list: ['a', { b: 1 }] }, '400'),
    message('API: accounts/b2/x', {}),
    message('API: balances', {}),
  ];
  const steps = compare(one, other);
  assert.deepEqual(
    steps.map(({ title, one: here, other: there }) => [title, here !== undefined, there !== undefined]),
    [
      ['Discovery', true, false],
      ['Registration', false, true],
      ['The request is pushed', true, true],
      ['API: accounts/…/x', true, true],
      ['API: balances', false, true],
    ],
  );
  const [, , both, call] = steps;
  assert.deepEqual(both?.differences, [
    { name: 'answer', one: '200', other: '400' },
    { name: 'sent scope', one: '"openid"', other: '"openid accounts"' },
    { name: 'sent client_assertion.claims.aud', one: '"one"', other: '"two"' },
    { name: 'sent list', one: undefined, other: '"a"' },
    { name: 'sent list.b', one: undefined, other: '1' },
  ]);
  assert.deepEqual(both?.fresh, ['sent nonce', 'sent client_assertion.claims.jti']);
  assert.deepEqual(call?.differences, []);
  assert.deepEqual(compare([], []), []);
});

test('SCR-29 a value that only one side has is a difference, however fresh; a body that was cut off can be compared', () => {
  const [step] = compare([message('A', { nonce: 'n' })], [message('A', {})]);
  assert.deepEqual(step?.differences, [{ name: 'sent nonce', one: '"n"', other: undefined }]);
  const cut = (body: string): Message => ({
    ...message('A', {}),
    sent: { line: 'GET https://b/x?a=1', headers: [], body },
  });
  const [text] = compare(
    [cut('{\n  "a": {\n    "b": 1,\n… 9 more lines')],
    [cut('{\n  "a": {\n    "b": 2,\n… 8 more lines')],
  );
  assert.deepEqual(
    text?.differences.map(({ name }) => name),
    ['sent a.b', 'sent body'],
  );
});
