import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAssets } from './assets.ts';

const bank = {
  id: 'gobank',
  name: 'Go Bank',
  issuer: 'https://localhost/gobank',
  consentDays: 90,
  words: {},
};
const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();

test('brand: a bank’s own logo is served as it is, SVG and PNG; without one its initial in its colour stands there', () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
  for (const [type, bytes, ending] of [
    ['image/svg+xml', svg, '.svg'],
    ['image/png', png, '.png'],
  ] as const) {
    const { files, logo } = createAssets({ ...bank, colour: '#0b6e4f', logo: { type, bytes } });
    assert.ok(logo.endsWith(ending));
    assert.deepEqual(files.get(logo)?.bytes, bytes);
    assert.equal(files.get(logo)?.type, type);
  }
  const { files, logo } = createAssets({ ...bank, colour: '#0b6e4f' });
  assert.match(text(files.get(logo)?.bytes), /<svg[\s\S]*>G</);
});

test('brand: the colour reaches the stylesheet, and another colour makes another file name', () => {
  const [green, yellow] = ['#0b6e4f', '#ffd100'].map((colour) => createAssets({ ...bank, colour }));
  assert.match(text(green?.files.get(green.stylesheet)?.bytes), /--brand:#0b6e4f/);
  assert.match(text(yellow?.files.get(yellow.stylesheet)?.bytes), /--brand:#ffd100/);
  assert.notEqual(green?.stylesheet, yellow?.stylesheet);
});
