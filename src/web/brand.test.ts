import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brandColours, contrast } from './brand.ts';

const AA = 4.5;

test('brand: what is not an opaque #rrggbb colour is refused', () => {
  for (const wrong of ['', 'red', '#fff', '#12345g', '#11223344', 'url(x)', '#112233;color:red', ' #112233'])
    assert.throws(() => brandColours(wrong), /brand colour/, wrong);
});

test('brand: every colour of the cube gets legible text in light and dark (AA)', () => {
  const steps = ['00', '33', '66', '80', '99', 'cc', 'ff'];
  for (const r of steps) {
    for (const g of steps) {
      for (const b of steps) {
        const colours = brandColours(`#${r}${g}${b}`);
        assert.ok(contrast(colours.brand, colours.onBrand) >= AA);
        assert.ok(contrast(colours.light, '#ffffff') >= AA);
        assert.ok(contrast(colours.light, colours.onLight) >= AA);
        assert.ok(contrast(colours.dark, '#13171f') >= AA);
        assert.ok(contrast(colours.dark, '#181c25') >= AA);
        assert.ok(contrast(colours.dark, colours.onDark) >= AA);
      }
    }
  }
});

test('brand: a colour that is legible as it is stays as it is', () => {
  assert.equal(brandColours('#004488').light, '#004488');
});

test('brand: contrast is that of WCAG', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21);
  assert.equal(contrast('#777777', '#777777'), 1);
});
