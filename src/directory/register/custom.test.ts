import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateOf, participantOf } from '../../../test/support/gateway.ts';
import { type AskRegister, createCustomRegister } from './custom.ts';
import { type RegisterQuestion, RegisterUnavailable } from './register.ts';

const about = { country: 'XX', authority: 'SANDBOX', number: '1' };
const question: RegisterQuestion = {
  ...about,
  identifier: 'PSDXX-SANDBOX-1',
  roles: ['AISP'],
  certificate: certificateOf('cert-a'),
  participant: participantOf(),
};

const SILENT: readonly (readonly [string, string, AskRegister])[] = [
  ['throws', 'register_unreachable', () => assert.fail('broken')],
  ['rejects', 'register_unreachable', async () => assert.fail('broken')],
  ['says nothing', 'register_malformed', () => undefined],
  ['says yes', 'register_malformed', () => true],
  ['speaks of somebody else', 'register_other_number', () => ({ ...about, number: '2', status: 'unknown' })],
  [
    'gives a role that does not exist',
    'register_malformed',
    () => ({ ...about, status: 'authorised', roles: { XX: ['X'] } }),
  ],
  ['never ends', 'register_timeout', () => new Promise(() => undefined)],
];

for (const [what, code, ask] of SILENT)
  test(`N-30 a bank's own register that ${what} is silent`, async () => {
    await assert.rejects(
      async () => createCustomRegister(ask, 10).ask(question),
      (cause: unknown) => cause instanceof RegisterUnavailable && cause.code === code,
    );
  });

test('WSN-14 a register of one’s own sees certificate, number, country and roles, and its answer counts', async () => {
  const seen: RegisterQuestion[] = [];
  const register = createCustomRegister(async (asked) => {
    seen.push(asked);
    return { ...about, status: 'authorised', roles: { XX: ['AISP'] } };
  });
  assert.deepEqual(await register.ask(question), { status: 'authorised', roles: { XX: ['AISP'] }, until: undefined });
  assert.deepEqual(seen, [question]);
});
