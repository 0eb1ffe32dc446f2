import type { CallSite } from './define.ts';
import type { Fault, Path, Source } from './problems.ts';

/**
 * Finds lines in a TypeScript module. Values of a running program do not know where they were written, so this looks
 * for the text: from the call of `defineWebhook`, to the command's own name or trigger, to the field.
 */
export function moduleSource(text: string, call: CallSite, definition: unknown): Source {
  const lines = text.split('\n');
  return {
    file: call.file,
    position: (fault) => ({ line: lineOf(lines, call.line, definition, fault) }),
  };
}

function lineOf(lines: readonly string[], from: number, definition: unknown, fault: Fault): number {
  const [section, index, ...rest] = fault.path;
  const command = section === 'commands' && index !== undefined ? at(definition, [section, index]) : null;
  const anchor =
    command === null
      ? from
      : (lineOfCommand(lines, from, command) ?? find(lines, from, keyPattern('commands')) ?? from);
  const exact = fault.text === undefined ? null : find(lines, anchor, quoted(fault.text));
  if (exact !== null) return exact;
  const key = (command === null ? fault.path : rest).findLast((part) => typeof part === 'string');
  return (key === undefined ? null : find(lines, anchor, keyPattern(key))) ?? anchor;
}

function lineOfCommand(lines: readonly string[], from: number, command: unknown): number | null {
  const name = at(command, ['name']) ?? at(command, ['trigger']);
  if (typeof name !== 'string') return null;
  return find(lines, from, new RegExp(`\\b(name|trigger)\\b.*${quoted(name).source}`));
}

/** First line (1-based), from a line on, that fits. */
function find(lines: readonly string[], from: number, pattern: RegExp): number | null {
  const index = lines.findIndex((line, position) => position >= from - 1 && pattern.test(line));
  return index === -1 ? null : index + 1;
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
