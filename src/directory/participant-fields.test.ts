import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newParticipant } from '../../test/support/directory.ts';
import { Refusal } from '../platform/refusal.ts';
import { checkApproved, mayBecome, PARTICIPANT_STATUSES } from './participant.ts';
import { checkReason, parseNewParticipant, parseRateLimit, parseStatus } from './participant-fields.ts';

function refusedWith(code: string, field: string) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof Refusal, String(error));
    assert.deepEqual([error.code, error.status, error.detail], [code, 400, field]);
    assert.ok(error.message.startsWith(field), error.message);
    return true;
  };
}

const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  id: ['TPP', 'a b', '-a', 'a-', 'a_b', '../a', 'ä', `${'a'.repeat(64)}`, 7, null, 'a\n'],
  name: ['<b>Bank</b>', 'a\u0000b', 'a\nb', '\u202eknaB', ' Bank', 'Bank ', 'x'.repeat(201), 'e\u0301', 5, null, ['a']],
  registrationNumber: [' ', '<x>', 'a\nb', 'x'.repeat(65), 1, null],
  email: ['a', 'a@', '@b.example', 'a@b', 'a b@c.example', 'a@b..example', '.a@b.example', 'a..b@c.example'],
  phone: ['', 'call me', '+', '12', '1'.repeat(40), 441234567890, null],
  roles: ['AISP', ['AISP', 'AISP'], ['BOSS'], [1], null, {}, ['AISP', 'PISP', 'CBPII', 'ASPSP', 'AISP']],
  status: ['Approved', 'active', 'removed', 1, null, ['approved']],
  requestsPerMinute: [0, -1, 1.5, '5', Number.NaN, Number.POSITIVE_INFINITY, 1_000_001, null],
};

for (const [field, values] of Object.entries(WRONG)) {
  test(`LAB-12 a participant's ${field} that is malformed is refused by name`, () => {
    for (const value of values)
      assert.throws(
        () => parseNewParticipant({ ...newParticipant(), [field]: value }),
        refusedWith('field_invalid', field),
      );
  });
}

test('LAB-12 more malformed e-mail addresses are refused', () => {
  const long = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(63)}.example`;
  for (const email of [
    long,
    `${'a'.repeat(65)}@b.example`,
    'a@b.example\r\nBcc: x@y.example',
    'a@-b.example',
    '<a@b.example>',
    'a@[127.0.0.1]',
  ])
    assert.throws(() => parseNewParticipant({ ...newParticipant(), email }), refusedWith('field_invalid', 'email'));
});

for (const field of ['id', 'name', 'registrationNumber', 'email', 'roles', 'status'] as const) {
  test(`LAB-12 a participant without ${field} is refused by name`, () => {
    const { [field]: _left, ...rest } = newParticipant();
    assert.throws(() => parseNewParticipant(rest), refusedWith('field_missing', field));
  });
}

test('LAB-12 an unknown field is refused: a misspelt limit would be none', () => {
  const value = { ...newParticipant(), requestPerMinute: 5 };
  assert.throws(() => parseNewParticipant(value), refusedWith('field_invalid', 'requestPerMinute'));
  const strange = { ...newParticipant(), '<script>': 1 };
  assert.throws(() => parseNewParticipant(strange), refusedWith('field_invalid', '(unprintable)'));
});

test('LAB-12 what is no object is refused', () => {
  for (const value of [undefined, null, 'tpp', 7, []])
    assert.throws(() => parseNewParticipant(value), refusedWith('field_invalid', 'participant'));
});

test('LAB-12 a well-formed participant is taken as it is', () => {
  const given = newParticipant({ name: 'Åbo & Söhne (UK) Ltd.', phone: '+44 20 7946 0000', requestsPerMinute: 5 });
  assert.deepEqual(parseNewParticipant(given), given);
  assert.deepEqual(parseNewParticipant({ ...given, roles: [] }).roles, []);
});

test('LAB-12 a status outside the allowed set is refused', () => {
  assert.throws(() => parseStatus('Approved'), refusedWith('field_invalid', 'status'));
  assert.deepEqual(
    PARTICIPANT_STATUSES.map((status) => parseStatus(status)),
    PARTICIPANT_STATUSES,
  );
});

test('LAB-17 a rate limit is a whole number above zero, or none', () => {
  assert.throws(() => parseRateLimit(0), refusedWith('field_invalid', 'requestsPerMinute'));
  assert.deepEqual([parseRateLimit(undefined), parseRateLimit(1)], [undefined, 1]);
});

test('LAB-15 a reason is one bounded line without markup', () => {
  for (const reason of ['a\nb', '<b>', 'x'.repeat(501), '\u202e'])
    assert.throws(() => checkReason(reason), refusedWith('field_invalid', 'reason'));
  checkReason('breach of §3, see ticket 12');
  checkReason(undefined);
});

test('LAB-14 LAB-15 LAB-16 the status transitions are these and no others', () => {
  const allowed = PARTICIPANT_STATUSES.flatMap((from) =>
    PARTICIPANT_STATUSES.filter((to) => mayBecome(from, to)).map((to) => `${from} ${to}`),
  );
  assert.deepEqual(allowed.sort(), [
    'approved removed',
    'approved suspended',
    'pending approved',
    'pending rejected',
    'pending removed',
    'rejected removed',
    'suspended approved',
    'suspended removed',
  ]);
});

test('LAB-15 LAB-16 only an approved participant passes, and each other status has its reason', () => {
  const dated = {
    statusReason: undefined,
    phone: undefined,
    requestsPerMinute: undefined,
    createdAt: new Date(0),
    updatedAt: new Date(0),
  };
  const codes = PARTICIPANT_STATUSES.map((status) => {
    try {
      return checkApproved({ ...newParticipant(), ...dated, status }).status;
    } catch (error) {
      assert.ok(error instanceof Refusal);
      assert.equal(error.status, 403);
      return error.code;
    }
  });
  const no = 'participant_not_approved';
  assert.deepEqual(codes, [no, 'approved', 'participant_suspended', no, no]);
  assert.throws(
    () => checkApproved(undefined),
    (error) => error instanceof Refusal && error.code === 'participant_unknown',
  );
});
