import { getPath } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { objectsAt, textAt } from '../kit/payload.ts';

/**
 * A slash command addresses the app, as the prefix does in a text: `/agent prompt:fix it` is `@agent fix it`, and
 * `/fix what:it` is `@agent fix it`, too.
 */
export function spokenText(payload: JsonObject, name: string, prefix: string): string {
  const isPrefix = name.toLowerCase() === prefix.toLowerCase().replace(/^[^a-z0-9]+/, '');
  return [prefix, ...(isPrefix ? [] : [name]), ...wordsOf(objectsAt(payload, 'data', 'options'))].join(' ');
}

/** Names of subcommands, and the values of all other options, in their order. */
function wordsOf(options: readonly JsonObject[]): readonly string[] {
  return options.flatMap((option) => {
    const value = getPath(option, ['value']);
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return [String(value)];
    return [textAt(option, 'name') ?? '', ...wordsOf(objectsAt(option, 'options'))].filter(
      (word) => word !== '',
    );
  });
}
