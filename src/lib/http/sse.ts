/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** `message` when the stream names none. */
  readonly event: string;
  readonly data: string;
  /** The last id that the stream gave, this event's or an earlier one's; empty: none yet. */
  readonly id: string;
}

interface SseOptions {
  /** An event with more characters than this ends the stream with an error. */
  readonly maxLength: number;
  /** Called for every chunk, comments included: somebody is there. */
  readonly onBytes?: () => void;
}

/**
 * Reads server-sent events as the HTML standard has it (section 9.2.6): lines end in CR, LF or CRLF, `data` may come
 * in several lines, comments and unknown fields are passed over, an event cut off by the end of the stream is dropped.
 * `retry` is passed over too: how to come back is decided here.
 */
export async function* readServerSentEvents(
  chunks: AsyncIterable<Uint8Array>,
  { maxLength, onBytes }: SseOptions,
): AsyncGenerator<ServerSentEvent> {
  let event = '';
  let data: string[] = [];
  let length = 0;
  let id = '';
  for await (const line of readLines(chunks, maxLength, onBytes)) {
    if (line === '') {
      if (data.length > 0) yield { event: event || 'message', data: data.join('\n'), id };
      event = '';
      data = [];
      length = 0;
      continue;
    }
    const [field, value] = splitField(line);
    if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'data') data.push(value);
    length += line.length;
    if (length > maxLength) throw tooLong(maxLength);
  }
}

/** `data: x` → `data`, `x`: one space after the colon belongs to the colon. A comment has an empty field. */
function splitField(line: string): readonly [string, string] {
  const colon = line.indexOf(':');
  if (colon === -1) return [line, ''];
  return [line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)];
}

async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  maxLength: number,
  onBytes: (() => void) | undefined,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  // The begun line in parts: joining at each chunk would copy a large event over and over.
  let begun: string[] = [];
  let length = 0;
  let afterCr = false;
  for await (const chunk of chunks) {
    onBytes?.();
    let text = decoder.decode(chunk, { stream: true });
    if (afterCr && text.startsWith('\n')) text = text.slice(1);
    if (text !== '') afterCr = text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    const rest = lines.pop() ?? '';
    for (const line of lines) {
      yield begun.join('') + line;
      begun = [];
      length = 0;
    }
    begun.push(rest);
    length += rest.length;
    if (length > maxLength) throw tooLong(maxLength);
  }
}

function tooLong(maxLength: number): Error {
  return new Error(`the stream sent an event of more than ${maxLength} characters`);
}
