import { getPath } from '../../lib/json.ts';
import { idAt, objectAt, objectsAt, textAt } from '../../lib/payload.ts';
import type { EventAuthor, JsonObject, Sender } from '../../types.ts';

/** Slackbot posts reminders in other people's words. */
const SLACKBOT = 'USLACKBOT';

/** Who wrote a message, or did what an event tells of; `by` is the id where another field than `user` names them. */
export function senderOf(envelope: JsonObject, act: JsonObject, by: string | null = null): Sender | null {
  const botId = idAt(act, 'bot_id');
  const id = by ?? idAt(act, 'user') ?? idAt(act, 'user', 'id') ?? botId;
  if (id === null) return null;
  const isBot = botId !== null || id === SLACKBOT || textAt(act, 'subtype') === 'bot_message';
  return {
    id,
    name: nameOf(act) ?? id,
    kind: isBot ? 'bot' : 'person',
    association: isBot ? null : associationOf(envelope, act),
    appId: appOf(act),
  };
}

/** Who a message names as its writer, edited or not. */
export function authorOf(message: JsonObject): EventAuthor | null {
  const id = idAt(message, 'user') ?? idAt(message, 'user', 'id') ?? idAt(message, 'bot_id');
  return id === null ? null : { id, name: nameOf(message) ?? id };
}

/** The app that posted a message; null when a person did. */
export function appOf(act: JsonObject): string | null {
  return idAt(act, 'app_id') ?? idAt(act, 'bot_profile', 'app_id');
}

function nameOf(act: JsonObject): string | null {
  const profile = objectAt(act, 'user_profile') ?? objectAt(act, 'user', 'profile');
  const names = [
    textAt(profile ?? {}, 'display_name'),
    textAt(profile ?? {}, 'real_name'),
    textAt(act, 'username'),
  ];
  return names.find((name) => name !== null && name !== '') ?? textAt(act, 'bot_profile', 'name');
}

/**
 * `member`: of the workspace, or of its organisation. `guest`: the payload says so, which it does not always; a
 * guest that it does not mark counts as a member. `external`: in a channel that is shared with another company,
 * everybody who is not known to be of ours.
 */
function associationOf(envelope: JsonObject, act: JsonObject): string {
  const profile = objectAt(act, 'user_profile') ?? objectAt(act, 'user') ?? {};
  const marked = markedAs(profile);
  if (marked !== null) return marked;
  if (getPath(envelope, ['is_ext_shared_channel']) === false) return 'member';
  const [authorization = {}] = objectsAt(envelope, 'authorizations');
  const team = idAt(authorization, 'team_id') ?? idAt(envelope, 'team_id');
  const organisation = idAt(authorization, 'enterprise_id') ?? idAt(envelope, 'enterprise_id');
  // Of people in an organisation Slack also names that in place of their workspace (`E…`).
  const theirs = idAt(act, 'user_team') ?? idAt(act, 'source_team') ?? idAt(act, 'team');
  const isShared = getPath(envelope, ['is_ext_shared_channel']) === true;
  if (theirs === null) return isShared ? 'external' : 'member';
  return theirs === team || theirs === organisation ? 'member' : 'external';
}

/** What a payload says of an account outright; null when it says nothing. */
function markedAs(profile: JsonObject): 'guest' | 'external' | null {
  const isMarked = (...flags: readonly string[]) => flags.some((flag) => getPath(profile, [flag]) === true);
  if (isMarked('is_stranger')) return 'external';
  return isMarked('is_restricted', 'is_ultra_restricted') ? 'guest' : null;
}

/**
 * Who clicked a button or sent a modal. `user.team_id` is the user's own workspace or organisation (`E…`), `team` the one of the
 * message's app, or, for a modal in a shared channel, of the user: there `view.app_installed_team_id` is the app's. An app that a whole
 * organisation installed may name no `team`. People of another workspace belong to the organisation if the payload says so: of
 * themselves, or by an `enterprise` that is the one of `team`. Sources: docs.slack.dev, "block_actions payload" (`user`, `team`);
 * slackapi/bolt-python `request/internals.py` (`extract_team_id`, `extract_actor_enterprise_id`, which takes `enterprise` for the
 * actor's in interactions); slackapi/java-slack-sdk issue 1041 (`team` in a shared channel).
 */
export function clickerOf(payload: JsonObject): Sender | null {
  const user = objectAt(payload, 'user') ?? {};
  const id = idAt(user, 'id');
  if (id === null) return null;
  return {
    id,
    name: textAt(user, 'username') ?? textAt(user, 'name') ?? id,
    kind: getPath(user, ['is_bot']) === true || id === SLACKBOT ? 'bot' : 'person',
    association: markedAs(user) ?? (isOurs(payload, user) ? 'member' : 'external'),
    appId: null,
  };
}

function isOurs(payload: JsonObject, user: JsonObject): boolean {
  const home = idAt(user, 'team_id');
  const installed = idAt(payload, 'view', 'app_installed_team_id');
  const team = installed ?? idAt(payload, 'team', 'id');
  if (home === null || team === null || home === team) return true;
  // Of the app's workspace a modal names the organisation only where that installed the app.
  const ofTeam =
    installed === null || installed === idAt(payload, 'team', 'id')
      ? (idAt(payload, 'team', 'enterprise_id') ?? idAt(payload, 'team', 'enterprise', 'id'))
      : installed;
  const enterprise = idAt(payload, 'enterprise', 'id');
  const ofUser =
    idAt(user, 'enterprise_user', 'enterprise_id') ??
    idAt(user, 'enterprise_id') ??
    idAt(user, 'enterprise', 'id') ??
    (home.startsWith('E') ? home : null);
  return ofUser === null ? ofTeam !== null && ofTeam === enterprise : ofUser === (ofTeam ?? enterprise);
}
