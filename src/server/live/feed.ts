import { usageError } from '../../errors.ts';
import { coalesce } from '../../lib/time-slicer.ts';
import { iso } from '../../views.ts';
import type { ServeListener } from '../events.ts';
import { type EventObject, eventObjects, ownerOfEvent } from './objects.ts';
import { eventsOfRows } from './rows.ts';

/** Events that are kept for readers that are behind, and their text. */
const MOST_EVENTS = 2_000;
const MOST_CHARACTERS = 8_000_000;
/** Events are kept so long after the last reader went, so that a reader that comes again misses none. */
const LINGER_MS = 60_000;
/** Silence after which a comment shows that the stream is alive. */
const ALIVE_MS = 15_000;
/** Text of one piece of a stream. */
const PIECE_CHARACTERS = 64_000;

/** The time of an event, and its place within that millisecond. Written `1764547200000.3`. */
type EventId = readonly [ms: number, place: number];

interface Kept {
  readonly id: EventId;
  readonly type: string;
  /** Whose the thing is; null for what is about the whole server. */
  readonly owner: string | null;
  /** The event as it is sent. */
  readonly text: string;
}

interface FeedOptions {
  readonly store: Parameters<typeof eventsOfRows>[0];
  readonly now: () => number;
  /** Takes secrets out of what is sent. */
  readonly redact: (text: string) => string;
}

/** Where a reader begins, and which events it wants; all when `types` is empty. */
interface ReadOptions {
  /** The id of the last event that it got; null to begin now. */
  readonly after: string | null;
  readonly types: readonly string[];
  /** Only what is about things of this owner; null for everything. */
  readonly owner: string | null;
  /** Ends the stream. */
  readonly ended: AbortSignal | null;
}

/** The live stream of what happens while serving. */
export interface Feed {
  readonly listen: ServeListener;
  /** Server-sent events from then on. Throws `usage` for what is no id of an event. */
  read(options: ReadOptions): ReadableStream<string>;
  /** Ends all streams. */
  close(): void;
}

/**
 * Costs nothing while no one reads. Readers share one bounded memory, each with a place in it: a slow one makes nothing wait or
 * grow, and when what it has not read is gone it gets `{"type":"gap"}`.
 */
export function openFeed({ store, now, redact }: FeedOptions): Feed {
  const kept: Kept[] = [];
  /** Number of the oldest event that is kept. */
  let first = 0;
  let characters = 0;
  /** All later events are kept; null while none are. */
  let since: EventId | null = null;
  let last: EventId = [0, 0];
  let isClosed = false;
  let linger: NodeJS.Timeout | null = null;
  const readers = new Set<() => void>();
  const wake = coalesce(() => {
    for (const reader of readers) reader();
  });

  function nextId(): EventId {
    const ms = Math.max(now(), last[0]);
    last = [ms, ms === last[0] ? last[1] + 1 : 0];
    return last;
  }

  function keep(object: EventObject, owner: string | null): void {
    const id = nextId();
    const text = sent(id, iso(now()), object);
    kept.push({ id, type: object[0], owner, text });
    characters += text.length;
    while (kept.length > MOST_EVENTS || (characters > MOST_CHARACTERS && kept.length > 1)) {
      const [gone] = kept.splice(0, 1);
      if (gone === undefined) return;
      first += 1;
      characters -= gone.text.length;
      since = gone.id;
    }
  }

  const sent = (id: EventId, at: string, [type, fields]: EventObject) =>
    `id: ${id.join('.')}\ndata: ${redact(JSON.stringify({ type, at, ...fields }))}\n\n`;
  const gap = () => `id: ${last.join('.')}\ndata: {"type":"gap"}\n\n`;

  function forget(): void {
    first += kept.length;
    kept.length = 0;
    characters = 0;
    since = null;
  }

  /** The pieces with which a stream begins, and the number of the event that follows them. */
  function start({ after, types, owner }: ReadOptions): { readonly texts: string[]; readonly next: number } {
    const end = first + kept.length;
    const open = () => `id: ${nextId().join('.')}\ndata: {"type":"open"}\n\n`;
    if (after === null) return { texts: [open()], next: end };
    const id = parsed(after);
    if (since !== null && compare(since, id) <= 0) {
      const behind = kept.findIndex((event) => compare(event.id, id) > 0);
      return { texts: [': open\n\n'], next: behind < 0 ? end : first + behind };
    }
    const rows = eventsOfRows(store, id[0]);
    if (rows === null) return { texts: [open(), gap()], next: end };
    const wanted = rows.filter(
      ({ object: [type], owner: whose }) =>
        (types.length === 0 || types.includes(type)) && (owner === null || whose === owner),
    );
    const texts = wanted.map(({ at, object }) => sent([at, 0], iso(at), object));
    return { texts: [...texts, open()], next: end };
  }

  return {
    listen(event) {
      if (since === null) return;
      const owner = ownerOfEvent(event);
      for (const object of eventObjects(event)) keep(object, owner);
      wake();
    },

    read(options) {
      since ??= nextId();
      if (linger !== null) clearTimeout(linger);
      linger = null;
      const { types, owner, ended } = options;
      const { texts, next: begin } = start(options);
      let next = begin;
      let changed = () => {};
      const reader = () => changed();
      readers.add(reader);
      ended?.addEventListener('abort', reader, { once: true });
      let isGone = false;
      const left = () => {
        isGone = true;
        readers.delete(reader);
        if (readers.size === 0 && linger === null) linger = setTimeout(forget, LINGER_MS).unref();
      };

      function piece(): string {
        const early = texts.splice(0).join('');
        if (early !== '') return early;
        if (next < first) {
          next = first + kept.length;
          return gap();
        }
        let text = '';
        for (; text.length < PIECE_CHARACTERS; next += 1) {
          const event = kept[next - first];
          if (event === undefined) break;
          const isWanted = types.length === 0 || types.includes(event.type);
          if (isWanted && (owner === null || event.owner === owner)) text += event.text;
        }
        return text;
      }

      return new ReadableStream<string>(
        {
          async pull(controller) {
            let text = piece();
            while (text === '' && !isClosed && !isGone && ended?.aborted !== true) {
              const isChanged = await changedWithin((call) => {
                changed = call;
              });
              text = isChanged ? piece() : ': alive\n\n';
            }
            if (isGone) return;
            if (text !== '' && ended?.aborted !== true) return controller.enqueue(text);
            left();
            controller.close();
          },
          cancel() {
            left();
            changed();
          },
        },
        { highWaterMark: 0 },
      );
    },

    close() {
      isClosed = true;
      for (const reader of readers) reader();
      if (linger !== null) clearTimeout(linger);
    },
  };
}

/** Whether it was called before the stream has to show that it is alive. */
function changedWithin(take: (call: () => void) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), ALIVE_MS).unref();
    take(() => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

function parsed(text: string): EventId {
  const [, ms, place = '0'] = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (ms !== undefined) return [Number(ms), Number(place)];
  throw usageError(`${text} is no id of an event`, 'Give the id of the last event, or none.');
}

function compare(left: EventId, right: EventId): number {
  return left[0] - right[0] || left[1] - right[1];
}
