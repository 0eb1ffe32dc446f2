import { messageOf } from '../../errors.ts';
import { openRotatingFile } from '../../lib/files/rotating-file.ts';
import { type Io, type OutputStream, paint, type Style, say } from '../../lib/io.ts';
import { escapeInvisibleJson } from '../../lib/text/escape-invisible.ts';
import type { ServeListener, ServeStart } from '../../server/events.ts';
import { eventObjects } from '../../server/live/objects.ts';
import { iso } from '../../views.ts';
import { localTime } from '../kit/print.ts';
import { wrapped } from '../kit/wrapped.ts';
import { announce, announceUrls, type Print } from './announce.ts';
import { shown } from './shown.ts';

/** Lines for people on stderr, two for each delivery: what came in, what became of it, the id last. */
export function terminalListener({ err, repeatConfig = (text) => text }: Io): ServeListener {
  const print =
    (style: Style | null): Print =>
    (pieces, indent) => {
      for (const text of wrapped(pieces.map(repeatConfig), indent))
        say(err, style === null ? text : paint(err, style, text));
    };
  let start: ServeStart | null = null;
  /** The tunnel's URL under which the endpoints were printed last. */
  let announced: string | null = null;

  return (event) => {
    for (const text of shown(event).lines?.((style, part) => paint(err, style, part)) ?? [])
      say(err, `${paint(err, 'dim', localTime(new Date().toISOString()).slice(11))}  ${text}`);
    if (event.type === 'ready') {
      start = event.start;
      announced = start.facts().tunnel?.tunnel?.url ?? null;
      announce(start, print(null), print('yellow'));
    }
    if (event.type === 'tunnel') {
      const url = event.status.tunnel?.url ?? null;
      if (start === null || event.status.phase !== 'up' || url === announced) return;
      announced = url;
      announceUrls(start, print(null));
    }
  };
}

/** The line of those that a reader did not take in time. */
export function leftOutAsJson(lines: number): string {
  const event = { type: 'state', at: iso(Date.now()), of: 'output', state: 'left_out', count: lines };
  return `${JSON.stringify(event)}\n`;
}

/** One JSON object for each line of stdout; `type` is `ready`, `delivery`, `task`, `run`, `outgoing` or `state`. */
export function jsonListener(out: OutputStream): ServeListener {
  return (event) => {
    for (const [type, fields] of eventObjects(event))
      say(out, escapeInvisibleJson({ type, at: iso(Date.now()), ...fields }));
  };
}

/**
 * Writes every event to a log file, too (pino's JSON lines, mode 0600, four parts of 10 MB at most): for reading what
 * happened days later, and the only place where stack traces go. `redact` sees each line.
 */
export async function withLogFile(
  listen: ServeListener,
  file: string,
  redact: (line: string) => string,
): Promise<ServeListener> {
  const { default: pino } = await import('pino');
  const leftOut = (lines: number) =>
    `${JSON.stringify({ level: 40, time: Date.now(), lines, msg: 'left out' })}\n`;
  const failed = (error: unknown) => {
    const text = `The log file can't be written (${messageOf(error)}); up to 1 MB of its lines waits`;
    listen({ type: 'problem', text });
  };
  const target = openRotatingFile(file, { leftOut, failed });
  const log = pino({}, { write: (line: string) => target.write(redact(line)) });
  return (event) => {
    const entry = shown(event).log?.();
    if (entry !== undefined) {
      const [level, fields, message] = entry;
      log[level](fields, message);
    }
    listen(event);
  };
}

/** Leaves out what goes as it should, for those who read `hookctl delivery list`, not the lines. */
export function quiet(listen: ServeListener): ServeListener {
  return (event) => {
    if (shown(event).isRoutine !== true) listen(event);
  };
}

/** How long the same failure is only counted, in milliseconds. */
const WINDOW_MS = 10_000;
/** Different failures that are counted apart at a time; further ones share a count. */
const MOST_KINDS = 100;

/**
 * Passes a failure on once and then, ten seconds later, how often it came again: a full disk under load would otherwise
 * write a line for each request that it refuses.
 */
export function folded(listen: ServeListener): ServeListener {
  const running = new Map<string, { times: number; readonly timer: NodeJS.Timeout }>();

  function end(message: string): void {
    const times = running.get(message)?.times ?? 0;
    running.delete(message);
    if (times === 0) return;
    const error = new Error(`${message} (${times} more times in ${WINDOW_MS / 1000} s)`);
    listen({ type: 'broken', error });
  }

  return (event) => {
    if (event.type === 'broken') {
      const message = messageOf(event.error);
      const key = running.size < MOST_KINDS || running.has(message) ? message : 'further failures';
      const known = running.get(key);
      if (known !== undefined) {
        known.times += 1;
        return;
      }
      running.set(key, { times: 0, timer: setTimeout(() => end(key), WINDOW_MS).unref() });
    }
    if (event.type === 'state') {
      for (const [message, { timer }] of [...running]) {
        clearTimeout(timer);
        end(message);
      }
    }
    listen(event);
  };
}
