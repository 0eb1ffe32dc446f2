import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ask } from './api.ts';
import { type LiveEvent, onEvents } from './live.ts';

/** At most so often is a list read anew while events come. */
const EVERY_MS = 200;

/** Calls `reload` soon after events of these types, and after every gap; many events are one call. */
function useLive(types: readonly string[], reload: () => void, wants?: (event: LiveEvent) => boolean): void {
  const latest = useRef({ reload, wants });
  latest.current = { reload, wants };
  const key = types.join();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let last = 0;
    const run = () => {
      timer = null;
      last = performance.now();
      latest.current.reload();
    };
    const off = onEvents((events) => {
      const isWanted = ({ type }: LiveEvent) =>
        type === 'gap' || type === 'open' || key.split(',').includes(type);
      const { wants: also } = latest.current;
      if (
        !events.some(
          (event) =>
            isWanted(event) && (event.type === 'gap' || event.type === 'open' || also?.(event) !== false),
        )
      )
        return;
      timer ??= setTimeout(run, Math.max(0, last + EVERY_MS - performance.now()));
    });
    return () => {
      off();
      if (timer !== null) clearTimeout(timer);
    };
  }, [key]);
}

export interface Asked<T> {
  /** Null before the first answer. */
  readonly data: T | null;
  readonly error: Error | null;
  readonly reload: () => void;
}

interface AskOptions {
  /** Types of events after which it is asked again. */
  readonly on?: readonly string[];
  /** Which of these events count; default all. */
  readonly wants?: (event: LiveEvent) => boolean;
}

/** What a path of the API answers, asked anew when something happened. Nothing is asked while the path is null. */
export function useApi<T>(path: string | null, options: AskOptions = {}): Asked<T> {
  const { data, ...rest } = useAll<T>(path === null ? [] : [path], options);
  return { ...rest, data: data?.[0] ?? null };
}

/** What each of several paths answers; null before all did. */
export function useAll<T>(
  paths: readonly string[],
  { on = [], wants }: AskOptions = {},
): Asked<readonly T[]> {
  const key = paths.join('\n');
  const [answer, setAnswer] = useState<{ readonly key: string; readonly data: readonly T[] } | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  useLive(on, reload, wants);
  // `turn` asks again. Before the page is painted: the answer comes while it is.
  useLayoutEffect(() => {
    if (key === '') return;
    const stop = new AbortController();
    Promise.all(key.split('\n').map((path) => ask<T>('GET', path, undefined, stop.signal))).then(
      (data) => {
        setAnswer({ key, data });
        setError(null);
      },
      (reason: Error) => {
        if (!stop.signal.aborted) setError(reason);
      },
    );
    return () => stop.abort();
  }, [key, turn]);
  return { data: answer !== null && answer.key === key ? answer.data : null, error, reload };
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

export interface Listed<T> extends Omit<Asked<readonly T[]>, 'data'> {
  readonly items: readonly T[] | null;
  /** Asks for the next page; null when there is none, or it is asked for already. */
  readonly more: (() => void) | null;
}

/** A list of the API, newest first: its first page follows what happens, further ones come when they are asked for. */
export function useList<T>(
  path: string,
  on: readonly string[],
  keyOf: (item: T) => unknown = (item) => (item as { readonly id: unknown }).id,
): Listed<T> {
  const key = useRef(keyOf);
  key.current = keyOf;
  const [list, setList] = useState<{
    readonly path: string;
    readonly items: readonly T[];
    readonly next: string | null;
  } | null>(null);
  const [isLoading, setLoading] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const first = useApi<Page<T>>(path, { on });
  const { data } = first;
  useEffect(() => {
    if (data === null) return;
    setList((before) => {
      const last = data.items.at(-1);
      const older = before?.path === path && last !== undefined ? before.items : [];
      const at = last === undefined ? -1 : older.findIndex((item) => key.current(item) === key.current(last));
      if (before === null || at < 0) return { path, items: data.items, next: data.next_cursor };
      return {
        path,
        items: [...data.items, ...older.slice(at + 1)],
        next: older.length > at + 1 ? before.next : data.next_cursor,
      };
    });
  }, [data, path]);
  const now = list?.path === path ? list : null;
  const more = () => {
    if (now?.next == null) return;
    setLoading(true);
    const cursor = new URLSearchParams({ cursor: now.next });
    ask<Page<T>>('GET', `${path}${path.includes('?') ? '&' : '?'}${cursor}`).then(
      (page) => {
        setLoading(false);
        setError(null);
        setList((before) =>
          before?.path === path
            ? { path, items: [...before.items, ...page.items], next: page.next_cursor }
            : before,
        );
      },
      (reason: Error) => {
        setLoading(false);
        setError(reason);
      },
    );
  };
  return {
    items: now?.items ?? null,
    error: first.error ?? error,
    reload: first.reload,
    more: now?.next == null || isLoading ? null : more,
  };
}

export interface Doing {
  readonly isBusy: boolean;
  readonly error: Error | null;
  /** What the last one that went well says. */
  readonly done: string | null;
  readonly run: (work: () => Promise<string | null>) => void;
}

/** One thing that a person has done: while it is under way, and how it went. */
export function useDoing(): Doing {
  const [state, setState] = useState<Omit<Doing, 'run'>>({ isBusy: false, error: null, done: null });
  const run = useCallback((work: () => Promise<string | null>) => {
    setState({ isBusy: true, error: null, done: null });
    work().then(
      (done) => setState({ isBusy: false, error: null, done }),
      (error: Error) => setState({ isBusy: false, error, done: null }),
    );
  }, []);
  return { ...state, run };
}
