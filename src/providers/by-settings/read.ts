import type { EventAuthor, Headers, JsonObject, Parsed, Sender } from '../../types.ts';
import { authoredBy, event } from '../kit/event.ts';
import { parseSource, textOf, type ValueSource } from '../scheme/locator.ts';
import type { ValidSettings } from '../scheme/settings.ts';

const FIELDS = [
  'eventType',
  'externalId',
  'sender',
  'senderName',
  'author',
  'text',
  'title',
  'url',
  'uniqueBy',
] as const;
type Field = (typeof FIELDS)[number];

/** Where a request holds the fields of an event, read from the settings. */
export interface EventSources extends Readonly<Partial<Record<Field, ValueSource>>> {
  readonly textEvents: readonly string[];
}

/** The settings without issues, read. Throws when they have some. */
export function eventSources(settings: ValidSettings): EventSources {
  const sources = FIELDS.flatMap((field) => {
    const text = settings[field];
    if (text === undefined) return [];
    const source = parseSource(text);
    if (typeof source === 'string') throw new Error(source);
    return [[field, source] as const];
  });
  return { ...Object.fromEntries(sources), textEvents: settings.textEvents ?? ['*'] };
}

interface Reading {
  readonly headers: Headers;
  readonly webhook: string | null;
  readonly provider: string;
  /** Null when it is where the settings say. */
  readonly type: string | null;
}

/**
 * The one event of a request. Several webhooks may be of this provider, each with another sender behind it: the name of
 * the webhook is part of the external id, or their numbers would share a flow.
 */
export function readEvent(
  sources: EventSources,
  payload: JsonObject,
  { headers, webhook, provider, type: named }: Reading,
): Parsed {
  const at = (field: Field): string | null => {
    const source = sources[field];
    return source === undefined ? null : textOf(source, headers, payload);
  };
  const type = named === null ? typeOf(sources, payload, headers) : oneWord(named).slice(0, 200);
  const externalId = at('externalId');
  const unique = at('uniqueBy');
  const sender = senderOf(sources, at, provider);
  const text = sources.textEvents.some((pattern) => fits(pattern, type)) ? at('text') : null;
  const said = event(payload, {
    type,
    externalId:
      externalId === null ? null : [provider, webhook ?? [], externalId].flat().map(oneWord).join(':'),
    sender,
    text,
    author: text === null ? null : authorOf(sources, at, sender),
    title: at('title'),
    url: webUrl(at('url')),
  });
  return { ok: true, events: [said], semanticKeys: unique === null ? [] : [`key:${unique}`] };
}

/** Of `{header:x-event}.{action}`, what is there: a push has no action. */
function typeOf({ eventType }: EventSources, payload: JsonObject, headers: Headers): string {
  if (eventType === undefined) return 'event';
  const parts = eventType.literals.map((literal, index) => {
    const place = eventType.places[index];
    const others = [eventType.others[index] ?? []];
    const source = place === undefined ? null : { literals: ['', ''], places: [place], others };
    return literal + (source === null ? '' : (textOf(source, headers, payload) ?? ''));
  });
  const type = oneWord(parts.join(''))
    .replace(/\.{2,}/g, '.')
    .replace(/^\.|\.$/g, '');
  return type === '' ? 'unknown' : type.slice(0, 200);
}

/** Event types and external ids are compared and printed as words. */
function oneWord(text: string): string {
  return text.trim().replace(/[\s\p{C}]+/gu, '_');
}

/** Without the setting no person acts, as with CI and alerts. Where its place is empty, the sender is unknown. */
function senderOf(
  sources: EventSources,
  at: (field: Field) => string | null,
  provider: string,
): Sender | null {
  const id = sources.sender === undefined ? provider : at('sender');
  const kind = sources.sender === undefined ? 'system' : 'person';
  return id === null ? null : { id, name: at('senderName') ?? id, kind, association: null, appId: null };
}

/** The sender, unless the settings say where the writer of the text is named. */
function authorOf(
  { author }: EventSources,
  at: (field: Field) => string | null,
  sender: Sender | null,
): EventAuthor | null {
  if (author === undefined) return authoredBy(sender);
  const id = at('author');
  return id === null ? null : { id, name: id === sender?.id ? sender.name : id };
}

function webUrl(text: string | null): string | null {
  return text !== null && /^https?:\/\//.test(text) && URL.canParse(text) ? text : null;
}

/** `issue.*`, `*` or the type itself. */
function fits(pattern: string, type: string): boolean {
  return (
    pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1)))
  );
}

/** Which of the event's fields was said at that path: texts and titles are the sender's own words. */
export function authorBy(
  sources: EventSources,
): (payload: JsonObject, path: readonly string[]) => string | null {
  const spoken = [sources.text, sources.title].flatMap((source) =>
    [...(source?.places ?? []), ...(source?.others ?? []).flat()].flatMap((place) =>
      place.in === 'payload' ? [place.path.join('\0')] : [],
    ),
  );
  const name = sources.senderName ?? sources.sender;
  return (payload, path) =>
    name !== undefined && spoken.includes(path.join('\0')) ? textOf(name, {}, payload) : null;
}
