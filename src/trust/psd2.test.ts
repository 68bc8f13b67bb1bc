import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CertificateOptions, createAuthority, extension } from '../../test/support/certificates.ts';
import { nothing, oid, printable, sequence, utf8 } from '../../test/support/der.ts';
import { judge, judged } from '../../test/support/judging.ts';
import { psd2Statement, statement } from '../../test/support/qc-statements.ts';
import type { TrustScheme } from './index.ts';
import { parseQcStatements } from './qc-statements.ts';

const root = createAuthority('Test Root');
const tpp = { organizationIdentifier: 'PSDGB-FCA-123456', authorityId: 'GB-FCA', roles: ['AISP'] };
const strict: Partial<TrustScheme> = {
  statements: { rolesEncoding: 'etsi', authority: 'strict', organizationIdentifier: 'psd' },
  rolesRequired: true,
  qcTypeRequired: true,
};
const on = (options: CertificateOptions, scheme: Partial<TrustScheme> = strict) =>
  judged(root.issue({ ...tpp, ...options }).chain, root, scheme);
const rolesIn = async (options: CertificateOptions, scheme: Partial<TrustScheme> = strict) => {
  const verdict = await judge(root.issue({ ...tpp, ...options }).chain, root, scheme);
  return verdict.ok ? verdict.certificate.roles : verdict.detail;
};
/** Statements as given, instead of those the options would make. */
const onlyStatements = (...statements: readonly Uint8Array[]) => ({
  roles: undefined,
  qcType: 'web' as const,
  statements,
});
const role = (number: number, name: string) => sequence(oid(`0.4.0.19495.1.${number}`), utf8(name));

test('WSN-17 attack 61 roles come from the PSD2 statement, by the names of this platform', async () => {
  assert.deepEqual(await rolesIn({ roles: ['AISP', 'PISP', 'CBPII', 'ASPSP'] }), ['AISP', 'PISP', 'CBPII', 'ASPSP']);
  assert.deepEqual(await rolesIn({ roles: ['PSP_IC'] }), ['CBPII']);
  assert.equal(await rolesIn({ roles: undefined, qcType: 'web' }, {}), undefined);
});

test('the worked encoding of the requirements is read in both forms', () => {
  const etsi =
    '30450606040081982702303b302630110607040081982701020c065053505f504930110607040081982701030c065053505f41490c0854657374204e43410c0758582d54455354';
  const flattened =
    '304306060400819827023039302430220607040081982701020c065053505f50490607040081982701030c065053505f41490c0854657374204e43410c0758582d54455354';
  for (const [hex, encoding] of [
    [etsi, 'etsi'],
    [flattened, 'flattened'],
  ] as const) {
    const { psd2 } = parseQcStatements(sequence(Buffer.from(hex, 'hex')));
    assert.equal(psd2?.encoding, encoding);
    assert.deepEqual(
      psd2?.roles.map(({ name }) => name),
      ['PSP_PI', 'PSP_AI'],
    );
    assert.equal(psd2?.authorityName, 'Test NCA');
    assert.equal(psd2?.authorityId, 'XX-TEST');
  }
});

test('attack 60 no statements, no PSD2 statement, no roles', async () => {
  assert.equal(
    await on({ roles: undefined, qcType: 'none' }, { ...strict, qcTypeRequired: false }),
    'certificate_not_qualified/psd2_missing',
  );
  assert.equal(
    await on({ roles: undefined, qcType: 'none' }, { qualified: true }),
    'certificate_not_qualified/qc_missing',
  );
  assert.equal(await on({ roles: undefined, qcType: 'web' }), 'certificate_not_qualified/psd2_missing');
  assert.equal(await on(onlyStatements(psd2Statement(sequence()))), 'certificate_malformed/roles_empty');
  assert.equal(await on(onlyStatements(statement('0.4.0.19495.2'))), 'certificate_malformed/roles_empty');
});

test('attack 60 a statement twice, an unknown role, a name that is not the role’s', async () => {
  const one = psd2Statement(sequence(role(3, 'PSP_AI')), 'Test', 'GB-FCA');
  assert.equal(await on(onlyStatements(one, one)), 'certificate_malformed/qc_duplicate');
  for (const [number, name, code] of [
    [9, 'PSP_XX', 'role_unknown'],
    [3, 'PSP_PI', 'role_mismatch'],
    [3, 'psp_ai', 'role_mismatch'],
    [3, 'Account Information', 'role_mismatch'],
    [3, 'PSP_AI ', 'role_mismatch'],
  ] as const) {
    const statements = onlyStatements(psd2Statement(sequence(role(number, name)), 'Test', 'GB-FCA'));
    assert.equal(await on(statements), `certificate_malformed/${code}`, name);
  }
});

