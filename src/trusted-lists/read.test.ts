import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthority, type Issued } from '../../test/support/certificates.ts';
import { type ListedServiceOptions, type ListOptions, listXml, signList } from '../../test/support/trusted-list.ts';
import { Refusal } from '../platform/refusal.ts';
import { anchorsOf } from './anchors.ts';
import { createListReader } from './index.ts';
import type { TrustedList } from './list.ts';
import { readTrustedList } from './read.ts';

const NOW = new Date('2026-11-20T12:00:00Z');
const operator = createAuthority('Operator');
const other = createAuthority('Other Operator');
const issuing = createAuthority('Issuing');
const pins = [
  { territory: 'XX', signers: [operator.der] },
  { territory: 'YY', signers: [other.der] },
];
const at = (day: string) => new Date(`${day}T00:00:00Z`);
const WEB = ['ForWebSiteAuthentication'];
const web: ListedServiceOptions = { certificates: [issuing], status: 'granted', from: at('2020-01-01'), uses: WEB };

function signed(options: ListOptions, signer: Issued = operator): Buffer {
  return Buffer.from(signList(listXml(options), { signer }));
}

function read(options: ListOptions, signer: Issued = operator): Promise<TrustedList> {
  return readTrustedList(signed(options, signer), pins, NOW);
}

/** The finer code of the refusal. */
async function refusal(reading: Promise<unknown>): Promise<string> {
  const cause = await reading.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(cause instanceof Refusal, `no refusal: ${String(cause)}`);
  return `${cause.code}/${cause.detail}`.replace('trusted_list_refused/', '');
}

test('attack 66 a list is signed by who is pinned for its own territory', async () => {
  assert.equal((await read({ territory: 'YY' }, other)).territory, 'YY');
  assert.equal(await refusal(read({ territory: 'YY' })), 'signer_unknown');
  assert.equal(await refusal(read({ territory: 'XX' }, other)), 'signer_unknown');
  assert.equal(await refusal(read({ territory: 'ZZ' })), 'signer_unknown');
  const old = createAuthority('Operator', { notAfter: at('2026-10-31'), notBefore: at('2020-01-01') });
  const withOld = [{ territory: 'XX', signers: [operator.der, old.der] }];
  assert.equal(await refusal(readTrustedList(signed({}, old), withOld, NOW)), 'signer_expired');
  const before = { issuedAt: at('2026-10-30') };
  assert.equal((await readTrustedList(signed(before, old), withOld, NOW)).sequence, 7);
});

test('attack 66 a list that is expired, closed, of the future or too far ahead does not count', async () => {
  assert.equal(await refusal(read({ nextUpdate: NOW })), 'list_expired');
  assert.equal(await refusal(read({ nextUpdate: at('2026-11-02') })), 'list_expired');
  assert.equal(await refusal(read({ nextUpdate: null })), 'list_closed');
  assert.equal(await refusal(read({ issuedAt: at('2026-11-21') })), 'list_ahead');
  assert.equal(await refusal(read({ nextUpdate: at('2027-06-01') })), 'list_malformed');
});

