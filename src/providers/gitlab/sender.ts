import { getPath } from '../../lib/json.ts';
import type { JsonObject, Sender } from '../../types.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';
import { isMachineName } from './machine-accounts.ts';

/**
 * `project.visibility_level` → how somebody who acts there stands to it. GitLab does not tell a user's role; but only
 * members can do anything in a private project, and only signed-in users of the instance in an internal one. In a
 * public one anybody may write: no association.
 */
const ASSOCIATIONS: Readonly<Record<string, string>> = { 0: 'member', 10: 'internal' };

/**
 * Events whose fields `user_id` and `user_username` name who acted. In the system hooks on members, users and keys
 * (`user_add_to_team`, `user_create`, `user_access_request_to_group`) they name whom the event is about, and nothing names who did it.
 */
const FLAT_ACTORS = ['push', 'tag_push', 'repository_update'];

/** The user who acted; push events name them in fields of their own. Null when nobody is named. */
export function senderOf(payload: JsonObject): Sender | null {
  const actor = actorOf(payload);
  const id = idAt(actor, 'id');
  if (id === null) return null;
  const login = textAt(actor, 'username') ?? '';
  const mailbox = textAt(actor, 'email')?.split('@')[0] ?? '';
  const isBot = isMachineName(login) || isMachineName(mailbox);
  const level = getPath(payload, ['project', 'visibility_level']);
  return {
    id,
    name: login || (textAt(actor, 'name') ?? id),
    kind: isBot ? 'bot' : 'person',
    association: isBot || typeof level !== 'number' ? null : (ASSOCIATIONS[level] ?? null),
    // A token has no app; its user's id is what can be listed.
    appId: isBot ? id : null,
  };
}

function actorOf(payload: JsonObject): JsonObject | undefined {
  const user = objectAt(payload, 'user');
  if (user !== null) return user;
  if (!FLAT_ACTORS.includes(textAt(payload, 'event_name') ?? textAt(payload, 'object_kind') ?? ''))
    return undefined;
  const { user_id: id, user_username: username, user_name: name, user_email: email } = payload;
  return Object.fromEntries(
    Object.entries({ id, username, name, email }).filter(([, value]) => value !== undefined),
  ) as JsonObject;
}
