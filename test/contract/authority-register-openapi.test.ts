import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { parseAnswer } from '../../src/directory/register/answer.ts';
import { participantOf } from '../support/gateway.ts';

const FILE = new URL('../../docs/integrate/authority-register.openapi.yaml', import.meta.url);
const about = { country: 'XX', authority: 'SANDBOX', number: '12/3 4' };
const question = { ...about, identifier: '', roles: [], certificate: undefined, participant: participantOf() };
const ajv = new Ajv2020({ strict: false });
ajv.addSchema(parse(await readFile(FILE, 'utf8')), 'contract');

function fits(value: unknown): boolean {
  return ajv.validate({ $ref: 'contract#/components/schemas/Answer' }, value);
}

function counts(value: unknown): boolean {
  try {
    parseAnswer(value, question);
    return true;
  } catch {
    return false;
  }
}

const GOOD: readonly unknown[] = [
  { ...about, status: 'unknown' },
  { ...about, status: 'withdrawn', roles: {} },
  { ...about, status: 'authorised', roles: { XX: ['AISP', 'PISP', 'CBPII', 'ASPSP'], DE: [] } },
  { ...about, status: 'authorised', roles: {}, until: null },
  { ...about, status: 'authorised', roles: {}, until: '2027-01-01' },
  { ...about, status: 'authorised', roles: {}, until: '2027-01-01T00:00:00Z', more: 'to come' },
];
const BAD: readonly unknown[] = [
  [],
  {},
  about,
  { ...about, status: 'revoked' },
  { ...about, status: 'authorised' },
  { ...about, status: 'authorised', roles: ['AISP'] },
  { ...about, status: 'authorised', roles: { xx: ['AISP'] } },
  { ...about, status: 'authorised', roles: { XX: ['PSP_AI'] } },
  { ...about, status: 'authorised', roles: {}, until: 7 },
  { ...about, country: 'xx', status: 'unknown' },
  { ...about, authority: 'S', status: 'unknown' },
  { ...about, number: '', status: 'unknown' },
];

test('WSN-14 what the document of the register service allows counts, and what it does not allow does not', () => {
  for (const value of GOOD) {
    assert.ok(fits(value), `${JSON.stringify(value)}: ${ajv.errorsText()}`);
    assert.ok(counts(value), JSON.stringify(value));
  }
  for (const value of BAD) {
    assert.equal(fits(value), false, JSON.stringify(value));
    assert.equal(counts(value), false, JSON.stringify(value));
  }
});
