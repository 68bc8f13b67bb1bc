/** A colour as red, green and blue, 0–255. */
type Colour = readonly [number, number, number];

/** WCAG 2.2 §1.4.3 (AA): text against its background. */
const TEXT_CONTRAST = 4.5;
const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
/** The lightest and the darkest surface that our stylesheet puts text on; brand colours must be legible on both of their kind. */
const LIGHT_SURFACE: Colour = [238, 242, 246];
const DARK_SURFACE: Colour = [35, 42, 54];
const MIX_STEPS = 20;

/** The colours derived from a bank's brand colour, each as `#rrggbb`, each with AA contrast where text is concerned. */
export interface BrandColours {
  /** The brand colour itself, behind the bank's name. */
  readonly brand: string;
  readonly onBrand: string;
  /** For links, headings and buttons on light pages; `onLight` is the text on a button. */
  readonly light: string;
  readonly onLight: string;
  /** The same on dark pages. */
  readonly dark: string;
  readonly onDark: string;
}

/**
 * The colours of a bank's pages. Text is black or white, whichever is legible, which one of them is on every colour; where
 * the brand colour itself would be text, it is darkened or lightened just as far as AA needs.
 * @throws Error when the colour is not `#rrggbb`.
 */
export function brandColours(colour: string): BrandColours {
  const brand = parseColour(colour);
  const light = legible(brand, LIGHT_SURFACE, BLACK);
  const dark = legible(brand, DARK_SURFACE, WHITE);
  return {
    brand: format(brand),
    onBrand: format(textOn(brand)),
    light: format(light),
    onLight: format(textOn(light)),
    dark: format(dark),
    onDark: format(textOn(dark)),
  };
}

/** Contrast of two colours as WCAG 2.2 defines it, 1 to 21. */
export function contrast(one: string, other: string): number {
  return ratio(parseColour(one), parseColour(other));
}

function parseColour(text: string): Colour {
  const match = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (match === null) throw new Error(`brand colour ${text}: write it as #rrggbb, opaque`);
  const [red, green, blue] = match.slice(1).map((part) => Number.parseInt(part, 16));
  return [red ?? 0, green ?? 0, blue ?? 0];
}

function textOn(background: Colour): Colour {
  const text = ratio(background, WHITE) >= TEXT_CONTRAST ? WHITE : BLACK;
  if (ratio(background, text) < TEXT_CONTRAST) throw new Error(`no legible text on ${format(background)}`);
  return text;
}

/** The colour nearest to `colour` towards `end` that is legible on the surface. */
function legible(colour: Colour, surface: Colour, end: Colour): Colour {
  for (let step = 0; step <= MIX_STEPS; step += 1) {
    const candidate = mix(colour, end, step / MIX_STEPS);
    if (ratio(candidate, surface) >= TEXT_CONTRAST) return candidate;
  }
  throw new Error(`the brand colour ${format(colour)} cannot be made legible`);
}

function mix([r, g, b]: Colour, [toR, toG, toB]: Colour, share: number): Colour {
  const between = (from: number, to: number) => Math.round(from + (to - from) * share);
  return [between(r, toR), between(g, toG), between(b, toB)];
}

function ratio(one: Colour, other: Colour): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance([red, green, blue]: Colour): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

function format(colour: Colour): string {
  return `#${colour.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
