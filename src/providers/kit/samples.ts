import { readFileSync } from 'node:fs';
import { isJsonObject } from '../../lib/json.ts';
import { FROM_SOURCE, PACKAGE_ROOT } from '../../package-root.ts';
import type { JsonObject, JsonValue, Sample, SampleContext } from '../../types.ts';

/** How a sender writes down what a person typed. Default: as it is. */
export type Spelling = (text: string | null, type: string) => string | null;

/**
 * The samples of a built-in provider, read from `samples.json` in its folder: payloads by event type, as the sender
 * writes them, cut to the fields that are read. In their texts these are replaced:
 *
 * - `{{text}}`: what the person writes;
 * - `{{now}}`: the time in ISO 8601, `{{now:s}}` and `{{now:ms}}` since 1970; `{{earlier}}`: five minutes before;
 * - `{{id}}`, `{{id2}}`, …: fresh numbers, each the same throughout one payload. `{{id:text}}` is its digits as text,
 *   `{{id:short}}` a number up to 900, `{{id:12}}` twelve digits.
 *
 * A text that is a placeholder alone becomes its value, with its type. `within`: a file of several providers has those of each under
 * its name.
 */
export function samplesOf(
  name: string,
  spelling: Spelling = (text) => text,
  within?: string,
): readonly Sample[] {
  const file = FROM_SOURCE ? `src/providers/${name}/samples.json` : `dist/samples/${name}.json`;
  const content = JSON.parse(readFileSync(new URL(file, PACKAGE_ROOT), 'utf8')) as JsonObject;
  const payloads = (within === undefined ? content : content[within]) as Readonly<Record<string, JsonObject>>;
  return Object.entries(payloads).map(([type, payload]) => ({
    type,
    build: (context) => {
      const replacement = placeholders({ ...context, text: spelling(context.text, type) });
      return filledObject(payload, replacement);
    },
  }));
}

type Replacement = (name: string, format: string | undefined) => JsonValue;

function placeholders({ text, now, nextNumber }: SampleContext): Replacement {
  const ids = new Map<string, number>();
  const idOf = (name: string): number => {
    const id = ids.get(name) ?? nextNumber();
    ids.set(name, id);
    return id;
  };
  return (name, format) => {
    if (name === 'text') return text;
    if (name === 'now') return timeOf(now, format);
    if (name === 'earlier') return new Date(now.getTime() - 300_000).toISOString();
    return formatted(idOf(name), format);
  };
}

function timeOf(now: Date, unit: string | undefined): string | number {
  if (unit === undefined) return now.toISOString();
  return unit === 's' ? Math.floor(now.getTime() / 1000) : now.getTime();
}

function formatted(id: number, format: string | undefined): string | number {
  if (format === undefined) return id;
  if (format === 'text') return String(id);
  if (format === 'short') return 1 + (id % 900);
  const length = Number(format);
  return String(id).padStart(length, '0').slice(-length);
}

const PLACEHOLDER = /\{\{(text|now|earlier|id\d*)(?::(\w+))?\}\}/g;

function filledObject(payload: JsonObject, replacement: Replacement): JsonObject {
  return Object.fromEntries(Object.entries(payload).map(([key, value]) => [key, filled(value, replacement)]));
}

function filled(value: JsonValue | undefined, replacement: Replacement): JsonValue | undefined {
  if (isJsonObject(value)) return filledObject(value, replacement);
  if (Array.isArray(value)) return value.map((item) => filled(item, replacement) ?? null);
  if (typeof value !== 'string' || !value.includes('{{')) return value;
  const [only, ...others] = value.matchAll(PLACEHOLDER);
  const [whole, name = '', format] = only ?? [];
  if (whole === value && others.length === 0) return replacement(name, format);
  return value.replaceAll(PLACEHOLDER, (_, each: string, form?: string) => String(replacement(each, form)));
}

/** A word that no sample has by itself. */
const SAMPLE_TEXT = 'whatapersonwrites';

/** By sample: building one takes longer than all the rest of a match. */
const known = new WeakMap<Sample, boolean>();

/** Whether people write something in events like this sample. */
export function sampleBringsText(sample: Sample): boolean {
  const before = known.get(sample);
  if (before !== undefined) return before;
  const built = sample.build({ text: SAMPLE_TEXT, now: new Date(0), nextNumber: () => 1 });
  const brings = JSON.stringify(built).includes(SAMPLE_TEXT);
  known.set(sample, brings);
  return brings;
}
