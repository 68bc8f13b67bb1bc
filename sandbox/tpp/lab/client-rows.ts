import { stat } from 'node:fs/promises';
import { defaultRedirectUri } from '../../authority/participants.ts';
import { fileOf, LAB_BANK } from '../lab-clients.ts';
import { machineToken } from '../lab-tokens.ts';
import { answerOf, facts, membersOf } from '../outcome.ts';
import { answers, type LabRow } from './row.ts';

/** Client and token: steps 2 to 6 of the lab. */
export const clientRows: readonly LabRow[] = [
  {
    id: 'LAB-07',
    title: 'the machine client exists and has no redirect URI',
    run: async (bench) => {
      const query = new URLSearchParams({
        client_id: bench.machine.client_id,
        response_type: 'code',
        redirect_uri: defaultRedirectUri,
        scope: 'openid',
      });
      const url = `${bench.issuer}/authorize?${query}`;
      bench.print(`  in a browser: ${url}`);
      const { status, responseHeaders } = await bench.browserWire.send(url);
      return {
        expected: 'status 400, redirect none',
        actual: facts({ status, redirect: responseHeaders.location ?? 'none' }),
      };
    },
  },
  {
    id: 'LAB-08',
    title: 'the secret has 256 bits and is kept for its owner alone',
    run: async (bench) => {
      const { mode } = await stat(fileOf(bench.places, bench.machine.client_id));
      const bits = Buffer.from(bench.machine.client_secret, 'base64url').length * 8;
      return { expected: 'bits 256, mode 600', actual: facts({ bits, mode: (mode & 0o777).toString(8) }) };
    },
  },
  {
    id: 'LAB-09',
    title: 'the machine client may use no other grant',
    run: async (bench) => {
      const { client_id, client_secret } = bench.machine;
      const own = { client_id, client_secret };
      const code = { ...own, grant_type: 'authorization_code', code: 'x', redirect_uri: defaultRedirectUri };
      const grants = [
        { ...code, code_verifier: 'x'.repeat(43) },
        { ...own, grant_type: 'refresh_token', refresh_token: 'x' },
      ];
      const actual = [];
      for (const grant of grants) actual.push(answerOf(await bench.token('plain', grant)));
      const password = { ...own, grant_type: 'password', username: 'user', password: 'x' };
      actual.push(answerOf(await bench.token('plain', password)));
      return {
        expected: '400 unauthorized_client; 400 unauthorized_client; 400 unsupported_grant_type',
        actual: actual.join('; '),
      };
    },
  },
  {
    id: 'LAB-10',
    title: 'a scope that was not attached is refused',
    run: async (bench) => answers('400 invalid_scope', await machineToken(bench, { scope: 'accounts' })),
  },
  {
    id: 'LAB-13',
    title: 'no client without a participant in the directory',
    run: async (bench) => {
      const words = ['--participant', 'nobody', '--scopes', 'payments.create'];
      const { status } = await bench.command('client', 'create', LAB_BANK, ...words);
      return { expected: 'status 1', actual: facts({ status }) };
    },
  },
  {
    id: 'LAB-24',
    title: 'the token request of the lab, and with a wrong secret',
    run: async (bench) => {
      const good = await machineToken(bench);
      const { token_type, expires_in, id_token, refresh_token } = membersOf(good);
      const wrong = await machineToken(bench, { client_secret: 'wrong' });
      return {
        expected: 'answer 200, type Bearer, seconds 3600, cache no-store, more none, wrong 401 invalid_client',
        actual: facts({
          answer: answerOf(good),
          type: token_type,
          seconds: expires_in,
          cache: good?.responseHeaders['cache-control'],
          more: id_token ?? refresh_token ?? 'none',
          wrong: answerOf(wrong),
        }),
      };
    },
  },
  {
    id: 'LAB-25',
    title: 'the token comes without login, cookie or redirect',
    run: async (bench) => {
      const answer = await machineToken(bench);
      return {
        expected: 'cookies 0, redirect none',
        actual: facts({ cookies: answer?.cookies.length, redirect: answer?.responseHeaders.location ?? 'none' }),
      };
    },
  },
  {
    id: 'LAB-23',
    title: 'the token is a JWT with its scope in it',
    run: async (_bench, { machine }) => {
      const { scope, sub, client_id } = claimsOf(machine);
      return {
        expected: 'scope payments.create, subject is the client',
        actual: `scope ${scope}, subject is ${sub === client_id ? 'the client' : 'another'}`,
      };
    },
  },
  {
    id: 'LAB-26',
    title: 'the token endpoint is at the authorization server',
    run: async (bench) => {
      const { responseBody } = await bench.browserWire.send(`${bench.issuer}/.well-known/openid-configuration`);
      const { token_endpoint } = JSON.parse(responseBody);
      return { expected: `${bench.issuer}/token`, actual: String(token_endpoint) };
    },
  },
];

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}
