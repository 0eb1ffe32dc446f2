import { isJsonObject } from '../lib/json.ts';
import { escapeInvisible, escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { JsonValue } from '../types.ts';

/** How a text from outside is printed; `path` leads to it (`['issue', 'title']`, `['@argument']`). */
export type Print = (text: string, path: readonly string[]) => string;

interface Origin {
  readonly value: JsonValue;
  readonly path: readonly string[];
  readonly print: Print;
}

/** A symbol cannot be named by a template or a payload. */
const ORIGIN = Symbol('origin');

interface View {
  readonly [ORIGIN]: Origin;
}

/** Prints a view whenever it is turned into text, however a template came by it. */
const PRINTING = Object.assign(Object.create(null) as object, {
  [Symbol.toPrimitive](this: View): string {
    const { value, path, print } = this[ORIGIN];
    return print(typeof value === 'string' ? value : JSON.stringify(value), path);
  },
});

/** Items of a list that get a view: `each` takes no more, and a copy of a million takes a second. */
export const MOST_ITEMS = 10_000;

/**
 * A copy of a JSON value for a template to walk: each text is an object that prints itself, so that it stays marked
 * through blocks and helpers. Empty texts stay as they are, so that `{{#if}}` works. Objects have no prototype that
 * a template could reach. Values are at most 64 levels deep (`parseJson`).
 */
export function viewOf(value: JsonValue | undefined, path: readonly string[], print: Print): unknown {
  if (typeof value === 'string') return value === '' ? '' : textView(value, path, print);
  if (Array.isArray(value)) {
    const items = value
      .slice(0, MOST_ITEMS)
      .map((item, index) => viewOf(item, [...path, String(index)], print));
    items.length = value.length;
    return attach(items, { value, path, print });
  }
  if (!isJsonObject(value)) return value;
  const view: Record<string, unknown> = Object.create(PRINTING);
  for (const [key, item] of Object.entries(value)) {
    makeLater(view, key, () => viewOf(item, [...path, key], print));
  }
  return attach(view, { value, path, print });
}

/** A template names a few fields of a payload that has hundreds: the others need not be made. */
function makeLater(view: object, key: string, make: () => unknown): void {
  const get = () => {
    const value = make();
    Object.defineProperty(view, key, { enumerable: true, value });
    return value;
  };
  Object.defineProperty(view, key, { enumerable: true, configurable: true, get });
}

/** The JSON value behind whatever a helper was given: a view, or a literal of the template. */
export function rawOf(given: unknown): JsonValue | undefined {
  return isView(given) ? given[ORIGIN].value : (given as JsonValue | undefined);
}

/** A text made from `given` that keeps its mark; plain when `given` is the template's own or holds no text. */
export function derive(given: unknown, text: string): unknown {
  if (!isView(given) || text === '') return text;
  const { path, print } = given[ORIGIN];
  return textView(text, path, print);
}

/** The name of a field, which the sender chose as well, marked like a value. */
export function keyView(owner: unknown, key: string): unknown {
  return isView(owner) ? textView(key, [...owner[ORIGIN].path, '@key'], owner[ORIGIN].print) : key;
}

function textView(text: string, path: readonly string[], print: Print): unknown {
  return attach(Object.create(PRINTING) as object, { value: text, path, print });
}

function attach(target: object, origin: Origin): object {
  return Object.defineProperty(target, ORIGIN, { value: origin });
}

function isView(value: unknown): value is View {
  return typeof value === 'object' && value !== null && ORIGIN in value;
}

/** Where an untrusted text comes from: payload path (`issue.title`) or `@argument`, and who wrote it. */
interface FenceLabel {
  readonly source: string;
  /** Null when the payload does not say; shown as `unknown`. */
  readonly author: string | null;
}

const MAX_LABEL = 120;

/** Anything that looks like one of our marks, with any nonce. */
const MARK = /<(?=\s*\/?\s*untrusted)/gi;

/**
 * Puts text from outside between marks that it cannot write itself, since it does not know the nonce (128 random
 * bits, made anew for each render): `<untrusted-3f… source="issue.title" author="octocat">…</untrusted-3f…>`.
 * Hidden characters are shown, and a guess at a mark loses its `<`. The fence tells an agent what is data; it is no
 * guarantee that the agent obeys.
 */
export function fence(text: string, label: FenceLabel, nonce: string): string {
  const source = sanitiseLabel(label.source);
  const author = sanitiseLabel(label.author ?? 'unknown');
  const inside = escapeInvisible(text).replace(MARK, '‹');
  return `<untrusted-${nonce} source="${source}" author="${author}">${inside}</untrusted-${nonce}>`;
}

/** Names and paths come from outside as well: on one line, without what ends an attribute or a mark. */
function sanitiseLabel(label: string): string {
  return shorten(escapeInvisibleLine(label).replace(/["'<>`]/g, ''), MAX_LABEL);
}
