import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBanks, readBanks } from './bank-list.ts';

const addresses = { issuer: 'https://localhost:1', mtls: 'https://localhost:2' };
const good = {
  id: 'one',
  name: 'Bank One',
  issuer: '{issuer}/one',
  mtls_base: '{mtls}/one',
  resource_base: 'https://api.one.example/v1',
  enable_dcr: true,
};
const parse = (...entries: readonly unknown[]) => parseBanks(JSON.stringify(entries), addresses);

test('CLD-13 the list as it is shipped, and one bank in full', async () => {
  assert.ok((await readBanks(addresses)).length >= 2);
  assert.deepEqual(parse(good), [
    {
      id: 'one',
      name: 'Bank One',
      issuer: 'https://localhost:1/one',
      mtlsBase: 'https://localhost:2/one',
      resourceBase: 'https://api.one.example/v1',
      enableDcr: true,
      clientId: undefined,
    },
  ]);
});

for (const field of Object.keys(good)) {
  test(`CLD-13 ${field} is missing: refused naming bank and field`, () => {
    const where = field === 'id' ? /bank number 1: id is missing/ : new RegExp(`bank one: ${field} `);
    assert.throws(() => parse({ ...good, [field]: undefined }), where);
  });
}

test('CLD-13 an id twice, unknown fields, wrong types', () => {
  assert.throws(() => parse(good, { ...good, name: 'Other' }), /bank one: id is there twice/);
  assert.throws(() => parse({ ...good, colour: 'red' }), /bank one: nobody knows the field colour/);
  assert.throws(() => parse({ ...good, enable_dcr: 'yes' }), /bank one: enable_dcr must be true or false/);
  assert.throws(() => parse({ ...good, id: '../x' }), /bank number 1: id must be/);
  assert.throws(() => parse({ ...good, name: ' ' }), /bank one: name must be a text/);
  for (const list of ['{}', '[]', '[null]', '[[]]']) assert.throws(() => parseBanks(list, addresses));
});

for (const field of ['issuer', 'mtls_base', 'resource_base']) {
  test(`N-120 ${field} is not plain https: refused`, () => {
    const wrong = ['http://bank.example', 'bank.example', 'javascript:1', '{unknown}/one', 'https://u:p@bank.example'];
    for (const address of [...wrong, 'https://bank.example/', 'https://bank.example?x=1']) {
      assert.throws(() => parse({ ...good, [field]: address }), new RegExp(`bank one: ${field} must be`), address);
    }
  });
}

test('CLD-18 enable_dcr false needs a client id, and then has it', () => {
  assert.throws(() => parse({ ...good, enable_dcr: false }), /bank one: client_id is missing/);
  assert.equal(parse({ ...good, enable_dcr: false, client_id: 'c' })[0]?.clientId, 'c');
});