test('attack 60 "Unspecified" stands alone and grants nothing; newer roles grant nothing either', async () => {
  assert.deepEqual(await rolesIn({ roles: ['Unspecified'] }), []);
  assert.equal(await on({ roles: ['Unspecified', 'AISP'] }), 'certificate_malformed/role_mismatch');
  assert.deepEqual(await rolesIn({ roles: ['PSP_CB', 'PSP_PA', 'VOP_RS', 'VOP_VS', 'AISP'] }), ['AISP']);
});

test('attack 60 the flattened form is accepted only where the scheme says so', async () => {
  const flattened = { flattenedRoles: true, roles: ['AISP', 'PISP'] };
  assert.equal(await on(flattened), 'certificate_malformed/roles_encoding');
  assert.deepEqual(await rolesIn(flattened, { statements: { rolesEncoding: 'flattened' } }), ['AISP', 'PISP']);
  const odd = sequence(sequence(oid('0.4.0.19495.1.3'), utf8('PSP_AI'), oid('0.4.0.19495.1.2')));
  const scheme = { statements: { rolesEncoding: 'flattened' as const } };
  assert.equal(
    await on(onlyStatements(psd2Statement(odd, 'Test', 'GB-FCA')), scheme),
    'certificate_malformed/roles_encoding',
  );
});

test('attack 60 a bare statement is accepted in a sandbox only', async () => {
  const bare = extension('1.3.6.1.5.5.7.1.3', psd2Statement(sequence(role(3, 'PSP_AI')), 'Test', 'GB-FCA'));
  const options = { roles: undefined, extensions: [bare] };
  assert.equal(await on(options, {}), 'certificate_malformed/roles_encoding');
  assert.equal(
    await on(options, { statements: { rolesEncoding: 'flattened' } }),
    'certificate_malformed/roles_encoding',
  );
  assert.deepEqual(await rolesIn(options, { statements: { rolesEncoding: 'sandbox' } }), ['AISP']);
});

test('attack 60 statements that cannot be read are refused', async () => {
  const broken = [
    extension('1.3.6.1.5.5.7.1.3', nothing),
    extension('1.3.6.1.5.5.7.1.3', sequence(sequence(utf8('x')))),
    extension(
      '1.3.6.1.5.5.7.1.3',
      sequence(statement('0.4.0.19495.2', sequence(sequence(role(3, 'PSP_AI')), printable('x'), utf8('GB-FCA')))),
    ),
    extension('1.3.6.1.5.5.7.1.3', sequence(psd2Statement(sequence(role(3, 'PSP_AI')), 'x'.repeat(257), 'GB-FCA'))),
    extension('1.3.6.1.5.5.7.1.3', sequence(psd2Statement(sequence(role(3, 'PSP_AI')), '', 'GB-FCA'))),
    extension('1.3.6.1.5.5.7.1.3', sequence(statement('0.4.0.1862.1.1', nothing, nothing))),
  ];
  for (const item of broken) {
    assert.equal(await on({ roles: undefined, extensions: [item] }, {}), 'certificate_malformed/qc_syntax');
  }
  const many = Array.from({ length: 33 }, (_, index) => statement(`1.2.3.${index}`));
  assert.equal(await on({ roles: undefined, statements: many }, {}), 'certificate_malformed/qc_syntax');
  const empty = { roles: undefined, extensions: [extension('1.3.6.1.5.5.7.1.3', sequence())] };
  assert.equal(await on(empty), 'certificate_wrong_purpose/qc_type');
});

