import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { sha256 } from '../platform/random.ts';
import { type BrandColours, brandColours } from './brand.ts';
import type { Logo, PageBank } from './page-bank.ts';

/** A file the pages need: its name carries its content's hash, so it may be cached for ever. */
export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly compressed: Uint8Array | undefined;
}

/** The files of one bank's pages, by name, and the names the pages use. */
export interface Assets {
  readonly files: ReadonlyMap<string, Asset>;
  readonly stylesheet: string;
  readonly logo: string;
}

/** Enough of the hash that two versions never meet. */
const HASH_CHARACTERS = 16;
const DATA_IMAGE = /url\("data:image\/svg\+xml,([^"]+)"\)/g;

const readCommon = (() => {
  let text: string | undefined;
  return () => {
    const pico = createRequire(import.meta.url).resolve('@picocss/pico/css/pico.classless.min.css');
    text ??= `${readFileSync(pico, 'utf8')}\n${readFileSync(new URL('./styles.css', import.meta.url), 'utf8')}`;
    return text;
  };
})();

/**
 * Stylesheet and logo of a bank, from our own origin. Pictures inside the stylesheet become files, so that the content
 * policy needs no `data:`. @throws Error when the brand colour is not a colour.
 */
export function createAssets(bank: PageBank): Assets {
  const files = new Map<string, Asset>();
  const add = (kind: string, extension: string, type: string, bytes: Uint8Array): string => {
    const name = `${kind}-${sha256(bytes).slice(0, HASH_CHARACTERS)}.${extension}`;
    files.set(name, { type, bytes, compressed: type === 'image/png' ? undefined : gzipSync(bytes) });
    return name;
  };
  const colours = brandColours(bank.colour);
  const common = readCommon().replaceAll(DATA_IMAGE, (_, picture: string) => {
    return `url(${add('icon', 'svg', 'image/svg+xml', Buffer.from(decodeURIComponent(picture)))})`;
  });
  const tick = (colour: string) => `url(${add('tick', 'svg', 'image/svg+xml', Buffer.from(tickIn(colour)))})`;
  const ticks = { light: tick(colours.onLight), dark: tick(colours.onDark) };
  const logo = bank.logo ?? initialOf(bank.name, colours);
  return {
    files,
    stylesheet: add('style', 'css', 'text/css; charset=utf-8', Buffer.from(`${common}\n${brandStyle(colours, ticks)}`)),
    logo: add('logo', logo.type === 'image/png' ? 'png' : 'svg', logo.type, logo.bytes),
  };
}

/** The selectors are those of the common stylesheet, so that the later rule wins. */
function brandStyle(colours: BrandColours, ticks: { readonly light: string; readonly dark: string }): string {
  return `:root:not([data-theme=dark]),:root:not([data-theme]){--brand:${colours.brand};--on-brand:${colours.onBrand};
${themeStyle(colours.light, colours.onLight)}--pico-icon-checkbox:${ticks.light};--pico-background-color:#f4f6f8;
--problem:#b3261e;--problem-background:#fdecea;--problem-text:#6d1610;
--pico-muted-color:#56606f;--pico-form-element-border-color:#7a8494;--pico-card-background-color:#fff}
@media only screen and (prefers-color-scheme:dark){:root:not([data-theme]){
${themeStyle(colours.dark, colours.onDark)}--pico-icon-checkbox:${ticks.dark};--pico-background-color:#13171f;
--problem:#f2867e;--problem-background:#3a1a18;--problem-text:#ffdad6;
--pico-muted-color:#a9b4c2;--pico-form-element-border-color:#77839a;--pico-card-background-color:#181c25}}
`;
}

function themeStyle(colour: string, text: string): string {
  const names = ['primary', 'primary-background', 'primary-border', 'primary-hover', 'primary-hover-background'];
  const values = [...names, 'primary-hover-border'].map((name) => `--pico-${name}:${colour};`).join('');
  return `${values}--pico-primary-inverse:${text};--pico-primary-focus:${colour}66;--pico-primary-underline:${colour}80;`;
}

/** The mark in a ticked box, legible on the box's colour. */
function tickIn(colour: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="${colour}" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"><polyline points="20 6 9 17 4 12"/></svg>`;
}

/** The bank's initial on a ground that stands out from its bar. */
function initialOf(name: string, { brand, onBrand }: BrandColours): Logo {
  const [letter = ''] = [...name.toUpperCase()].filter((character) => /\p{L}|\p{N}/u.test(character));
  const text = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="${onBrand}"/><text x="18" y="26" font-family="system-ui,sans-serif" font-size="23" font-weight="700" text-anchor="middle" fill="${brand}">${letter}</text></svg>`;
  return { type: 'image/svg+xml', bytes: Buffer.from(text) };
}
