import { createParser } from 'eventsource-parser';

/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** `message` when the stream names none. */
  readonly event: string;
  readonly data: string;
  /** The last id that the stream gave, with this event or an earlier one; empty before the first. */
  readonly id: string;
}

interface SseOptions {
  /** An event with more characters than this ends the stream with an error. */
  readonly maxLength: number;
  /** Called for every chunk, comments included: the other side is alive. */
  readonly onBytes?: () => void;
}

/**
 * Reads server-sent events as the HTML standard defines them (section 9.2.6). An event that the end of the stream cuts off
 * is dropped; `retry` is ignored, because the caller decides when to reconnect.
 */
export async function* readServerSentEvents(
  chunks: AsyncIterable<Uint8Array>,
  { maxLength, onBytes }: SseOptions,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  const events: ServerSentEvent[] = [];
  let id = '';
  let isTooLong = false;
  const handlers = {
    maxBufferSize: maxLength,
    onId(given: string) {
      id = given;
    },
    onEvent({ event = 'message', data }: { readonly event?: string | undefined; readonly data: string }) {
      events.push({ event, data, id });
    },
    // Lines without a known field are reported here, too.
    onError({ type }: { readonly type: string }) {
      isTooLong ||= type === 'max-buffer-size-exceeded';
    },
  };
  const parser = createParser(handlers);
  for await (const chunk of chunks) {
    onBytes?.();
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* events.splice(0);
    if (isTooLong) throw new Error(`the stream sent an event of more than ${maxLength} characters`);
  }
}
