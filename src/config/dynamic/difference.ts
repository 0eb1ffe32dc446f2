import type { DbEntry } from './resolve-db.ts';

/** Which webhooks a change is about, by name. */
export interface Difference {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
}

/**
 * Compares two states of the db, in which a webhook that did not change is the same object. One that was switched on
 * or off is named for that alone.
 */
export function difference(before: readonly DbEntry[], after: readonly DbEntry[]): Difference {
  const former = new Map(before.map((entry) => [entry.written.webhook_id, entry]));
  const latter = new Set(after.map(({ written }) => written.webhook_id));
  const pairs = after.map((entry) => ({ entry, was: former.get(entry.written.webhook_id) }));
  const switched = (enabled: boolean) =>
    pairs.filter(({ entry, was }) => was?.webhook.enabled === !enabled && entry.webhook.enabled === enabled);
  return {
    added: names(pairs.filter(({ was }) => was === undefined).map(({ entry }) => entry)),
    changed: names(
      pairs
        .filter(
          ({ entry, was }) =>
            was !== undefined &&
            was.written !== entry.written &&
            was.webhook.enabled === entry.webhook.enabled,
        )
        .map(({ entry }) => entry),
    ),
    removed: names(before.filter(({ written }) => !latter.has(written.webhook_id))),
    enabled: names(switched(true).map(({ entry }) => entry)),
    disabled: names(switched(false).map(({ entry }) => entry)),
  };
}

function names(entries: readonly DbEntry[]): readonly string[] {
  return entries.map(({ written }) => written.name);
}
