import { getPath } from '../../lib/json.ts';
import type { JsonObject, Sender } from '../../types.ts';
import { accountSender } from '../kit/event.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/**
 * User names of accounts that no person uses, by GitLab's user types (all but `human`). Payloads do not tell the type. A taken name
 * gets a number behind it, and names of another organisation a suffix. Service accounts may be given any name: one that
 * was renamed cannot be told from a person. Source: gitlab-org/gitlab `app/models/concerns/has_user_type.rb`,
 * `lib/users/internal.rb` (`unique_internal`), docs.gitlab.com "Project access tokens", "Group service accounts".
 */
const MACHINES: readonly RegExp[] = [
  // project_bot: project and group access tokens.
  /^(?:project|group)_\d+_bot/,
  // service_account: of the instance, a group or a project.
  /^service[_-]account[_-]/,
  // support_bot writes what anybody mails to Service Desk; alert_bot, migration_bot, automation_bot, visual_review_bot.
  /^(?:support|alert|migration|automation|visual-review|suggested-reviewers)-bot(?:\d+|[-_].*)?$/,
  // security_bot, admin_bot, llm_bot, duo_code_review_bot.
  /^gitlab-(?:security|admin|llm)-bot(?:\d+|[-_].*)?$/,
  /^(?:security|admin)-bot\d*$/,
  /^gitlabduo(?:\d+|[-_].*)?$/,
  // security_policy_bot.
  /^(?:gitlab[-_])?security[-_]policy[-_](?:project[-_]\d+[-_])?bot/,
  // ghost: who was deleted.
  /^ghost\d*$/,
  // import_user and placeholder: whose text an import brought.
  /^import_user(?:_|$)/,
  /_placeholder(?:_user)?(?:_|$)/,
];

/** Whether a user name is one that GitLab gives to accounts of its own, of tokens or of services. */
function isMachineName(username: string): boolean {
  const name = username.toLowerCase();
  return MACHINES.some((pattern) => pattern.test(name));
}

/**
 * `project.visibility_level` → the association of an actor in that project. GitLab does not tell a user's role; but only
 * members can do anything in a private project, and only signed-in users of the instance in an internal one. In a
 * public one anybody may write: no association.
 */
const ASSOCIATIONS: Readonly<Record<string, string>> = { 0: 'member', 10: 'internal' };

/**
 * Events whose fields `user_id` and `user_username` name who acted. In the system hooks on members, users and keys
 * (`user_add_to_team`, `user_create`, `user_access_request_to_group`) they name whom the event is about, and nothing names who did it.
 */
const FLAT_ACTORS = ['push', 'tag_push', 'repository_update'];

/** The user who acted; push events name them in fields of their own. Null when no user is named. */
export function senderOf(payload: JsonObject): Sender | null {
  const actor = actorOf(payload);
  const id = idAt(actor, 'id');
  if (id === null) return null;
  const login = textAt(actor, 'username') ?? '';
  const mailbox = textAt(actor, 'email')?.split('@')[0] ?? '';
  const isBot = isMachineName(login) || isMachineName(mailbox);
  const level = getPath(payload, ['project', 'visibility_level']);
  const association = typeof level === 'number' ? (ASSOCIATIONS[level] ?? null) : null;
  return accountSender({ id, name: login || (textAt(actor, 'name') ?? id) }, { isBot, association });
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
