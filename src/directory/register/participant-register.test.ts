import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateOf, participantOf } from '../../../test/support/gateway.ts';
import type { AuditEvent } from '../../audit/index.ts';
import { secondsAfter } from '../../platform/clock.ts';
import { Refusal } from '../../platform/refusal.ts';
import { createParticipantRegister, type ParticipantRegisterOptions } from './participant-register.ts';
import { type RegisterAnswer, type RegisterQuestion, RegisterUnavailable } from './register.ts';

const start = new Date('2026-11-21T10:00:00Z');
const certificate = certificateOf('cert-a');
const authorised = (roles: Readonly<Record<string, readonly 'AISP'[]>>): RegisterAnswer => ({
  status: 'authorised',
  roles,
  until: undefined,
});

/** A check over a register that answers as the test turns it. */
function stage(answer: RegisterAnswer | Error, changes: Partial<ParticipantRegisterOptions> = {}) {
  const world = {
    now: start,
    answer,
    late: false,
    asked: [] as RegisterQuestion[],
    events: [] as AuditEvent[],
    findings: [] as string[],
  };
  const ask = (question: RegisterQuestion): RegisterAnswer => {
    world.asked.push(question);
    if (world.answer instanceof Error) throw world.answer;
    return world.answer;
  };
  const check = createParticipantRegister({
    bank: 'gobank',
    country: 'XX',
    atCalls: true,
    register: {
      ask: (question) => (world.late ? (async () => ask(question))() : ask(question)),
      close: async () => {},
    },
    audit: { enqueue: (event) => void world.events.push(event) },
    clock: { now: () => world.now },
    observe: (finding) => void world.findings.push(finding),
    ...changes,
  });
  const run = async (participant = participantOf()) =>
    check.check(participant, { certificate, roles: ['AISP'], interaction: 'interaction-1' });
  const refusal = async (participant = participantOf()): Promise<Refusal> => {
    try {
      await run(participant);
    } catch (cause) {
      if (cause instanceof Refusal) return cause;
      throw cause;
    }
    throw new Error('it was not refused');
  };
  return { world, run, refusal };
}

const REFUSED: readonly (readonly [string, RegisterAnswer])[] = [
  ['register_not_found', { status: 'unknown' }],
  ['register_withdrawn', { status: 'withdrawn' }],
  ['register_passport', authorised({})],
  ['register_passport', authorised({ DE: ['AISP'], xx: ['AISP'] })],
  ['register_role', authorised({ XX: [] })],
];

for (const late of [false, true])
  for (const [detail, answer] of REFUSED)
    test(`WSN-14 attack 67 ${detail} (${JSON.stringify(answer)}), ${late ? 'late' : 'at once'}`, async () => {
      const { world, refusal } = stage(answer);
      world.late = late;
      const { code, status, detail: found } = await refusal();
      assert.deepEqual([code, status, found], ['participant_refused_by_register', 403, detail]);
      const [event] = world.events;
      assert.equal(event?.outcome, 'refused');
      assert.equal(event?.detail, detail);
      assert.equal(event?.participant, 'tpp-a');
      assert.deepEqual(world.findings, [detail]);
    });

for (const late of [false, true])
  test(`N-30 N-285 a silent register is not a refusing one (${late ? 'late' : 'at once'})`, async () => {
    const { world, refusal } = stage(new RegisterUnavailable('register_timeout', 'silence'));
    world.late = late;
    const { code, status, detail } = await refusal();
    assert.deepEqual([code, status, detail], ['register_unavailable', 503, 'register_timeout']);
    assert.equal(world.events[0]?.reason, 'register_unavailable');
  });

test('a number that no register can have is not asked about', async () => {
  for (const registrationNumber of ['VATDE-123', 'PSDXX-SANDBOX-', 'psdxx-sandbox-1', 'PSDXX-S-1', '123']) {
    const { world, refusal } = stage(authorised({ XX: ['AISP'] }));
    assert.equal((await refusal(participantOf({ registrationNumber }))).detail, 'register_identifier');
    assert.deepEqual(world.asked, []);
  }
});

test('a defect of a register stays a defect', async () => {
  await assert.rejects(stage(new Error('broken')).run(), /broken/);
});

test('an exception counts for its number alone, in its roles alone, until its day', async () => {
  const exceptions = [{ identifier: 'VATDE-1', roles: ['AISP'], until: secondsAfter(start, 60) }] as const;
  const { world, run, refusal } = stage({ status: 'unknown' }, { exceptions });
  const bank = participantOf({ registrationNumber: 'VATDE-1' });
  assert.deepEqual(await run(bank), ['AISP']);
  assert.equal((await refusal()).detail, 'register_not_found');
  world.now = secondsAfter(start, 60);
  assert.equal((await refusal(bank)).detail, 'register_identifier');
  assert.throws(
    () => stage({ status: 'unknown' }, { exceptions: [...exceptions, ...exceptions] }),
    /same authorisation number/,
  );
});

test('a country is two capital letters', () => {
  assert.throws(() => stage({ status: 'unknown' }, { country: 'xx' }), /country/);
});

test('WSN-14 the register sees certificate, number, authority, country and roles', async () => {
  const { world, run } = stage(authorised({ XX: ['AISP'], DE: [] }));
  const participant = participantOf({ registrationNumber: 'PSDGB-FCA-1-2' });
  assert.deepEqual(await run(participant), ['AISP']);
  const parts = { identifier: 'PSDGB-FCA-1-2', country: 'GB', authority: 'FCA', number: '1-2' };
  assert.deepEqual(world.asked, [{ ...parts, roles: ['AISP'], certificate, participant }]);
});

test('the trail has each change of what the register says, not each request; no number and no name is in it', async () => {
  const { world, run, refusal } = stage(authorised({ XX: ['AISP'] }));
  await run();
  await run();
  world.answer = { status: 'withdrawn' };
  await refusal();
  await refusal();
  world.answer = authorised({ XX: ['AISP'] });
  await run();
  assert.deepEqual(
    world.events.map(({ action, outcome, detail }) => [action, outcome, detail]),
    [
      ['register.answered', 'allowed', undefined],
      ['register.answered', 'refused', 'register_withdrawn'],
      ['register.answered', 'allowed', undefined],
    ],
  );
  assert.doesNotMatch(JSON.stringify(world.events), /PSDXX|TPP A/);
  assert.equal(world.findings.length, 5);
});
