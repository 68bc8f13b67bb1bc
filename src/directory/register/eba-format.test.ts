import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFrom } from './authorisation.ts';
import { collect } from './eba-format.ts';
import { RegisterUnavailable } from './register.ts';

const now = new Date('2026-11-21T10:00:00Z');

type Entity = Readonly<Record<string, unknown>>;

/** An institution as the file has it. */
function institution(changes: Entity = {}, properties: readonly Entity[] = []): Entity {
  const names = properties.flatMap((item) => Object.keys(item));
  const usual: readonly Entity[] = [
    { ENT_NAT_REF_COD: '1234' },
    { ENT_NAM: ['Изи', 'Easy Pay'] },
    { ENT_COU_RES: 'FI' },
    { ENT_AUT: ['2019-10-02'] },
  ];
  return {
    CA_OwnerID: 'FI_FIN_FSA',
    EntityCode: 'FI_FIN_FSA!1234',
    EntityType: 'PSD_PI',
    Properties: [...usual.filter((item) => !names.includes(Object.keys(item)[0] ?? '')), ...properties],
    Services: [{ FI: ['PS_05A', 'PS_070', 'PS_080'] }, { SE: 'PS_080' }, { DE: ['PS_010', 'PS_05B'] }],
    __EBA_EntityVersion: '20260101000000000',
    ...changes,
  };
}

async function snapshotOf(entities: readonly unknown[], authorities: Readonly<Record<string, string>> = {}) {
  async function* pieces() {
    yield Buffer.from(JSON.stringify([[{ Disclaimer: 'none' }], entities]));
  }
  return collect(pieces(), { publishedAt: now, size: 1, authorities });
}

async function answered(entities: readonly unknown[], key = 'FI-FINFSA-1234', at = now) {
  return answerFrom((await snapshotOf(entities)).authorisations.get(key), at);
}

const SPOILING: readonly (readonly [string, Entity])[] = [
  ['no number', institution({}, [{ ENT_NAT_REF_COD: '' }])],
  ['a number that is no text', institution({}, [{ ENT_NAT_REF_COD: 1234 }])],
  ['no authority', institution({ CA_OwnerID: undefined })],
  ['an authority without country', institution({ CA_OwnerID: 'FINFSA' })],
  ['no properties', institution({ Properties: {} })],
  ['a property twice', institution({}, [{ ENT_COU_RES: 'FI' }, { ENT_COU_RES: 'SE' }])],
  ['no dates', institution({}, [{ ENT_AUT: undefined }])],
  ['a date that is none', institution({}, [{ ENT_AUT: ['2019-02-30'] }])],
  ['a date in another form', institution({}, [{ ENT_AUT: ['02.10.2019'] }])],
  ['dates out of order', institution({}, [{ ENT_AUT: ['2020-01-01', '2019-01-01'] }])],
  ['services that are no list', institution({ Services: { FI: ['PS_080'] } })],
  ['a service that is no text', institution({ Services: [{ FI: [8] }] })],
];

for (const [what, entity] of SPOILING)
  test(`N-30 ${what}: the file does not count, because what it says may be a withdrawal`, async () => {
    await assert.rejects(
      snapshotOf([institution(), entity]),
      (cause: unknown) => cause instanceof RegisterUnavailable && cause.code === 'register_malformed',
    );
  });

test('a file without institutions does not count', async () => {
  await assert.rejects(snapshotOf([]), RegisterUnavailable);
  await assert.rejects(snapshotOf([institution({ EntityType: 'PSD_AG' })]), RegisterUnavailable);
});

test('attack 67 who is not in it is unknown, to the byte', async () => {
  for (const key of ['FI-FINFSA-12345', 'FI-FINFSA-123', 'SE-FINFSA-1234', 'FI-FIN-1234', 'fi-finfsa-1234'])
    assert.deepEqual(await answered([institution()], key), { status: 'unknown' });
});

test('WSN-14 the even dates of ENT_AUT withdraw, also on their very day; a later odd one authorises again', async () => {
  const dated = (...dates: readonly string[]) => [institution({}, [{ ENT_AUT: dates }])];
  for (const dates of [
    ['2019-10-02', '2020-01-01'],
    ['2019-10-02', '2026-11-21'],
    ['2019-10-02', '2020-01-01', '2021-01-01', '2022-01-01'],
    ['2026-11-22'],
  ])
    assert.deepEqual(await answered(dated(...dates)), { status: 'withdrawn' }, dates.join());
  for (const dates of [['2026-11-21'], ['2019-10-02', '2020-01-01', '2021-01-01']])
    assert.equal((await answered(dated(...dates))).status, 'authorised', dates.join());
  const ending = await answered(dated('2019-10-02', '2026-12-01'));
  assert.deepEqual(ending.status === 'authorised' && ending.until, new Date('2026-12-01'));
});

test('certificates.md §14 services by country become roles: 5a CBPII, 7 PISP, 8 AISP, every other none', async () => {
  const answer = await answered([institution()]);
  assert.deepEqual(answer, {
    status: 'authorised',
    roles: { FI: ['AISP', 'PISP', 'CBPII'], SE: ['AISP'], DE: [] },
    until: undefined,
  });
});

test('an institution without services is authorised for nothing', async () => {
  for (const Services of [undefined, null, []])
    assert.deepEqual(await answered([institution({ Services })]), {
      status: 'authorised',
      roles: {},
      until: undefined,
    });
});

test('agents, branches and the excluded are not what they belong to, however broken their entries are', async () => {
  for (const EntityType of ['PSD_AG', 'PSD_BR', 'PSD_EXC', 'PSD_NEW', 7]) {
    const other = institution({ EntityType, Properties: 'none' }, [{ ENT_NAT_REF_COD: '9' }]);
    const entities = [institution(), { ...other, CA_OwnerID: 'FI_FIN_FSA' }];
    assert.deepEqual(await answered(entities, 'FI-FINFSA-9'), { status: 'unknown' });
  }
});

test('two authorisations under one number: what is in force of both', async () => {
  const payment = institution({ Services: [{ FI: ['PS_070'] }] }, [{ ENT_AUT: ['2015-01-01', '2020-01-01'] }]);
  const money = institution({ EntityType: 'PSD_EMI', Services: [{ FI: ['PS_080'] }] }, [{ ENT_AUT: ['2020-01-01'] }]);
  const answer = await answered([payment, money]);
  assert.deepEqual(answer.status === 'authorised' && answer.roles, { FI: ['AISP'] });
  const earlier = await answered([payment, money], undefined, new Date('2019-01-01'));
  assert.deepEqual(earlier.status === 'authorised' && earlier.roles, { FI: ['PISP'] });
});

test('an authority that the file names otherwise than certificates do is found under the name the settings give', async () => {
  const german = institution({ CA_OwnerID: 'DE_BAFI' });
  const mapped = await snapshotOf([german], { DE_BAFI: 'DE-BAFIN' });
  assert.deepEqual([...mapped.authorisations.keys()], ['DE-BAFIN-1234']);
  assert.deepEqual([...(await snapshotOf([german])).authorisations.keys()], ['DE-BAFI-1234']);
});
