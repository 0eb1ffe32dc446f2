import { type OutputStream, paint, type Style } from '../../lib/io.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import { loadWidths, widthOf, wrap } from '../../lib/text/wrap.ts';

/**
 * How a column fits a narrow terminal: `text` is cut, `time` loses year and seconds, `below` moves
 * to its own lines below the row; `whole` and `status` stay. A `status` is coloured.
 */
export interface Column {
  readonly title: string;
  readonly kind: 'text' | 'whole' | 'time' | 'status' | 'below';
}

const GAP = '  ';
const INDENT = '  ';
/** A column that would be narrower than this moves below the row. */
const SHORTEST = 8;
const TIME = /^\d{4}-(\d\d-\d\d \d\d:\d\d):\d\d$/;

const STATUS_STYLES: Readonly<Record<string, Style>> = {
  ...{ completed: 'green', processed: 'green', sent: 'green', enabled: 'green', fires: 'green' },
  ...{ failed: 'red', rejected: 'red', unparsed: 'red' },
  ...{ pending: 'yellow', waiting: 'yellow', waiting_approval: 'yellow', waiting_answer: 'yellow' },
  ...{ running: 'cyan', cancelled: 'dim', ignored: 'dim', duplicate: 'dim', dropped: 'dim', disabled: 'dim' },
};

export const whole = (title: string): Column => ({ title, kind: 'whole' });
export const time = (title: string): Column => ({ title, kind: 'time' });
export const state = (title: string): Column => ({ title, kind: 'status' });
export const below = (title: string): Column => ({ title, kind: 'below' });

/** The cells as they are shown, and the columns that moved below their row. */
interface Layout {
  readonly rows: readonly (readonly string[])[];
  readonly widths: readonly number[];
  readonly moved: ReadonlySet<number>;
}

/**
 * Aligns columns; on a terminal no line is wider than it. Escapes invisible characters in cells. A
 * bare string is the title of a `text` column.
 */
export async function table(
  out: OutputStream,
  columns: readonly (string | Column)[],
  rows: readonly (readonly string[])[],
): Promise<string> {
  const known = columns.map((column) =>
    typeof column === 'string' ? ({ title: column, kind: 'text' } as const) : column,
  );
  const header = known.map(({ title }) => title.toUpperCase());
  const cells = [header, ...rows.map((row) => row.map(escapeInvisibleLine))];
  await loadWidths(cells.flat());
  const layout = layOut(known, cells, out.columns ?? Number.POSITIVE_INFINITY);
  return layout.rows.flatMap((row, index) => linesOf(out, known, row, layout, index === 0)).join('\n');
}

function layOut(columns: readonly Column[], cells: Layout['rows'], room: number): Layout {
  const short = cells.map((row) =>
    row.map((cell, at) => (columns[at]?.kind === 'time' ? cell.replace(TIME, '$1') : cell)),
  );
  const moved = new Set<number>();
  for (const rows of [cells, short]) {
    const widths = widthsOf(columns, rows);
    if (total(widths, moved) <= room) return { rows, widths, moved };
  }
  const natural = widthsOf(columns, short);
  for (const [at, { kind }] of columns.entries()) if (kind === 'below') moved.add(at);
  for (;;) {
    const texts = columns.flatMap(({ kind }, at) => (kind === 'text' && !moved.has(at) ? [at] : []));
    const others = natural.map((width, at) => (texts.includes(at) ? 0 : width));
    const limit = limitFor(
      texts.map((at) => natural[at] ?? 0),
      room - total(others, moved),
    );
    const last = texts.at(-1);
    if (limit >= SHORTEST || last === undefined) {
      const widths = natural.map((width, at) => (texts.includes(at) ? Math.min(width, limit) : width));
      const rows = short.map((row) => row.map((cell, at) => (texts.includes(at) ? cut(cell, limit) : cell)));
      return { rows, widths, moved };
    }
    moved.add(last);
  }
}

function widthsOf(columns: readonly Column[], rows: Layout['rows']): readonly number[] {
  return columns.map((_, at) => Math.max(...rows.map((row) => widthOf(row[at] ?? ''))));
}

function total(widths: readonly number[], moved: ReadonlySet<number>): number {
  const inRow = widths.filter((_, at) => !moved.has(at));
  return inRow.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, inRow.length - 1);
}

/** The largest width for each column with which all fit into `room`. */
function limitFor(widths: readonly number[], room: number): number {
  const sorted = widths.toSorted((a, b) => a - b);
  let left = room;
  for (const [index, width] of sorted.entries()) {
    const share = Math.floor(left / (sorted.length - index));
    if (width > share) return share;
    left -= width;
  }
  return Number.POSITIVE_INFINITY;
}

function linesOf(
  out: OutputStream,
  columns: readonly Column[],
  row: readonly string[],
  { widths, moved }: Layout,
  isHeader: boolean,
): readonly string[] {
  const inRow = columns.flatMap((column, at) => (moved.has(at) ? [] : [{ ...column, at }]));
  const line = inRow
    .map(({ kind, at }, index) => {
      const cell = row[at] ?? '';
      const padding = index === inRow.length - 1 ? 0 : (widths[at] ?? 0) - widthOf(cell);
      return styled(out, cell, isHeader ? 'header' : kind) + ' '.repeat(Math.max(0, padding));
    })
    .join(GAP)
    .trimEnd();
  const room = (out.columns ?? Number.POSITIVE_INFINITY) - INDENT.length;
  const more = [...moved]
    .toSorted((a, b) => a - b)
    .flatMap((at) => wrap(wordsFor(row[at] ?? '', room), room));
  return [line, ...more.map((text) => INDENT + paint(out, isHeader ? 'bold' : 'dim', text))];
}

function styled(out: OutputStream, cell: string, kind: Column['kind'] | 'header'): string {
  if (kind === 'header') return paint(out, 'bold', cell);
  const style = kind === 'status' ? STATUS_STYLES[cell.split(/[ ,]/)[0] ?? ''] : undefined;
  return style === undefined ? cell : paint(out, style, cell);
}

/** Cuts a text to a width, with `…` at the cut. */
function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return `${head(text, width - 1).trimEnd()}…`;
}

/** The longest prefix of a text that fits a width, of whole characters. */
function head(text: string, width: number): string {
  let taken = '';
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    taken += segment;
  }
  return taken;
}

/** The words of a text, those that are wider than a line in pieces. */
function wordsFor(text: string, width: number): readonly string[] {
  return text.split(' ').flatMap((word) => piecesOf(word, Math.max(1, width)));
}

function piecesOf(word: string, width: number): readonly string[] {
  const pieces: string[] = [];
  let rest = word;
  while (widthOf(rest) > width) {
    const first = head(rest, width) || rest.slice(0, 1);
    pieces.push(first);
    rest = rest.slice(first.length);
  }
  return [...pieces, rest];
}
