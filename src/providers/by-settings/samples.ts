import { isJsonObject } from '../../lib/json.ts';
import type { Headers, JsonObject, JsonValue, Sample, SampleContext, SignContext } from '../../types.ts';
import type { Locator, ValueSource } from '../scheme/locator.ts';
import type { Scheme } from '../scheme/scheme.ts';
import type { EventSources } from './read.ts';

/** Event types of the samples: one in which somebody writes, one that says nothing. */
const TYPES = ['comment.created', 'item.updated'] as const;

/** Samples with their values where the settings say; `fixed`: fields that each has. */
export function samplesFor(sources: EventSources, scheme: Scheme, fixed: JsonObject): readonly Sample[] {
  const types = sources.eventType === undefined ? ['event'] : typesOf(sources.eventType);
  return types.map((type, index) => ({
    type,
    build: (context) => ({
      ...fixed,
      ...payloadOf(sources, scheme, type, index === 0 ? context : { ...context, text: null }),
    }),
  }));
}

/** Headers that carry what the settings look for there. */
export function sampleHeaders(sources: EventSources, { type, deliveryId }: SignContext): Headers {
  const { eventType } = sources;
  const wanted = Object.values(sources).filter(isSource);
  const inHeaders = wanted.flatMap(({ places }) =>
    places.flatMap((place) => (place.in === 'header' ? [place.name] : [])),
  );
  const filled = Object.fromEntries(inHeaders.map((name) => [name, deliveryId]));
  return { ...filled, ...headersOf(eventType, eventType === undefined ? null : split(eventType, type)) };
}

function typesOf(source: ValueSource): readonly string[] {
  const fitting = TYPES.filter((type) => split(source, type) !== null);
  return fitting.length > 0 ? fitting : [source.literals.join('example')];
}

function payloadOf(sources: EventSources, scheme: Scheme, type: string, context: SampleContext): JsonObject {
  const { now, nextNumber, text } = context;
  const number = nextNumber();
  const wishes: readonly (readonly [ValueSource | undefined, string | null])[] = [
    [sources.uniqueBy, null],
    [sources.externalId, null],
    [sources.eventType, type],
    [sources.sender, '1'],
    [sources.author, '1'],
    [sources.senderName, 'ada'],
    [sources.url, null],
    [sources.title, 'An example'],
    [sources.text, text ?? ''],
  ];
  const base = { id: String(number), created_at: now.toISOString() };
  const filled = wishes.reduce<JsonObject>(
    (payload, [source, value]) => fill(payload, source, value, number),
    base,
  );
  const timed =
    scheme.timestamp?.in === 'payload' ? put(filled, scheme.timestamp.path, timeOf(scheme, now)) : filled;
  return scheme.deliveryId?.in === 'payload' ? put(timed, scheme.deliveryId.path, `evt-${number}`) : timed;
}

/** Any value, fresh each time, where `value` is null. */
function fill(
  payload: JsonObject,
  source: ValueSource | undefined,
  value: string | null,
  number: number,
): JsonObject {
  if (source === undefined) return payload;
  const isUrl = (index: number) => source.literals[index] === '' && source.literals.length === 2;
  const values = value === null ? null : split(source, value);
  return source.places.reduce((filled, place, index) => {
    if (place.in !== 'payload') return filled;
    const fresh = isUrl(index) ? `https://example.com/${number}` : String(number);
    return put(filled, place.path, values?.[index] ?? fresh);
  }, payload);
}

function headersOf(source: ValueSource | undefined, values: readonly string[] | null): Headers {
  const entries = (source?.places ?? []).flatMap((place: Locator, index) =>
    place.in === 'header' ? [[place.name, values?.[index] ?? 'example'] as const] : [],
  );
  return Object.fromEntries(entries);
}

/** The values that a source would have to find to come to this text; null when it cannot. */
function split({ literals, places }: ValueSource, text: string): readonly string[] | null {
  const [first = '', ...rest] = literals;
  if (!text.startsWith(first)) return null;
  const values: string[] = [];
  let at = first.length;
  for (const [index, literal] of rest.entries()) {
    const isLast = index === places.length - 1;
    const end = isLast ? text.length - literal.length : literal === '' ? at + 1 : text.indexOf(literal, at);
    if (end < at || !text.startsWith(literal, end)) return null;
    values.push(text.slice(at, end));
    at = end + literal.length;
  }
  return values;
}

function timeOf({ unit }: Scheme, now: Date): JsonValue {
  if (unit === 'iso') return now.toISOString();
  return unit === 'ms' ? now.getTime() : Math.floor(now.getTime() / 1000);
}

function put(target: JsonObject, [key, ...rest]: readonly string[], value: JsonValue): JsonObject {
  if (key === undefined) return target;
  if (rest.length === 0) return { ...target, [key]: value };
  const inner = target[key];
  return { ...target, [key]: put(isJsonObject(inner) ? inner : {}, rest, value) };
}

function isSource(value: ValueSource | readonly string[] | undefined): value is ValueSource {
  return value !== undefined && 'places' in value;
}
