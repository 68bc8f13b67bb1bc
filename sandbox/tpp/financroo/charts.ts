import { scaleBand, scaleLinear } from 'd3-scale';
import { html, type Markup } from './markup.ts';
import { money } from './money.ts';
import type { Slice } from './spending.ts';

// Drawn on the server: d3-scale computes where things go, the template writes SVG. Colours are the stylesheet's, so that
// the chart follows light and dark, and needs no inline style, which the content policy would refuse.

const WIDTH = 400;
const HEIGHT = 240;
const MARGIN = { top: 12, right: 8, bottom: 28, left: 62 };

/** Spending by month, as columns. A column's title is what a mouse over it tells; the table beneath tells everybody. */
export function monthChart(slices: readonly Slice[], currency: string): Markup {
  // Where nothing was spent the axis still shows amounts that people know.
  const most = Math.max(...slices.map(({ amount }) => amount)) || 100_00;
  const y = scaleLinear([0, most], [HEIGHT - MARGIN.bottom, MARGIN.top]).nice(4);
  const names = slices.map(({ name }) => name);
  const x = scaleBand(names, [MARGIN.left, WIDTH - MARGIN.right]).padding(0.25);
  const lines = y.ticks(4).map((tick) => {
    const [at, label] = [y(tick), money(tick, currency).replace(/\.00$/, '')];
    return html`<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${at}" y2="${at}"></line>
<text class="axis" x="${MARGIN.left - 8}" y="${at}" dy="4" text-anchor="end">${label}</text>`;
  });
  const columns = slices.map(({ name, amount }) => {
    const [left, top] = [x(name) ?? 0, y(amount)];
    return html`<g><title>${monthName(name)}: ${money(amount, currency)}</title>
<rect class="bar" x="${left}" y="${top}" width="${x.bandwidth()}" height="${HEIGHT - MARGIN.bottom - top}" rx="3"></rect>
<text class="axis" x="${left + x.bandwidth() / 2}" y="${HEIGHT - 8}" text-anchor="middle">${monthName(name, 'short').slice(0, 3)}</text></g>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Spending by month in ${currency}, as columns; the table below has the numbers">
${lines}
${columns}
</svg>`;
}

const ROW = 28;
const LABEL = 120;
const AMOUNT = 90;

/** Spending by category, as bars. */
export function categoryChart(slices: readonly Slice[], currency: string): Markup {
  const most = Math.max(1, ...slices.map(({ amount }) => amount));
  const height = Math.max(1, slices.length) * ROW + 8;
  const x = scaleLinear([0, most], [0, WIDTH - LABEL - AMOUNT]);
  const y = scaleBand(
    slices.map(({ name }) => name),
    [4, height - 4],
  ).padding(0.3);
  const bars = slices.map(({ name, amount }) => {
    const [top, width] = [y(name) ?? 0, x(amount)];
    const middle = top + y.bandwidth() / 2;
    return html`<g><title>${name}: ${money(amount, currency)}</title>
<text class="axis" x="${LABEL - 10}" y="${middle}" dy="5" text-anchor="end">${name}</text>
<rect class="bar" x="${LABEL}" y="${top}" width="${width}" height="${y.bandwidth()}" rx="3"></rect>
<text class="axis" x="${LABEL + width + 8}" y="${middle}" dy="5">${money(amount, currency)}</text></g>`;
  });
  return html`<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Spending by category in ${currency}, as bars; the table below has the numbers">
${bars}
</svg>`;
}

/** `2026-05` as `May 2026`. */
export function monthName(month: string, length: 'long' | 'short' = 'long'): string {
  const at = new Date(`${month}-01T00:00:00Z`);
  const options =
    length === 'short' ? { month: 'short' as const } : { month: 'long' as const, year: 'numeric' as const };
  return new Intl.DateTimeFormat('en-GB', { ...options, timeZone: 'UTC' }).format(at);
}
