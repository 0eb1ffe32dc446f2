import { send } from './api.ts';

/** An event of `/api/events`, as far as pages look at it. */
export interface LiveEvent {
  readonly type: string;
  readonly id?: string;
  readonly task_id?: string;
  readonly [field: string]: unknown;
}

export type LiveState = 'connecting' | 'live' | 'off';

type Listener = (events: readonly LiveEvent[]) => void;

const listeners = new Set<Listener>();
const stateListeners = new Set<(state: LiveState) => void>();
let state: LiveState = 'connecting';
let waiting: LiveEvent[] = [];
let isScheduled = false;
/** More than this between two frames: lists are read anew, which costs less. */
const MOST_WAITING = 500;
/** A tab in the background has no frames. */
const HIDDEN_MS = 500;

/** Calls back with all events since the last frame. */
export function onEvents(call: Listener): () => void {
  listeners.add(call);
  return () => listeners.delete(call);
}

export function onLiveState(call: (state: LiveState) => void): () => void {
  stateListeners.add(call);
  call(state);
  return () => stateListeners.delete(call);
}

function push(event: LiveEvent): void {
  if (waiting.length >= MOST_WAITING) waiting = [{ type: 'gap' }];
  waiting.push(event);
  if (isScheduled) return;
  isScheduled = true;
  if (document.hidden) setTimeout(flush, HIDDEN_MS);
  else requestAnimationFrame(flush);
}

function flush(): void {
  isScheduled = false;
  const events = waiting;
  waiting = [];
  for (const call of listeners) call(events);
}

function setState(next: LiveState): void {
  if (next === state) return;
  state = next;
  for (const call of stateListeners) call(next);
}

type Shared =
  | { readonly kind: 'event'; readonly event: LiveEvent; readonly after: string }
  | { readonly kind: 'state'; readonly state: LiveState }
  | { readonly kind: 'hello' };

let after = '';

/**
 * Reads the stream until the signal. A browser has six connections for all tabs of one server, so that one tab reads for all; when it
 * is closed, the next goes on where it was.
 */
export function startLive(signal: AbortSignal): void {
  const channel = new BroadcastChannel('hookctl-live');
  let isLeader = false;
  const share = (message: Shared) => channel.postMessage(message);
  channel.addEventListener('message', ({ data }: MessageEvent<Shared>) => {
    if (data.kind === 'event') {
      after = data.after;
      push(data.event);
    } else if (data.kind === 'state') setState(data.state);
    else if (isLeader) share({ kind: 'state', state });
  });
  signal.addEventListener('abort', () => channel.close());
  share({ kind: 'hello' });
  const lead = async () => {
    isLeader = true;
    const told = (next: LiveState) => {
      setState(next);
      if (!signal.aborted) share({ kind: 'state', state: next });
    };
    while (!signal.aborted) {
      const got = (event: LiveEvent) => {
        push(event);
        if (!signal.aborted) share({ kind: 'event', event, after });
      };
      const opened = () => {
        // What was asked for meanwhile failed.
        if (state === 'off') got({ type: 'open' });
        told('live');
      };
      await readStream(signal, opened, got).catch(() => undefined);
      if (signal.aborted) return;
      told('off');
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  };
  void navigator.locks.request('hookctl-live', { signal }, lead).catch(() => undefined);
}

/** Reads one stream to its end. */
async function readStream(
  signal: AbortSignal,
  opened: () => void,
  got: (event: LiveEvent) => void,
): Promise<void> {
  const answer = await send('/api/events', {
    signal,
    ...(after !== '' && { headers: { 'last-event-id': after } }),
  });
  if (!answer.ok || answer.body === null) return;
  opened();
  let rest = '';
  for await (const part of answer.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + part).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      after = /^id: (.*)$/m.exec(block)?.[1] ?? after;
      if (data !== undefined) got(JSON.parse(data) as LiveEvent);
    }
  }
}