test('attack 66 a document that is no national list of a known version does not count', async () => {
  for (const [change, code] of [
    [{ version: 4 }, 'version_unknown'],
    [{ version: 7 }, 'version_unknown'],
    [{ type: 'http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists' }, 'type_unknown'],
    [{ type: 'http://example.org/EUgeneric' }, 'type_unknown'],
    [{ territory: 'Belgium' }, 'list_malformed'],
    [{ sequence: 0 }, 'list_malformed'],
    [{ sequence: 1.5 }, 'list_malformed'],
  ] as const) {
    assert.equal(await refusal(read(change)), code, JSON.stringify(change));
  }
  for (const [from, to] of [
    [/<TSLSequenceNumber>7/, '<TSLSequenceNumber>7</TSLSequenceNumber><TSLSequenceNumber>8'],
    [/<ListIssueDateTime>.*<\/ListIssueDateTime>/, ''],
    [/<ListIssueDateTime>[^<]*/, '<ListIssueDateTime>yesterday'],
    [/<dateTime>[^<]*/, '<dateTime>2026-13-01T00:00:00Z'],
    [/<SchemeTerritory>.*<\/SchemeTerritory>/, ''],
    [/<\/SchemeInformation>/, '</SchemeInformation><SchemeInformation/>'],
    [/http:\/\/uri.etsi.org\/02231\/v2#/, 'http://example.org/'],
  ] as const) {
    const xml = listXml().replace(from, to);
    assert.notEqual(xml, listXml());
    const reading = readTrustedList(Buffer.from(signList(xml, { signer: operator })), pins, NOW);
    assert.equal(await refusal(reading), 'list_malformed', String(from));
  }
  const metadata = Buffer.from(signList('<EntityDescriptor/>', { signer: operator }));
  assert.equal(await refusal(readTrustedList(metadata, pins, NOW)), 'list_malformed');
});

test('versions 5 and 6 are read: head, service and grant', async () => {
  for (const version of [5, 6]) {
    const list = await read({ version, sequence: 42, services: [web] });
    assert.deepEqual(
      [list.territory, list.version, list.sequence, list.issuedAt, list.nextUpdate, list.skipped],
      ['XX', version, 42, at('2026-11-01'), at('2027-03-01'), {}],
    );
    const [service] = list.services;
    assert.deepEqual(
      [service?.name, service?.provider, service?.subject, service?.root, service?.certificates],
      ['Test Service', 'Test Provider', 'CN=Issuing', false, [issuing.certificatePem]],
    );
    assert.deepEqual(service?.granted.transport, [{ from: at('2020-01-01'), until: undefined, qualifications: [] }]);
  }
});

test('attack 66 services that do not make anchors are left out and counted', async () => {
  const leaf = issuing.issue();
  const broken = `<DigitalId><X509Certificate>AAAA</X509Certificate></DigitalId>`;
  const names =
    '<DigitalId><X509SubjectName>CN=Issuing</X509SubjectName></DigitalId><DigitalId><X509SKI>AAAA</X509SKI></DigitalId>';
  const critical = '<Extension Critical="true"><Unheard/></Extension>';
  const services: readonly ListedServiceOptions[] = [
    { ...web, type: 'http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST' },
    { ...web, uses: ['ForeSignatures'] },
    { ...web, uses: [] },
    { ...web, status: 'withdrawn' },
    { ...web, status: 'http://example.org/granted' },
    { ...web, extensions: critical },
    { ...web, identity: names },
    { ...web, identity: broken },
    { ...web, certificates: [issuing, operator] },
    { ...web, certificates: [leaf] },
    web,
    { ...web, extensions: critical.replace('true', 'false') },
  ];
  const { services: taken, skipped } = await read({ services });
  assert.equal(taken.length, 2);
  assert.deepEqual(skipped, {
    'another type of service': 1,
    'never granted for websites or seals': 4,
    'a critical extension that is not understood': 1,
    'no certificate, only names or key identifiers': 1,
    'a certificate that cannot be read': 1,
    'certificates of different keys': 1,
    'a certificate that may not issue others': 1,
  });
  const xml = listXml({ services: [web] }).replace(/<StatusStartingTime>[^<]*/, '<StatusStartingTime>soon');
  const malformed = await readTrustedList(Buffer.from(signList(xml, { signer: operator })), pins, NOW);
  assert.deepEqual([malformed.services, malformed.skipped], [[], { malformed: 1 }]);
});

test('attack 46 the history of a service gives the times of its grants; statuses before 2016 count for nothing', async () => {
  const history = [
    { status: 'granted', from: at('2016-07-01'), uses: WEB },
    { status: 'http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/undersupervision', from: at('2014-01-01'), uses: WEB },
    { status: 'withdrawn', from: at('2019-01-01'), uses: WEB },
    { status: 'granted', from: at('2018-01-01'), uses: ['ForeSeals'] },
  ];
  const { services } = await read({ services: [{ ...web, history }] });
  const times = (use: 'transport' | 'signature') => services[0]?.granted[use].map(({ from, until }) => [from, until]);
  assert.deepEqual(times('transport'), [
    [at('2016-07-01'), at('2018-01-01')],
    [at('2020-01-01'), undefined],
  ]);
  assert.deepEqual(times('signature'), [[at('2018-01-01'), at('2019-01-01')]]);
  const gone = await read({
    services: [{ ...web, status: 'withdrawn', from: at('2026-11-01'), history: [{ ...web }] }],
  });
  assert.deepEqual(gone.services[0]?.granted.transport, [
    { from: at('2020-01-01'), until: at('2026-11-01'), qualifications: [] },
  ]);
});

test('anchors are for one use, end with the list, and vouch for what they issued themselves unless they are roots', async () => {
  const seal = { ...web, certificates: [operator], uses: ['ForeSeals', 'RootCA-QC'] };
  const list = await read({ services: [web, seal] });
  const [forWeb, ...moreWeb] = anchorsOf(list, 'transport');
  const [forSeals, ...moreSeals] = anchorsOf(list, 'signature');
  assert.deepEqual([moreWeb, moreSeals], [[], []]);
  assert.deepEqual(
    [forWeb?.pem, forWeb?.until, forWeb?.issuingOnly, forWeb?.origin],
    [issuing.certificatePem, at('2027-03-01'), true, 'trusted list XX'],
  );
  assert.deepEqual(
    [forSeals?.pem, forSeals?.issuingOnly, forSeals?.grantedUse],
    [operator.certificatePem, false, 'signature'],
  );
});

const SIE = 'http://uri.etsi.org/TrstSvc/SvcInfoExt/eSigDir-1999-93-EC-TrustedList/#';
const EXTENSION = 'http://uri.etsi.org/TrstSvc/TrustedList/SvcInfoExt';
const id = (oid: string) =>
  `<x:Identifier xmlns:x="http://uri.etsi.org/01903/v1.3.2#" Qualifier="OIDAsURN">${oid}</x:Identifier>`;

/** Qualifiers of a service as its list writes them. */
function qualified(qualifiers: readonly string[], criteria: string): ListedServiceOptions {
  const uris = qualifiers.map((name) => `<q:Qualifier uri="${EXTENSION}/${name}"/>`).join('');
  const element = `<q:QualificationElement><q:Qualifiers>${uris}</q:Qualifiers>${criteria}</q:QualificationElement>`;
  const extensions = `<Extension Critical="true"><q:Qualifications xmlns:q="${SIE}">${element}</q:Qualifications></Extension>`;
  return { ...web, extensions };
}

async function criteriaOf(criteria: string) {
  const list = await read({ services: [qualified(['NotQualified'], criteria)] });
  return list.services[0]?.granted.transport[0]?.qualifications;
}

test('WSN-24 qualifications are read with their criteria; what is not understood may mean anybody', async () => {
  const empty = {
    assert: 'all',
    keyUsages: [],
    policies: [],
    extendedKeyUsages: [],
    subjectAttributes: [],
    nested: [],
    unknown: 0,
  };
  const of = (criteria: object) => [{ qualifiers: ['not-qualified'], criteria: { ...empty, ...criteria } }];
  const policySet = `<q:PolicySet><q:PolicyIdentifier>${id('urn:oid:1.2.3')}</q:PolicyIdentifier></q:PolicySet>`;
  const usage = '<q:KeyUsage><q:KeyUsageBit name="nonRepudiation">true</q:KeyUsageBit></q:KeyUsage>';
  const others = `<q:otherCriteriaList><t:ExtendedKeyUsage xmlns:t="http://uri.etsi.org/02231/v2/additionaltypes#"><t:KeyPurposeId>${id('1.3.6')}</t:KeyPurposeId></t:ExtendedKeyUsage><t:CertSubjectDNAttribute xmlns:t="http://uri.etsi.org/02231/v2/additionaltypes#"><t:AttributeOID>${id('2.5.4.5')}</t:AttributeOID></t:CertSubjectDNAttribute></q:otherCriteriaList>`;
  const list = (inner: string, assert = 'all') => `<q:CriteriaList assert="${assert}">${inner}</q:CriteriaList>`;
  assert.deepEqual(await criteriaOf(list(policySet)), of({ policies: [['1.2.3']] }));
  assert.deepEqual(
    await criteriaOf(list(`${usage}<q:Description>x</q:Description>`, 'none')),
    of({ assert: 'none', keyUsages: [[{ bit: 1, value: true }]] }),
  );
  assert.deepEqual(
    await criteriaOf(list(others)),
    of({ extendedKeyUsages: [['1.3.6']], subjectAttributes: [['2.5.4.5']] }),
  );
  assert.deepEqual(
    await criteriaOf(list(list(policySet, 'atLeastOne'))),
    of({ nested: [{ ...empty, assert: 'atLeastOne', policies: [['1.2.3']] }] }),
  );
  const unknown: readonly string[] = [
    '',
    list('', 'some'),
    list('<q:Unheard/>'),
    list(`<q:Unheard><q:a>${id('1.2.3')}</q:a></q:Unheard>`),
    list('<q:PolicySet/>'),
    list(policySet.replace('urn:oid:1.2.3', 'nonsense')),
    list(usage.replace('nonRepudiation', 'anything')),
    list(usage.replace('>true<', '>perhaps<')),
    list('<q:KeyUsage/>'),
    `${list(policySet)}${list(policySet)}`,
  ];
  for (const criteria of unknown) assert.deepEqual(await criteriaOf(criteria), of({ unknown: 1 }), criteria);
  const kinds = await read({
    services: [qualified(['QCForWSA', 'QCForESeal', 'QCForESig', 'QCWithQSCD'], list(policySet))],
  });
  assert.deepEqual(kinds.services[0]?.granted.transport[0]?.qualifications?.[0]?.qualifiers, ['web', 'eseal', 'esign']);
  const nothing = await read({ services: [qualified(['QCWithQSCD'], list(policySet))] });
  assert.deepEqual(nothing.services[0]?.granted.transport[0]?.qualifications, []);
});

test('§13 lists are read on a thread of their own, which time and memory end', async () => {
  const document = signed({ services: [web] });
  const list = await createListReader().read(document, pins, NOW);
  assert.deepEqual(list, await readTrustedList(document, pins, NOW));
  assert.equal(await refusal(createListReader().read(signed({}, issuing), pins, NOW)), 'signer_unknown');
  assert.equal(await refusal(createListReader({ timeMs: 1 }).read(document, pins, NOW)), 'list_too_costly');
  const ending = createListReader();
  const reading = ending.read(document, pins, NOW);
  const ended = assert.rejects(reading, /the thread ended/);
  // The thread is begun in the next turn, and ended before it has read anything.
  await Promise.resolve();
  await ending.close();
  await ended;
  await assert.rejects(ending.read(document, pins, NOW), /being closed/);
  const large = signed({ services: Array.from({ length: 400 }, () => web) });
  assert.equal(await refusal(createListReader({ memoryMb: 4 }).read(large, pins, NOW)), 'list_too_costly');
});
