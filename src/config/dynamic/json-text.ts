import type { Position } from '../../lib/diagnostics.ts';
import { MAX_DEPTH } from '../../lib/json.ts';
import type { Issue } from '../../types.ts';

/** Where the parts of a JSON text stand; offsets count UTF-16 units. */
interface JsonNode {
  readonly offset: number;
  readonly members?: ReadonlyMap<string, JsonMember>;
  readonly items?: readonly JsonNode[];
}
interface JsonMember {
  readonly keyOffset: number;
  readonly node: JsonNode;
}

/** The first mistake of syntax. */
interface JsonMistake {
  readonly offset: number;
  readonly message: string;
}

type JsonLayout = { readonly ok: true; readonly root: JsonNode } | ({ readonly ok: false } & JsonMistake);

const SPACE = /[ \t\n\r]*/y;
const OTHER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

const FIRST_PRINTABLE = 0x20;

class Mistake extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Finds where each part of a JSON text stands, or its first mistake. `JSON.parse` tells neither, and takes the last
 * of two equal keys without a word; here the second one is a mistake.
 */
export function layoutOf(text: string): JsonLayout {
  let at = 0;
  try {
    const root = value(0);
    space();
    if (at < text.length) throw new Mistake(at, 'expected the end of the file');
    return { ok: true, root };
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    return { ok: false, offset: error.offset, message: error.message };
  }

  function value(depth: number): JsonNode {
    space();
    if (depth > MAX_DEPTH) throw new Mistake(at, `nested deeper than ${MAX_DEPTH} levels`);
    const offset = at;
    if (text[at] === '{') return { offset, members: members(depth + 1) };
    if (text[at] === '[') return { offset, items: items(depth + 1) };
    if (string() === null && take(OTHER) === null) throw unexpected('a value');
    return { offset };
  }

  function members(depth: number): ReadonlyMap<string, JsonMember> {
    const found = new Map<string, JsonMember>();
    each('}', () => {
      const keyOffset = at;
      const key = string();
      if (key === null) throw unexpected('a name in double quotes');
      const name = JSON.parse(key) as string;
      if (found.has(name)) throw new Mistake(keyOffset, `${key} stands here twice`);
      space();
      if (text[at] !== ':') throw unexpected('a colon');
      at++;
      found.set(name, { keyOffset, node: value(depth) });
    });
    return found;
  }

  function items(depth: number): readonly JsonNode[] {
    const found: JsonNode[] = [];
    each(']', () => found.push(value(depth)));
    return found;
  }

  /** What stands between brackets, separated by commas. */
  function each(closing: string, read: () => void): void {
    at++;
    space();
    if (text[at] === closing) {
      at++;
      return;
    }
    for (;;) {
      space();
      read();
      space();
      const next = text[at];
      if (next !== ',' && next !== closing) throw unexpected(`a comma or ${closing}`);
      at++;
      if (next === closing) return;
    }
  }

  /** A string with its quotes; null when there is none. */
  function string(): string | null {
    const start = at;
    if (text[at] !== '"') return null;
    for (at++; text[at] !== '"'; at++) {
      if (at >= text.length) throw unexpected('the end of a text');
      if (text.charCodeAt(at) < FIRST_PRINTABLE)
        throw new Mistake(at, 'a text goes over the end of its line');
      if (text[at] === '\\') at++;
    }
    at++;
    const found = text.slice(start, at);
    if (found.includes('\\') && !isString(found)) throw new Mistake(start, 'a text has an unknown escape');
    return found;
  }

  function space(): void {
    take(SPACE);
  }

  function take(pattern: RegExp): string | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    at += found?.length ?? 0;
    return found;
  }

  function unexpected(wanted: string): Mistake {
    return new Mistake(at, `${at < text.length ? '' : 'the file ends here, '}expected ${wanted}`);
  }
}

function isString(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The place of an issue, or of the deepest part of its path that is there. */
export function positionIn(text: string, root: JsonNode, { path, atKey }: Issue): Position {
  let node = root;
  let offset = root.offset;
  for (const [index, part] of path.entries()) {
    const member = node.members?.get(String(part));
    const next = member?.node ?? node.items?.[Number(part)];
    if (next === undefined) break;
    const isLast = index === path.length - 1;
    offset = isLast && atKey === true && member !== undefined ? member.keyOffset : next.offset;
    node = next;
  }
  return lineAndColumn(text, offset);
}

/** 1-based. */
export function lineAndColumn(text: string, offset: number): Required<Position> {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
