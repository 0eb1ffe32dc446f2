import { type Figure, measured, reached } from './bench.ts';

const WIDTH = 960;
const ROW = 34;
const LEFT = 470;
const BAR = 400;
/** Twice what is asked for fills the width. */
const FULL = 2;

/** Bars: each figure as a share of what it must be, the line at 1; longer is better. */
export function plot(figures: readonly Figure[]): string {
  const shown = figures.filter(({ value }) => value !== null);
  const height = shown.length * ROW + 50;
  const line = LEFT + BAR / FULL;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    ...shown.map((figure, index) => bar(figure, 20 + index * ROW)),
    `<line x1="${line}" y1="10" x2="${line}" y2="${height - 30}" stroke="#333333" stroke-dasharray="4 3"/>`,
    `<text x="${line}" y="${height - 12}" text-anchor="middle" fill="#333333">what it must be; longer is better</text>`,
    '</svg>\n',
  ].join('\n');
}

function bar(figure: Figure, y: number): string {
  const { what, against } = figure;
  const width = Math.max(2, Math.min(FULL, share(figure)) * (BAR / FULL));
  const color = reached(figure) === true ? '#2f855a' : '#c05621';
  return [
    `<text x="${LEFT - 10}" y="${y + 8}" text-anchor="end">${escaped(shortened(what, 72))}</text>`,
    `<text x="${LEFT - 10}" y="${y + 21}" text-anchor="end" fill="#777777" font-size="10">${escaped(shortened(against, 80))}</text>`,
    `<rect x="${LEFT}" y="${y}" width="${width.toFixed(0)}" height="18" fill="${color}"/>`,
    `<text x="${LEFT + width + 6}" y="${y + 13}">${escaped(measured(figure))}</text>`,
  ].join('\n');
}

function share({ value, must }: Figure): number {
  if (value === null) return 0;
  return 'atLeast' in must ? value / must.atLeast : must.atMost / Math.max(value, must.atMost / FULL);
}

function shortened(text: string, length: number): string {
  const plain = text.replaceAll('`', '');
  return plain.length <= length ? plain : `${plain.slice(0, length - 1)}…`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
