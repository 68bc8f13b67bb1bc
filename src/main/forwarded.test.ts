import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { createAuthority } from '../../test/support/certificates.ts';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { loadConfiguration } from '../platform/config.ts';
import { Forwarded, forwardedSource } from './forwarded.ts';

const EXAMPLE = join(import.meta.dirname, '..', '..', 'docs', 'operate', 'proxies', 'hex-parser.mjs');
const directory = await temporaryDirectory();
let plain: Forwarded;
before(async () => {
  const file = join(directory, 'secret');
  await writeFile(file, 'a secret that is long enough for a proxy', { mode: 0o600 });
  plain = { header: 'X-Cert', proxies: ['10.1.0.7'], secret: { header: 'X-Secret', value: { file } } };
});

/** The settings with a module of this text as parser. */
async function withModule(name: string, text: string): Promise<Forwarded> {
  const parser = join(directory, name);
  await writeFile(parser, text);
  return { ...plain, parser };
}
const opened = async (settings: Promise<Forwarded>) => forwardedSource(await settings);
const AT = /^doors\.mtls\.forwarded\.parser: /;

test('the form is named, or a decoder of one’s own: exactly one of the two', async () => {
  await assert.rejects(forwardedSource(plain), /^Error: doors\.mtls\.forwarded: .*exactly one/);
  await assert.rejects(forwardedSource({ ...plain, format: 'rfc9440', parser: EXAMPLE }), /exactly one/);
  assert.equal((await forwardedSource({ ...plain, format: 'rfc9440' }))?.format, 'rfc9440');
  assert.equal(await forwardedSource(undefined), undefined);
  const parsed = { ...plain, parser: EXAMPLE, chainHeader: 'X-Chain' };
  await assert.rejects(forwardedSource(parsed), /chainHeader belongs to the format rfc9440 alone/);
});

test('a decoder that is missing, throws, or exports no such function keeps the platform from starting, by its key', async () => {
  const cases: readonly (readonly [Promise<Forwarded>, RegExp])[] = [
    [Promise.resolve({ ...plain, parser: join(directory, 'nobody.mjs') }), /nobody\.mjs cannot be loaded: /],
    [withModule('syntax.mjs', 'export const = 1;'), /syntax\.mjs cannot be loaded: /],
    [withModule('throws.mjs', 'throw new Error("no licence");'), /throws\.mjs cannot be loaded: no licence/],
    [withModule('other.mjs', 'export default () => [];'), /other\.mjs exports no parseForwardedCertificate/],
    [withModule('value.mjs', 'export const parseForwardedCertificate = 1;'), /is no function/],
    [withModule('async.mjs', 'export async function parseForwardedCertificate() {}'), /must answer at once/],
    [withModule('many.mjs', 'export function* parseForwardedCertificate() {}'), /must answer at once/],
  ];
  for (const [settings, why] of cases)
    await assert.rejects(opened(settings), ({ message }: Error) => AT.test(message) && why.test(message));
});

test('the documented decoder reads what it says and throws at anything else', async () => {
  const source = await forwardedSource({ ...plain, parser: EXAMPLE });
  const parse = source?.format;
  assert.ok(typeof parse === 'function');
  const { der } = createAuthority('A').issue();
  const hex = der.toString('hex');
  assert.deepEqual(parse(`v1;${hex};${hex}`), [der, der]);
  for (const wrong of [hex, `v2;${hex}`, `v1;${hex.toUpperCase()}`, 'v1;', `v1;${hex}0`])
    assert.throws(() => parse(wrong));
});

test('the path of a decoder is relative to the configuration file', async () => {
  const file = join(directory, 'forwarded.json');
  await writeFile(join(directory, 'own.ts'), 'export const parseForwardedCertificate = (value: string) => [value];');
  await writeFile(file, JSON.stringify({ ...plain, parser: 'own.ts' }));
  const settings = await loadConfiguration(Forwarded, file);
  const parse = (await forwardedSource(settings))?.format;
  assert.ok(typeof parse === 'function');
  assert.deepEqual(parse('x'), ['x']);
});

test('WSO-07 the proxy’s own certificate is asked about strictly, unless something is said', async () => {
  const anchor = join(directory, 'proxies.pem');
  await writeFile(anchor, createAuthority('Proxies').certificatePem);
  const file = join(directory, 'identity.json');
  const read = async (identity: object) => {
    const settings = { ...plain, format: 'rfc9440', identity: { anchors: [anchor], ...identity } };
    await writeFile(file, JSON.stringify(settings));
    return (await forwardedSource(await loadConfiguration(Forwarded, file)))?.identity?.revocation;
  };
  assert.deepEqual(await read({}), {});
  assert.deepEqual(await read({ revocation: { order: 'crl-only' } }), { order: 'crl-only' });
  assert.equal(await read({ revocation: 'off' }), 'off');
  await assert.rejects(read({ revocation: 'none' }), /revocation/);
});

test('a header that means two things is refused', async () => {
  for (const name of ['X-Cert', 'x_cert', 'X-Secret']) {
    const revocationVouched = { header: name, value: 'SUCCESS' };
    const settings = { ...plain, format: 'rfc9440' as const, revocationVouched };
    await assert.rejects(forwardedSource(settings), /two settings name the same header/);
  }
});
