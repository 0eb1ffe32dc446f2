import { shorten } from '../../lib/text/escape-invisible.ts';
import type { JsonObject } from '../../types.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

/** Enough to see where it broke; the link leads to the rest. */
const MAX_FRAMES = 10;
const MAX_EXCEPTIONS = 5;
const MAX_TEXT = 4_000;
const MAX_CODE = 200;

/**
 * The error itself in words: the message, the culprit, the exceptions with their topmost frames; the message of a
 * user's feedback; the description of a metric alert. Null when the payload tells none of it (a comment). Sources:
 * docs.sentry.io, "Issue Alerts", "Errors", "Metric Alerts" ("stack frame order lists the oldest frame to the most
 * recent"); develop.sentry.dev, "Event Payloads"; getsentry/sentry `create_feedback.py` for `contexts.feedback`.
 */
export function detailsOf(payload: JsonObject): string | null {
  const about = aboutOf(payload);
  const exceptions = objectsAt(face(about, 'exception', 'Exception'), 'values').slice(-MAX_EXCEPTIONS);
  const culprit = firstText([textAt(about, 'culprit'), textAt(payload, 'culprit')]);
  const parts = [
    messageOf(payload, about, exceptions.length > 0),
    regressionOf(about),
    culprit === null ? '' : `Culprit: ${shorten(culprit, MAX_TEXT)}`,
    // The list begins with the cause; what was raised last comes first here.
    ...exceptions.toReversed().map(exceptionText),
    exceptions.length > 0 ? '' : framesText(otherFrames(about)),
  ].filter((part) => part !== '');
  return parts.length === 0 ? null : parts.join('\n');
}

/** That an issue came back after it was resolved, and in which release. */
function regressionOf(about: JsonObject): string {
  const release = firstText([
    textAt(about, 'release'),
    textAt(about, 'release', 'version'),
    textAt(about, 'lastRelease', 'version'),
  ]);
  const isBack = textAt(about, 'substatus') === 'regressed';
  const where = release === null ? '' : `release ${shorten(release, MAX_CODE)}`;
  if (!isBack) return where === '' ? '' : `In ${where}`;
  return `Regressed${where === '' ? '' : ` in ${where}`}: it was resolved before.`;
}

/** The event, error or issue; the legacy plugin has its event at the top. */
function aboutOf(payload: JsonObject): JsonObject {
  const places = [['data', 'event'], ['data', 'error'], ['data', 'issue'], ['event']];
  return places.map((path) => objectAt(payload, ...path)).find((found) => found !== null) ?? {};
}

/** An interface of an event: at the top, in the list of entries (API), or under its old name (before Sentry 9). */
function face(about: JsonObject, name: string, oldName: string): JsonObject {
  const listed = objectsAt(about, 'entries').find((each) => textAt(each, 'type') === name);
  return (
    objectAt(about, name) ?? objectAt(listed, 'data') ?? objectAt(about, `sentry.interfaces.${oldName}`) ?? {}
  );
}

function messageOf(payload: JsonObject, about: JsonObject, hasExceptions: boolean): string {
  const feedback = firstText([
    textAt(about, 'contexts', 'feedback', 'message'),
    textAt(about, 'metadata', 'message'),
  ]);
  if (feedback !== null) return `Feedback: ${shorten(feedback, MAX_TEXT)}`;
  const entry = face(about, 'message', 'Message');
  const said = firstText([
    textAt(about, 'logentry', 'formatted'),
    textAt(about, 'logentry', 'message'),
    textAt(entry, 'formatted'),
    textAt(entry, 'message'),
    textAt(about, 'message'),
    // An exception is printed with its own value.
    hasExceptions ? null : issueText(about),
    textAt(payload, 'data', 'description_text'),
    textAt(payload, 'message'),
  ]);
  return said === null ? '' : `Message: ${shorten(said, MAX_TEXT)}`;
}

/** What an issue keeps of its latest exception. */
function issueText(about: JsonObject): string | null {
  const words = [textAt(about, 'metadata', 'type'), textAt(about, 'metadata', 'value')];
  return words.filter(Boolean).join(': ') || null;
}

function exceptionText(exception: JsonObject): string {
  const words = [textAt(exception, 'type') ?? 'Error', textAt(exception, 'value')];
  const head = shorten(words.filter(Boolean).join(': '), MAX_TEXT);
  return [head, framesText(objectsAt(exception, 'stacktrace', 'frames'))].filter(Boolean).join('\n');
}

/** A message may have a stack, and a crash the stacks of its threads. */
function otherFrames(about: JsonObject): readonly JsonObject[] {
  const own = objectsAt(face(about, 'stacktrace', 'Stacktrace'), 'frames');
  if (own.length > 0) return own;
  const threads = objectsAt(face(about, 'threads', 'Threads'), 'values');
  return objectsAt(threads.find((each) => each.crashed === true) ?? threads[0], 'stacktrace', 'frames');
}

/** The last frame of the list is where it happened. */
function framesText(frames: readonly JsonObject[]): string {
  const top = frames.slice(-MAX_FRAMES).toReversed().map(frameText);
  const left = frames.length - top.length;
  return [...top, ...(left > 0 ? [`  … ${left} more frames`] : [])].join('\n');
}

/** `  at login (src/login.ts:42): return user.id` */
function frameText(frame: JsonObject): string {
  const file = firstText(
    ['filename', 'absPath', 'abs_path', 'module', 'package'].map((name) => textAt(frame, name)),
  );
  const line = idAt(frame, 'lineno') ?? idAt(frame, 'lineNo');
  const place = [file ?? 'unknown', line].filter(Boolean).join(':');
  const name = textAt(frame, 'function');
  const code = frame.in_app === false ? '' : (textAt(frame, 'context_line')?.trim() ?? '');
  const where = name ? `${name} (${place})` : place;
  return `  at ${shorten(where, MAX_CODE * 2)}${code === '' ? '' : `: ${shorten(code, MAX_CODE)}`}`;
}

function firstText(texts: readonly (string | null)[]): string | null {
  return texts.find((text) => text !== null && text.trim() !== '') ?? null;
}
