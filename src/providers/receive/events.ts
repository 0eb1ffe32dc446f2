import { createHash } from 'node:crypto';
import {
  getPath,
  isJsonObject,
  type JsonResult,
  parseJson,
  parseJsonValue,
  withoutBom,
} from '../../lib/json.ts';
import type { Headers, JsonObject, JsonValue, Parsed } from '../../types.ts';
import type { ReceiveSettings } from './settings.ts';

/** More events in one request are refused: each is matched and recorded. */
const MOST_EVENTS = 1_000;

/** Name of the list in a payload that is one. */
const LIST = 'items';

/** An object, or a list as `{ items: [...] }`. */
export function parseObjectOrList(text: Uint8Array): JsonResult {
  const parsed = parseJsonValue(withoutBom(text));
  if (!parsed.ok) return parsed;
  const { value } = parsed;
  return { ok: true, value: isJsonObject(value) ? value : { [LIST]: value } };
}

type Payloads =
  | { readonly ok: true; readonly payloads: readonly JsonObject[] }
  | { readonly ok: false; readonly reason: string };

/** The payload of each event in a request. `isList`: it is a list at the top. */
export function eventPayloads(
  { events = 'each', eventsAt }: Pick<ReceiveSettings, 'events' | 'eventsAt'>,
  payload: JsonObject,
  isList: boolean,
): Payloads {
  if (isList && events === 'each') return elements(payload[LIST], 'the list');
  if (eventsAt === undefined) return { ok: true, payloads: [payload] };
  return elements(getPath(payload, eventsAt.split('.')), eventsAt);
}

function elements(list: JsonValue | undefined, name: string): Payloads {
  if (!Array.isArray(list)) return { ok: false, reason: `${name} is no list of events` };
  if (list.length > MOST_EVENTS) return { ok: false, reason: `${name} has more than ${MOST_EVENTS} events` };
  const payloads = list.map((each: JsonValue) => (isJsonObject(each) ? each : { value: each }));
  return { ok: true, payloads };
}

/**
 * The events of one request. What makes each unique makes them unique together: with a key for each, a request that brings old
 * and new events would be taken for a duplicate as a whole.
 */
export function joinParsed(all: readonly Parsed[]): Parsed {
  const [first] = all;
  if (all.length === 1 && first !== undefined) return first;
  const refused = all.find((each) => !each.ok);
  if (refused !== undefined) return refused;
  const read = all.filter((each) => each.ok);
  const keys = read.map(({ semanticKeys }) => semanticKeys.join('\n'));
  const isUnique = keys.length > 0 && keys.every((key) => key !== '');
  const digest = createHash('sha256').update(JSON.stringify(keys)).digest('base64url');
  return {
    ok: true,
    events: read.flatMap(({ events }) => events),
    semanticKeys: isUnique ? [`key:${digest}`] : [],
  };
}

/** Where a CloudEvent holds what an event says, by the names of the settings; each may be set to another place of the envelope. */
export const CLOUD_EVENT_PLACES = {
  eventType: 'type',
  externalId: '{source}#{subject}',
  title: 'subject',
  uniqueBy: '{source} {id}',
} as const;

/**
 * The envelopes of a CloudEvents 1.0 request (HTTP protocol binding 1.0.2): structured, binary (its attributes are headers) or a batch.
 * All have the form of the structured one, so that conditions name `type`, `source`, `data.…` however it came.
 */
export function cloudEvents(payload: JsonObject, isList: boolean, headers: Headers): Payloads {
  if (headers['ce-specversion'] !== undefined) return checked([binaryEvent(payload, isList, headers)]);
  const found = isList ? elements(payload[LIST], 'the batch') : { ok: true as const, payloads: [payload] };
  return found.ok ? checked(found.payloads.map(withData)) : found;
}

function checked(envelopes: readonly JsonObject[]): Payloads {
  const isWhole = (envelope: JsonObject) =>
    ['specversion', 'id', 'source', 'type'].every(
      (name) => typeof envelope[name] === 'string' && envelope[name] !== '',
    );
  return envelopes.every(isWhole)
    ? { ok: true, payloads: envelopes }
    : { ok: false, reason: 'no CloudEvent: specversion, id, source and type are not all there' };
}

function binaryEvent(data: JsonObject, isList: boolean, headers: Headers): JsonObject {
  const attributes = Object.entries(headers).flatMap(([name, value]) =>
    /^ce-[a-z0-9]+$/.test(name) ? [[name.slice('ce-'.length), decoded(value)] as const] : [],
  );
  return { ...Object.fromEntries(attributes), data: isList ? data[LIST] : data };
}

/** Data in base64 as JSON, where it is some. */
function withData(envelope: JsonObject): JsonObject {
  const { data_base64: encoded, ...rest } = envelope;
  if (typeof encoded !== 'string') return envelope;
  const parsed = parseJson(Buffer.from(encoded, 'base64'));
  return parsed.ok ? { ...rest, data: parsed.value } : envelope;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
