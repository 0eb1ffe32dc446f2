import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask } from '../kit/api.ts';
import { onEvents } from '../kit/live.ts';
import { ErrorNote, Time, visible } from '../kit/parts.tsx';

interface LogLine {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}
interface LogPart {
  readonly lines: readonly LogLine[];
  readonly next: number;
  readonly ended: boolean;
}

/** Lines of a log that are in the page. */
const MOST_LINES = 1_000;
/** How often the log of a run that goes on is read. */
const LOG_MS = 1_000;

/** The log of a run, as it grows. */
export function Log({ id }: { readonly id: string }): JSX.Element {
  const [lines, setLines] = useState<readonly LogLine[]>([]);
  const [error, setError] = useState<Error | null>(null);
  const box = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const stop = new AbortController();
    let next = 0;
    let isOver = false;
    let isReading = false;
    const read = async () => {
      if (isOver || isReading) return;
      isReading = true;
      try {
        for (;;) {
          const part = await ask<LogPart>('GET', `/api/runs/${id}/log?after=${next}`, undefined, stop.signal);
          if (part.lines.length > 0) setLines((before) => [...before, ...part.lines].slice(-MOST_LINES));
          const isEnd = part.next === next;
          next = part.next;
          if (isEnd) {
            isOver = part.ended;
            break;
          }
        }
        setError(null);
      } catch (reason) {
        if (!stop.signal.aborted) setError(reason as Error);
      } finally {
        isReading = false;
      }
    };
    void read();
    const timer = setInterval(() => void read(), LOG_MS);
    const off = onEvents((events) => {
      if (events.some((event) => event.type === 'run' && event.id === id)) void read();
    });
    return () => {
      stop.abort();
      clearInterval(timer);
      off();
    };
  }, [id]);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 120;
    if (isAtEnd) element.scrollTop = element.scrollHeight;
  }, [lines]);
  return (
    <>
      <ErrorNote error={error} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so that keys have to reach it. */}
      <ol class="log" ref={box} tabIndex={0} aria-label="Log">
        {lines.map(({ at, kind, text }, index) => (
          <li key={index} class={kind}>
            <Time at={at} /> <span class="kind">{kind}</span> {visible(text)}
          </li>
        ))}
      </ol>
    </>
  );
}
