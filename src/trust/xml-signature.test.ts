import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { EXCLUSIVE, listXml, type SigningOptions, signList } from '../../test/support/trusted-list.ts';
import { Refusal } from '../platform/refusal.ts';
import { readSignedXml } from './index.ts';

const operator = createAuthority('Operator');
const rsaOperator = createAuthority('RSA Operator', { keyType: 'rsa' });
const stranger = createAuthority('Stranger');
const service = { certificates: [operator], status: 'granted', from: new Date('2020-01-01T00:00:00Z') };
const unsigned = listXml({ services: [service], rootAttributes: 'Id="root"' });
const good = signList(unsigned, { signer: operator });
const INCLUSIVE = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';

/** `ok`, or the finer code of the refusal. */
async function read(xml: string | Uint8Array, signers = [operator.der, rsaOperator.der]): Promise<string> {
  try {
    await readSignedXml(typeof xml === 'string' ? Buffer.from(xml) : xml, signers);
    return 'ok';
  } catch (cause) {
    assert.ok(cause instanceof Refusal, String(cause));
    assert.equal(cause.code, 'trusted_list_refused');
    return cause.detail ?? 'none';
  }
}

/** Changes the text, and sees that it did. */
function changed(xml: string, from: string | RegExp, to: string): string {
  const other = xml.replace(from, () => to);
  assert.notEqual(other, xml);
  return other;
}

const signatureOf = (xml: string) => /<ds:Signature .*<\/ds:Signature>/s.exec(xml)?.[0] ?? '';
const bodyOf = (xml: string) => xml.replace(/^<\?xml[^>]*>\s*/, '');

test('attack 66 a signature by anybody who is not pinned, or by the key of another pinned one, does not count', async () => {
  assert.equal(await read(signList(unsigned, { signer: stranger })), 'signer_unknown');
  assert.equal(await read(good, []), 'signer_unknown');
  assert.equal(await read(good, [rsaOperator.der]), 'signer_unknown');
  // A stranger signs and shows the operator's certificate.
  assert.equal(await read(signList(unsigned, { signer: stranger, shown: [operator] })), 'signature_invalid');
  assert.equal(
    await read(signList(unsigned, { signer: stranger, shown: [operator], named: operator })),
    'signature_invalid',
  );
  assert.equal(await read(signList(unsigned, { signer: operator, named: rsaOperator })), 'signer_mismatch');
  assert.equal(await read(signList(unsigned, { signer: operator, shown: [] })), 'signer_unknown');
  const twin = createAuthority('Operator', { key: operator.key });
  assert.equal(await read(signList(unsigned, { signer: twin })), 'signer_unknown');
});

