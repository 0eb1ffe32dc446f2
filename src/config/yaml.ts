import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  visit,
} from 'yaml';
import { type Diagnostic, messageOf } from '../errors.ts';
import type { Position, Source } from '../lib/diagnostics.ts';
import type { Issue } from '../types.ts';

/** Aliases may expand to this many nodes at most; beyond it a few lines could expand to gigabytes. */
const MAX_ALIASES = 50;

/** The value of a YAML text, and the positions of its parts. */
export interface YamlText {
  readonly value: unknown;
  readonly source: Source;
  /** Errors of syntax, doubled keys included. */
  readonly problems: readonly Diagnostic[];
}

export async function readYaml(file: string, text: string): Promise<YamlText> {
  const { document, lines, source } = parse(file, text);
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    file,
    ...toPosition(lines, error.pos[0]),
    ...(error.code === 'DUPLICATE_KEY'
      ? doubledKey(document, lines, error.pos[0])
      : { message: error.message }),
  }));
  visit(document, {
    Pair(_, { key }) {
      if (!isScalar(key) || key.value !== '__proto__') return;
      const message = '__proto__ is refused: every JavaScript object has a field of that name';
      problems.push({ file, ...toPosition(lines, key.range?.[0] ?? 0), message });
    },
  });
  if (problems.length > 0) return { value: null, source, problems };
  await keepDigits(document);
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }), source, problems };
  } catch (error) {
    return { value: null, source, problems: [{ file, message: messageOf(error) }] };
  }
}

/** A longer JSON text, in UTF-16 units, is not parsed for positions: that takes seconds. */
const MAX_PLACED = 4_000_000;

/** Places issues in a JSON text. It is parsed for that when the first one is found. */
export function jsonSource(file: string, text: string): Source {
  let parsed: Source | null = null;
  return {
    file,
    position(issue) {
      if (text.length > MAX_PLACED) return {};
      parsed ??= parse(file, text).source;
      return parsed.position(issue);
    },
  };
}

function parse(file: string, text: string) {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    uniqueKeys: true,
  });
  const source: Source = { file, position: (issue) => positionIn(document, lines, issue) };
  return { document, lines, source };
}

/** In conditions a number that is not written as it is printed is a text, as for `--when`: `1.10`, `007`, `1e3`. */
async function keepDigits(document: Document): Promise<void> {
  const found: { readonly node: Scalar; readonly field: string }[] = [];
  visit(document, {
    Scalar(key, node, path) {
      const names = path.map((part) => (isPair(part) && isScalar(part.key) ? String(part.key.value) : ''));
      const isExact = typeof node.value !== 'number' || String(node.value) === node.source;
      if (key === 'key' || isExact || !names.includes('conditions')) return;
      found.push({ node, field: names.at(-1) ?? '' });
    },
  });
  if (found.length === 0) return;
  const { NUMERIC } = await import('../conditions/operators.ts');
  for (const { node, field } of found) if (!NUMERIC.includes(field)) node.value = node.source;
}

/** The name of a key that a map has twice, and where it was first. */
function doubledKey(
  document: Document,
  lines: LineCounter,
  offset: number,
): Pick<Diagnostic, 'message' | 'fix'> {
  let found: readonly [name: string, first: number] = ['', offset];
  visit(document, {
    Map(_, { items }) {
      const keys = items.flatMap(({ key }) => (isScalar(key) ? key : []));
      const doubled = keys.find((key) => offsetOf(key) === offset);
      const first = keys.find(({ value }) => value === doubled?.value);
      if (doubled === undefined || first === undefined) return undefined;
      found = [String(doubled.value), offsetOf(first) ?? offset];
      return visit.BREAK;
    },
  });
  const [name, first] = found;
  const { line } = toPosition(lines, first);
  return { message: `the key ${name} is already set on line ${line}`, fix: 'Keep one of them.' };
}

/** The position of the deepest part of the path that is there. */
function positionIn(document: Document, lines: LineCounter, issue: Issue): Position {
  let node: unknown = document.contents;
  let found = offsetOf(node);
  for (const [index, part] of issue.path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      const isLast = index === issue.path.length - 1;
      found = (isLast && issue.atKey !== true ? offsetOf(pair?.value) : null) ?? offsetOf(pair?.key) ?? found;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      found = offsetOf(node) ?? found;
    } else break;
  }
  return found === null ? {} : toPosition(lines, found);
}

function offsetOf(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null;
}

function toPosition(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}
