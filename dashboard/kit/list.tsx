import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { useKeys } from './keys.ts';
import { ErrorNote } from './parts.tsx';
import { go } from './route.ts';
import type { Listed } from './use.ts';

/** Rows beyond the visible ones that are in the page, so that scrolling shows no gaps. */
const BEYOND = 8;
/** So many rows before the last one, the next page is asked for. */
const AHEAD = 30;

interface VirtualListProps<T> {
  readonly label: string;
  readonly list: Listed<T>;
  /** Where a row leads. */
  readonly href: (item: T) => string;
  readonly row: (item: T) => ComponentChildren;
  readonly empty: string;
  /** Further keys, for the selected row. */
  readonly keys?: Readonly<Record<string, (item: T) => void>>;
}

/** A list of any length: only the rows in sight are in the page. `j`, `k` and `enter` choose one. */
export function VirtualList<T extends { readonly id: string | number }>(
  props: VirtualListProps<T>,
): JSX.Element {
  const { label, list, href, row, empty, keys = {} } = props;
  const { items, more } = list;
  const box = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(600);
  const [selected, setSelected] = useState<T['id'] | null>(null);
  /** The row that gets the focus as soon as it is in the page. */
  const toFocus = useRef<T['id'] | null>(null);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setRoom(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const count = items?.length ?? 0;
  const first = Math.max(0, Math.floor(top / height) - BEYOND);
  const last = Math.min(count, Math.ceil((top + room) / height) + BEYOND);
  useEffect(() => {
    if (more !== null && last > count - AHEAD) more();
  }, [more, last, count]);

  const at = items?.findIndex(({ id }) => id === selected) ?? -1;
  const choose = (index: number) => {
    const next = Math.max(0, Math.min(count - 1, index));
    const item = items?.[next];
    const element = box.current;
    if (item === undefined || element === null) return;
    setSelected(item.id);
    toFocus.current = item.id;
    if (next * height < element.scrollTop) element.scrollTop = next * height;
    if ((next + 1) * height > element.scrollTop + room) element.scrollTop = (next + 1) * height - room;
    focus();
  };
  const focus = () => {
    if (toFocus.current === null) return;
    const link = box.current?.querySelector<HTMLAnchorElement>(`a[data-id="${toFocus.current}"]`);
    if (link == null) return;
    toFocus.current = null;
    link.focus({ preventScroll: true });
  };
  // A row beyond the shown ones comes into the page with the next rendering.
  useLayoutEffect(focus);
  const chosen = items?.[at];
  useKeys({
    j: () => choose(at + 1),
    k: () => choose(at < 0 ? 0 : at - 1),
    ...(chosen !== undefined && {
      Enter: () => go(href(chosen)),
      ...Object.fromEntries(Object.entries(keys).map(([key, call]) => [key, () => call(chosen)])),
    }),
  });

  return (
    <>
      <ErrorNote error={list.error} />
      <div class="list" ref={box} onScroll={({ currentTarget }) => setTop(currentTarget.scrollTop)}>
        {items !== null && count === 0 && <p class="empty">{empty}</p>}
        {items === null && list.error === null && <p class="empty">Loading …</p>}
        <ul aria-label={label} style={{ height: `${count * height}px` }}>
          {items?.slice(first, last).map((item, index) => (
            <li
              key={item.id}
              style={{ transform: `translateY(${(first + index) * height}px)`, height: `${height}px` }}
              aria-posinset={first + index + 1}
              aria-setsize={list.more === null ? count : -1}
            >
              <a
                href={href(item)}
                data-id={item.id}
                class={item.id === selected ? 'selected' : ''}
                onFocus={() => setSelected(item.id)}
              >
                {row(item)}
              </a>
            </li>
          ))}
        </ul>
      </div>
    </>
  );
}

const NARROW = matchMedia('(max-width: 719px)');

/** Of all rows, in pixels: on a narrow screen a row has two lines. */
function useRowHeight(): number {
  const [isNarrow, setNarrow] = useState(NARROW.matches);
  useEffect(() => {
    const update = () => setNarrow(NARROW.matches);
    NARROW.addEventListener('change', update);
    return () => NARROW.removeEventListener('change', update);
  }, []);
  return isNarrow ? 68 : 44;
}
