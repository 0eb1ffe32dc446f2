import type { CallSite } from '../../lib/call-site.ts';
import type { Source } from '../../lib/diagnostics.ts';
import type { Issue, Path } from '../../types.ts';

/**
 * Finds lines in a TypeScript module. Values of a running program do not know where they were written, so this looks
 * for the text: from the call of `defineWebhook`, to the command's own name or trigger, to the field.
 */
export function moduleSource(text: string, call: CallSite, definition: unknown): Source {
  const lines = text.split('\n');
  return {
    file: call.file,
    position: (issue) => ({ line: lineOf(lines, call.line, definition, issue) }),
  };
}

function lineOf(lines: readonly string[], from: number, definition: unknown, issue: Issue): number {
  const [section, index, ...rest] = issue.path;
  const isCommand = section === 'commands' && typeof index === 'number';
  const anchor = isCommand ? lineOfCommand(lines, from, definition, index) : from;
  const key = (isCommand ? rest : issue.path).findLast((part) => typeof part === 'string');
  const [exact] = issue.text === undefined ? [] : find(lines, anchor, quoted(issue.text));
  const [field] = key === undefined ? [] : find(lines, anchor, keyPattern(key));
  return exact ?? field ?? anchor;
}

/** The line of a command's name or trigger: of several alike, the one in the same order as in the definition. */
function lineOfCommand(lines: readonly string[], from: number, definition: unknown, index: number): number {
  const labelOf = (position: number) =>
    at(definition, ['commands', position, 'name']) ?? at(definition, ['commands', position, 'trigger']);
  const label = labelOf(index);
  const [start = from] = find(lines, from, keyPattern('commands'));
  if (typeof label !== 'string') return start;
  const alike = Array.from({ length: index }, (_, position) => labelOf(position)).filter(
    (it) => it === label,
  );
  const matches = find(lines, start, new RegExp(`\\b(name|trigger)\\b.*${quoted(label).source}`));
  return matches[alike.length] ?? matches.at(-1) ?? start;
}

/** The lines (1-based), from a line on, that fit. */
function find(lines: readonly string[], from: number, pattern: RegExp): readonly number[] {
  return lines.flatMap((line, index) => (index >= from - 1 && pattern.test(line) ? index + 1 : []));
}

function quoted(text: string): RegExp {
  return new RegExp(`["'\`]${escapeRegExp(text)}["'\`]`);
}

function keyPattern(key: string): RegExp {
  return new RegExp(`(^|[\\s{,"'])${escapeRegExp(key)}["']?\\s*[:,}(]`);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[part] : undefined,
    value,
  );
}