test('F5 attack 41 and 62 a seal certificate is no transport certificate, nor the reverse', async () => {
  const seal = { qcType: 'eseal' as const, keyUsages: ['digitalSignature', 'nonRepudiation'] as const };
  const code = 'certificate_wrong_purpose/qc_type';
  assert.equal(await on({ ...seal, extendedKeyUsages: [] }, { extendedKeyUsages: [] }), code);
  assert.equal(await on(seal, {}), code);
  assert.equal(await on({ qcType: 'esign' }, {}), code);
  assert.equal(await on({ qcType: 'none' }), code);
  assert.equal(await on({ qcType: 'none' }, {}), 'ok');
  const two = statement('0.4.0.1862.1.6', sequence(oid('0.4.0.1862.1.6.3'), oid('0.4.0.1862.1.6.2')));
  assert.equal(await on({ qcType: 'none', statements: [two] }, {}), code);
  const forSeals = { use: 'signature' as const, extendedKeyUsages: [] };
  assert.equal(await on({ ...seal, extendedKeyUsages: [] }, forSeals), 'ok');
  assert.equal(await on({ ...seal, keyUsages: ['nonRepudiation'] }, forSeals), 'ok');
  assert.equal(await on({}, forSeals), code);
});

test('attack 63 qualified means QcCompliance under the law of the Union', async () => {
  const qualified = { ...strict, qualified: true };
  assert.equal(await on({ qualified: true }, qualified), 'ok');
  assert.equal(await on({}, qualified), 'certificate_not_qualified/not_qualified');
  const foreign = statement('0.4.0.1862.1.7', sequence(printable('CH')));
  assert.equal(
    await on({ qualified: true, statements: [foreign] }, qualified),
    'certificate_not_qualified/not_qualified',
  );
});

test('attack 64 the authority is consistent, of an existing country, with a Latin name', async () => {
  const malformed = (code: string) => `certificate_malformed/${code}`;
  assert.equal(await on({}), 'ok');
  assert.equal(await on({ authorityId: 'GB-OB' }), malformed('nca_mismatch'));
  assert.equal(await on({ authorityId: 'DE-FCA' }), malformed('nca_mismatch'));
  assert.equal(await on({ authorityId: 'GB-OB' }, {}), 'ok');
  assert.equal(await on({ authorityId: 'XX-FCA', organizationIdentifier: 'PSDXX-FCA-1' }), malformed('nca_format'));
  assert.equal(await on({ authorityId: 'XX-FCA', organizationIdentifier: 'PSDXX-FCA-1' }, {}), 'ok');
  for (const authorityId of ['GBFCA', 'gb-fca', 'GB-F', 'GB-ABCDEFGHI', 'GB-FCA ', 'FCA', 'NA']) {
    assert.equal(await on({ authorityId }, {}), malformed('nca_format'), authorityId);
  }
  assert.equal(await on({ authorityName: 'Česká národní banka' }), 'ok');
  for (const authorityName of ['Банк', '銀行', '123', 'NA']) {
    assert.equal(await on({ authorityName }), malformed('nca_name'), authorityName);
  }
  assert.equal(await on({ authorityName: 'NA', authorityId: 'NA', roles: ['PSP_CB'] }, {}), 'ok');
});

test('attack 65 the organizationIdentifier is there and of a known form', async () => {
  const on65 = (organizationIdentifier: string | undefined, scheme: Partial<TrustScheme>) =>
    on({ organizationIdentifier }, scheme);
  assert.equal(await on65(undefined, {}), 'certificate_malformed/orgid_missing');
  const anyScheme = { statements: { organizationIdentifier: 'any' as const } };
  for (const identifier of ['VATGB-123', 'NTRDE-HRB 1', 'LEIXG-529900T8BM49AURSDO55', 'PSDGB-FCA-ä, "1"']) {
    assert.equal(await on65(identifier, anyScheme), 'ok', identifier);
  }
  for (const identifier of [
    'psdgb-fca-1',
    ' PSDGB-FCA-1',
    'PSDGB-FCA-1 ',
    'РSDGB-FCA-1',
    'PSDGBFCA-1',
    'PADFR-BDF-1',
    'PSDGB-FCA-',
    'PSDGB-F-1',
  ]) {
    assert.equal(await on65(identifier, anyScheme), 'certificate_malformed/orgid_format', identifier);
  }
  assert.equal(await on65('VATGB-123', strict), 'certificate_malformed/orgid_format');
});

test('a refused certificate shows no roles', async () => {
  const verdict = await judge(root.issue({ ...tpp, roles: ['Unspecified', 'AISP'] }).chain, root);
  assert.equal(verdict.ok, false);
  assert.equal(verdict.certificate?.roles, undefined);
});
