import { getPath } from '../../lib/json.ts';
import { idAt, textAt } from '../../lib/payload.ts';
import type { JsonObject, Sender } from '../../types.ts';

/** Users that GitLab makes for project and group access tokens. */
const TOKEN_BOT = /^(?:project|group)_\d+_bot/;

/**
 * `project.visibility_level` → how somebody who acts there stands to it. GitLab does not tell a user's role; but only
 * members can do anything in a private project, and only signed-in users of the instance in an internal one. In a
 * public one anybody may write: no association.
 */
const ASSOCIATIONS: Readonly<Record<string, string>> = { 0: 'member', 10: 'internal' };

/** The user who acted; push events name them in fields of their own. Null when nobody is named. */
export function senderOf(payload: JsonObject): Sender | null {
  const id = idAt(payload, 'user', 'id') ?? idAt(payload, 'user_id');
  if (id === null) return null;
  const login = textAt(payload, 'user', 'username') ?? textAt(payload, 'user_username') ?? '';
  const isBot = TOKEN_BOT.test(login);
  const level = getPath(payload, ['project', 'visibility_level']);
  return {
    id,
    name: login || (textAt(payload, 'user', 'name') ?? textAt(payload, 'user_name') ?? id),
    kind: isBot ? 'bot' : 'person',
    association: isBot || typeof level !== 'number' ? null : (ASSOCIATIONS[level] ?? null),
    // A token has no app; its user's id is what can be listed.
    appId: isBot ? id : null,
  };
}