test('attack 66 nothing of the document, its properties or its signed information can be changed', async () => {
  assert.equal(await read(good), 'ok');
  for (const [from, to] of [
    ['<SchemeTerritory>XX', '<SchemeTerritory>YY'],
    ['<TSLSequenceNumber>7', '<TSLSequenceNumber>8'],
    ['Svcstatus/granted', 'Svcstatus/withdrawn'],
    ['Id="root"', 'Id="other"'],
    ['2026-11-01T00:00:00Z</xades:SigningTime>', '2026-11-02T00:00:00Z</xades:SigningTime>'],
    [/<ds:SignatureValue>[^<]{8}/, '<ds:SignatureValue>AAAAAAAA'],
    [/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>'],
    [/<ds:DigestValue>[^<]*/, '<ds:DigestValue>AAAA'],
  ] as const) {
    assert.equal(await read(changed(good, from, to)), 'signature_invalid', String(from));
  }
  assert.equal(await read(unsigned), 'signature_missing');
  assert.equal(await read(changed(good, /<ds:Signature .*<\/ds:Signature>/s, '')), 'signature_missing');
});

test('attack 66 wrapped: the signed document inside a forged root, or beside a second one', async () => {
  const evil = bodyOf(unsigned).replace('<SchemeTerritory>XX', '<SchemeTerritory>ZZ');
  const inside = evil.replace('</TrustServiceStatusList>', `${bodyOf(good)}</TrustServiceStatusList>`);
  assert.equal(await read(inside), 'xml_id_duplicate');
  const renamed = inside.replace('Id="root"', 'Id="evil"');
  assert.equal(await read(renamed), 'signature_place');
  assert.equal(await read(`${bodyOf(good)}${evil}`), 'xml_malformed');
  assert.equal(await read(`${evil}${bodyOf(good)}`), 'xml_malformed');
  // The signature taken out and put into the forged root; the original stands where readers might not look.
  const original = bodyOf(good).replace(signatureOf(good), '');
  const moved = evil
    .replace('Id="root"', 'Id="evil"')
    .replace(
      '</TrustServiceStatusList>',
      `${signatureOf(good)}<Extension>${original}</Extension></TrustServiceStatusList>`,
    );
  assert.equal(await read(moved), 'signature_invalid');
  const byId = signList(unsigned, { signer: operator, rootId: 'root' });
  assert.equal(await read(byId), 'ok');
  const movedById = evil
    .replace('Id="root"', 'Id="evil"')
    .replace(
      '</TrustServiceStatusList>',
      `${signatureOf(byId)}<Extension>${bodyOf(byId).replace(signatureOf(byId), '')}</Extension></TrustServiceStatusList>`,
    );
  assert.equal(await read(movedById), 'signature_references');
  const object = bodyOf(byId).replace(signatureOf(byId), '');
  const hidden = signatureOf(byId).replace('</ds:Object>', `</ds:Object><ds:Object>${object}</ds:Object>`);
  const inObject = evil
    .replace('Id="root"', 'Id="evil"')
    .replace('</TrustServiceStatusList>', `${hidden}</TrustServiceStatusList>`);
  assert.equal(await read(inObject), 'signature_malformed');
});

test('attack 66 the signature is moved, doubled, nested or joined by another', async () => {
  const part = signatureOf(good);
  const elsewhere = good.replace(part, '').replace('<TSPServices>', `<TSPServices>${part}`);
  assert.equal(await read(elsewhere), 'signature_place');
  assert.equal(await read(good.replace(part, `${part}${part}`)), 'xml_id_duplicate');
  const second = signatureOf(signList(unsigned, { signer: stranger })).replaceAll('id-', 'other-');
  assert.equal(await read(good.replace(part, `${second}${part}`)), 'signature_duplicate');
  assert.equal(await read(good.replace(part, `${part}${second}`)), 'signature_duplicate');
  assert.equal(await read(changed(good, '</ds:Object>', `${second}</ds:Object>`)), 'signature_duplicate');
  const wrong = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>`;
  assert.equal(await read(changed(good, '<SchemeInformation>', `<SchemeInformation>${wrong}`)), 'signature_duplicate');
});

test('attack 66 the shape of a signature is the one of XAdES baseline: nothing twice, nothing more, nothing missing', async () => {
  const info = /<ds:SignedInfo>.*<\/ds:SignedInfo>/s.exec(good)?.[0] ?? '';
  const reference = /<ds:Reference URI="">.*?<\/ds:Reference>/s.exec(good)?.[0] ?? '';
  for (const [from, to, detail] of [
    [info, `${info}${info}`, 'signature_malformed'],
    ['</ds:SignatureValue>', '</ds:SignatureValue><ds:SignatureValue>AAAA</ds:SignatureValue>', 'signature_malformed'],
    ['<ds:SignatureMethod', '<!-- --><ds:SignatureMethod', 'signature_malformed'],
    [/<ds:DigestValue>/, '<ds:DigestValue><!-- AAAA -->', 'signature_malformed'],
    ['<ds:SignatureValue>', '<ds:SignatureValue><?x?>', 'signature_malformed'],
    [/<ds:KeyInfo>.*<\/ds:KeyInfo>/s, '', 'signature_malformed'],
    [/<ds:SignatureMethod[^>]*>/, '', 'signature_malformed'],
    [/<ds:DigestMethod[^>]*>/, '', 'signature_malformed'],
    [reference, '', 'signature_references'],
    [reference, `${reference}${reference}`, 'signature_references'],
    ['<ds:Reference URI="">', '<ds:Reference>', 'signature_references'],
    ['<ds:Reference URI="">', '<ds:Reference URI="#other">', 'signature_references'],
    ['<ds:Reference URI="">', '<ds:Reference URI="https://example.org/list.xml">', 'signature_references'],
    [
      '<ds:Reference URI="">',
      '<ds:Reference URI="" Type="http://uri.etsi.org/01903#SignedProperties">',
      'signature_references',
    ],
    ['URI="#id-properties"', 'URI=""', 'signature_references'],
    ['URI="#id-properties"', 'URI="#root"', 'signature_references'],
    [
      '<xades:SignedSignatureProperties>',
      '<xades:SignedProperties/><xades:SignedSignatureProperties>',
      'signature_invalid',
    ],
    ['</xades:QualifyingProperties>', '<xades:SignedProperties/></xades:QualifyingProperties>', 'signature_properties'],
    [/<ds:Object>.*<\/ds:Object>/s, '<ds:Object><a/></ds:Object>', 'signature_properties'],
    [
      /<ds:X509Certificate>([^<]*)<\/ds:X509Certificate>/,
      '<ds:X509Certificate>A</ds:X509Certificate>'.repeat(9),
      'xml_too_large',
    ],
  ] as const) {
    assert.equal(await read(changed(good, from, to)), detail, `${String(from).slice(0, 60)} → ${to.slice(0, 60)}`);
  }
  assert.equal(await read(signList(unsigned, { signer: operator, withoutProperties: true })), 'signature_references');
});

test('attack 66 signed properties that name no time, no certificate, or one by SHA-1, do not count', async () => {
  const bent = (from: string | RegExp, to: string) =>
    read(signList(unsigned, { signer: operator, properties: (properties) => changed(properties, from, to) }));
  assert.equal(await bent(/<xades:SigningTime>.*<\/xades:SigningTime>/, ''), 'signature_properties');
  assert.equal(await bent('2026-11-01T00:00:00Z', 'yesterday'), 'signature_properties');
  assert.equal(await bent(/<xades:SigningCertificateV2>.*<\/xades:SigningCertificateV2>/, ''), 'signature_properties');
  assert.equal(await bent(/<xades:Cert>.*<\/xades:Cert>/, ''), 'signature_properties');
  assert.equal(await bent(/<ds:DigestMethod[^>]*>/, ''), 'signature_properties');
  assert.equal(await bent('<xades:SigningTime>', '<xades:SigningTime/><xades:SigningTime>'), 'signature_properties');
  assert.equal(await bent('xmlenc#sha256', 'xmldsig#sha1'), 'signature_algorithm');
  assert.equal(await bent('<ds:DigestMethod Algorithm=', '<ds:DigestMethod Other='), 'signature_algorithm');
  assert.equal(await bent(/<ds:DigestValue>[^<]*/, '<ds:DigestValue>AAAA'), 'signer_mismatch');
  assert.equal(
    await bent('http://uri.etsi.org/01903/v1.3.2#', 'http://uri.etsi.org/01903/v1.1.1#'),
    'signature_properties',
  );
});

test('attack 66 SHA-1, HMAC and weak keys do not sign, and no transform computes', async () => {
  const rsa: SigningOptions = { signer: rsaOperator };
  const method = new RegExp(`${MORE.replaceAll('.', '\\.')}rsa-sha256`);
  const signed = signList(unsigned, rsa);
  assert.equal(await read(signed), 'ok');
  for (const algorithm of [
    'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
    'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
    '',
  ])
    assert.equal(await read(changed(signed, method, algorithm)), 'signature_algorithm', algorithm);
  // The right name with the wrong kind of key.
  assert.equal(await read(changed(signed, method, `${MORE}ecdsa-sha256`)), 'signature_invalid');
  const sha1 = signList(unsigned, { ...rsa, digestAlgorithm: 'http://www.w3.org/2000/09/xmldsig#sha1' });
  assert.equal(await read(sha1), 'signature_algorithm');
  const properties = changed(
    good,
    /(<xades:CertDigest><ds:DigestMethod Algorithm=")[^"]*/,
    '<xades:CertDigest><ds:DigestMethod Algorithm="x',
  );
  assert.equal(await read(properties), 'signature_invalid');
  const comments = signList(unsigned, { ...rsa, canonicalization: `${EXCLUSIVE}WithComments` });
  assert.equal(await read(comments), 'signature_algorithm');
  for (const transform of [
    'http://www.w3.org/TR/1999/REC-xslt-19991116',
    'http://www.w3.org/TR/1999/REC-xpath-19991116',
    'x',
  ]) {
    const named = changed(
      signed,
      `<ds:Transform Algorithm="${ENVELOPED}"/>`,
      `<ds:Transform Algorithm="${transform}"/>`,
    );
    assert.equal(await read(named), 'signature_transform', transform);
    const more = `<ds:Transform Algorithm="${ENVELOPED}"/><ds:Transform Algorithm="${transform}"/>`;
    const added = changed(signed, `<ds:Transform Algorithm="${ENVELOPED}"/>`, more);
    assert.equal(await read(added), 'signature_transform', transform);
  }
  const xpath = `<ds:Transform Algorithm="${ENVELOPED}"><ds:XPath>//x</ds:XPath></ds:Transform>`;
  assert.equal(await read(changed(signed, `<ds:Transform Algorithm="${ENVELOPED}"/>`, xpath)), 'signature_transform');
  const weak = createAuthority('Weak', { keyType: 'rsa1024' });
  assert.equal(await read(signList(unsigned, { signer: weak }), [weak.der]), 'signer_key');
});

test('attack 66 document types, entities and oversize are refused before anything is parsed', async () => {
  const bomb = '<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>';
  for (const declaration of [
    bomb,
    '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    '<!DOCTYPE x>',
    '<!ENTITY x "y">',
    '<!doctype x>',
  ])
    assert.equal(
      await read(good.replace('<TrustServiceStatusList', `${declaration}<TrustServiceStatusList`)),
      'xml_document_type',
    );
  assert.equal(await read(changed(good, '<SchemeTerritory>XX', '<SchemeTerritory>&x;')), 'xml_malformed');
  assert.equal(await read(new Uint8Array(12 * 1024 * 1024 + 1)), 'xml_too_large');
  assert.equal(await read(`${'<a>'.repeat(65)}${'</a>'.repeat(65)}`), 'xml_too_large');
  assert.equal(await read(`${'<a>'.repeat(200_000)}${'</a>'.repeat(200_000)}`), 'xml_too_large');
  assert.equal(await read(changed(good, 'encoding="UTF-8"', 'encoding="UTF-16"')), 'xml_encoding');
  assert.equal(await read(Buffer.from(good, 'utf16le')), 'xml_malformed');
  assert.equal(await read(Buffer.concat([Buffer.from(good), Buffer.from([0xff])])), 'xml_encoding');
  for (const broken of ['', 'nonsense', '<a>', '<a></b>', '<a b=c/>', good.slice(0, -10), `${good}trailing`])
    assert.equal(await read(broken), 'xml_malformed', broken.slice(-20));
});

test('tools of the Union write an empty Type for the document; any other is refused', async () => {
  const reference = '<ds:Reference URI="">';
  assert.equal(await read(changed(good, reference, '<ds:Reference Type="" URI="">')), 'signature_invalid');
  assert.equal(await read(changed(good, reference, '<ds:Reference Type="x" URI="">')), 'signature_references');
});

test('what counts: elliptic and RSA signatures, both canonical forms, both kinds of properties, a chain in KeyInfo', async () => {
  const ec384 = createAuthority('P-384 Operator', { keyType: 'ec384' });
  const variants: readonly Omit<SigningOptions, 'signer'>[] = [
    {},
    { canonicalization: INCLUSIVE },
    { transforms: [ENVELOPED] },
    { older: true },
    { shown: [stranger, operator, rsaOperator, ec384] },
    { digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha512' },
  ];
  for (const variant of variants)
    assert.equal(
      await read(
        signList(unsigned, { signer: operator, ...variant, ...(variant.shown && { shown: [stranger, operator] }) }),
      ),
      'ok',
    );
  assert.equal(await read(signList(unsigned, { signer: rsaOperator, signatureAlgorithm: `${MORE}rsa-sha512` })), 'ok');
  const pss = 'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1';
  assert.equal(await read(signList(unsigned, { signer: rsaOperator, signatureAlgorithm: pss })), 'ok');
  const p384 = signList(unsigned, { signer: ec384, signatureAlgorithm: `${MORE}ecdsa-sha384` });
  assert.equal(await read(p384, [ec384.der]), 'ok');
});

test('attack 66 whatever is changed by chance is refused, or reads as it was signed', async () => {
  const { root } = await readSignedXml(Buffer.from(good), [operator.der]);
  let seed = 20_261_121;
  const next = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const pieces = ['', '<', '>', '"', '&', ' ', 'x', '<!-- -->', '<?x?>', '<a/>', '\r', '\u0000', signatureOf(good)];
  let accepted = 0;
  for (let round = 0; round < 300; round += 1) {
    const from = next(good.length);
    const mutated = `${good.slice(0, from)}${pieces[next(pieces.length)]}${good.slice(from + next(3))}`;
    const read = await readSignedXml(Buffer.from(mutated), [operator.der]).catch((cause: unknown) => cause);
    if (read instanceof Error) {
      assert.ok(read instanceof Refusal, `round ${round}: ${String(read)}`);
      continue;
    }
    accepted += 1;
    assert.deepEqual(
      read,
      {
        root,
        signer: createHash('sha256').update(operator.der).digest('base64url'),
        signingTime: new Date('2026-11-01T00:00:00Z'),
      },
      `round ${round}`,
    );
  }
  assert.ok(accepted < 60, `${accepted} of 300 accepted`);
});

test('what is given out is what was signed, and by whom', async () => {
  const commented = changed(good, '<SchemeTerritory>XX', '<SchemeTerritory>X<!-- -->X');
  for (const xml of [good, commented]) {
    const { root, signer, signingTime } = await readSignedXml(Buffer.from(xml), [operator.der]);
    assert.equal(root.name, 'TrustServiceStatusList');
    assert.equal(root.namespace, 'http://uri.etsi.org/02231/v2#');
    assert.ok(root.children.every(({ name }) => name !== 'Signature'));
    assert.equal(root.children[0]?.children.find(({ name }) => name === 'SchemeTerritory')?.text, 'XX');
    assert.equal(signer, createHash('sha256').update(operator.der).digest('base64url'));
    assert.deepEqual(signingTime, new Date('2026-11-01T00:00:00Z'));
  }
});
