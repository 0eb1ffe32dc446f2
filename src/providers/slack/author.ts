import { getPath } from '../../lib/json.ts';
import type { JsonObject } from '../../types.ts';
import { idAt, textAt } from '../kit/payload.ts';

/** Who is named nearest above a value: `user` of a message or an interaction, `user_name` of a slash command. */
export function authorOf(payload: JsonObject, path: readonly string[]): string | null {
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const place = getPath(payload, path.slice(0, depth));
    const name =
      textAt(place, 'user_name') ??
      textAt(place, 'user', 'username') ??
      idAt(place, 'user', 'id') ??
      idAt(place, 'user') ??
      textAt(place, 'bot_profile', 'name') ??
      idAt(place, 'bot_id');
    if (name !== null) return name;
  }
  return null;
}
