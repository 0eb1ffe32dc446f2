import { MAX_DEPTH } from './json.ts';

/** The value of a JSON text, or its first mistake: what is wrong, and at which UTF-16 unit. */
type JsonText =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly offset: number; readonly message: string };

/**
 * Reads JSON that a person may have written. `JSON.parse` takes the last of two equal keys without a word and any
 * depth; here either is a mistake.
 */
export function readJsonText(text: string): JsonText {
  try {
    const value: unknown = JSON.parse(text);
    return structureMistake(text) ?? { ok: true, value };
  } catch (error) {
    const { message } = error as SyntaxError;
    // Without V8's excerpt of the document, which may hold a secret.
    const said = message.replace(/( in JSON)? at position .*$|, (?:\.\.\.)?".*$/s, '');
    return { ok: false, offset: offsetOf(text, message), message: said };
  }
}

/** Where `JSON.parse` gave up. V8 names no position for a text that ends too early, nor for an unexpected token. */
function offsetOf(text: string, message: string): number {
  const told = /at position (\d+)/.exec(message)?.[1];
  if (told !== undefined) return Number(told);
  if (!message.startsWith('Unexpected token')) return text.length;
  // The token is at the end of the shortest beginning that fails for it, too.
  let [before, upTo] = [0, text.length];
  while (upTo - before > 1) {
    const middle = (before + upTo) >> 1;
    if (hasUnexpectedToken(text.slice(0, middle))) upTo = middle;
    else before = middle;
  }
  return before;
}

function hasUnexpectedToken(text: string): boolean {
  try {
    JSON.parse(text);
    return false;
  } catch (error) {
    return (error as SyntaxError).message.startsWith('Unexpected token');
  }
}

/** A text, with whether a colon follows, or a bracket. */
const TOKEN = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;

/** A key that an object has twice, or nesting that is too deep, in a text that is JSON. */
function structureMistake(text: string): JsonText | null {
  const open: Set<string>[] = [];
  for (const { 0: token, 1: colon, index: offset } of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (colon !== undefined) {
      const key = token.slice(0, -colon.length);
      const name = JSON.parse(key) as string;
      if (open.at(-1)?.has(name))
        return { ok: false, offset, message: `${key} is already set in this object` };
      open.at(-1)?.add(name);
    }
    if (open.length > MAX_DEPTH) {
      return { ok: false, offset, message: `nested deeper than ${MAX_DEPTH} levels` };
    }
  }
  return null;
}
