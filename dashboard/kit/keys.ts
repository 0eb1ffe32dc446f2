import { useLayoutEffect, useRef } from 'preact/hooks';

type Keys = Readonly<Record<string, () => void>>;

interface Layer {
  readonly keys: Keys;
  /** Whether they count now; the parts below are asked else. */
  readonly wants: () => boolean;
}

const layers: { current: Layer }[] = [];

/** Listens for single keys, unless the person writes somewhere. The part that was shown last comes first. */
export function listenForKeys(): void {
  addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector('dialog[open]') !== null && key !== '?') return;
    if (
      target instanceof HTMLElement &&
      target.closest('input, textarea, select, [contenteditable]') !== null
    ) {
      if (key === 'Escape') target.blur();
      return;
    }
    const layer = layers.findLast(({ current: { keys, wants } }) => keys[key] !== undefined && wants());
    const call = layer?.current.keys[key];
    if (call === undefined) return;
    event.preventDefault();
    call();
  });
}

/** The `data-id` of the row or tile in which the focus is. */
export function focusedId(): string | null {
  return document.activeElement?.closest<HTMLElement>('[data-id]')?.dataset.id ?? null;
}

/** What single keys do while this part is shown, and `wants` them. `isBase`: only where no other part wants them. */
export function useKeys(keys: Keys, { isBase = false, wants = () => true as boolean } = {}): void {
  const layer = useRef<Layer>({ keys, wants });
  layer.current = { keys, wants };
  // Before the page is painted: a person may press a key as soon as they see it.
  useLayoutEffect(() => {
    // The effects of a part run after those of the parts in it.
    if (isBase) layers.unshift(layer);
    else layers.push(layer);
    return () => void layers.splice(layers.indexOf(layer), 1);
  }, [isBase]);
}
