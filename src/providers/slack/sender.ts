import { getPath } from '../../lib/json.ts';
import type { EventAuthor, JsonObject, Sender } from '../../types.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';

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
  const theirs =
    idAt(act, 'user_team') ?? idAt(act, 'source_team') ?? idAt(profile, 'team') ?? idAt(act, 'team');
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
 * organisation installed may name no `team`. Sources: docs.slack.dev, "block_actions payload" (`user`, `team`);
 * slackapi/java-slack-sdk issue 1041 (`team` in a shared channel); slackapi/bolt-js issue 1614 (`view.app_installed_team_id`).
 */
export function clickerOf(payload: JsonObject): Sender | null {
  const user = objectAt(payload, 'user') ?? {};
  const id = idAt(user, 'id');
  if (id === null) return null;
  return {
    id,
    name: textAt(user, 'username') ?? textAt(user, 'name') ?? id,
    kind: getPath(user, ['is_bot']) === true || id === SLACKBOT ? 'bot' : 'person',
    association: markedAs(user) ?? homeOf(payload, user),
    appId: null,
  };
}

/**
 * Whether the user is of our workspace or organisation. `enterprise` counts for the user where nothing is said of the user alone, as
 * in Slack's own SDKs (slackapi/bolt-python, `extract_actor_enterprise_id`). `unstated`: the payload leaves it out.
 */
function homeOf(payload: JsonObject, user: JsonObject): 'member' | 'external' | 'unstated' {
  const home = idAt(user, 'team_id');
  const installed = idAt(payload, 'view', 'app_installed_team_id');
  const team = idAt(payload, 'team', 'id');
  const ours = installed ?? team;
  if (home !== null && home === ours) return 'member';
  // A shortcut that belongs to no channel is offered only to people who have the app themselves.
  if (textAt(payload, 'type') === 'shortcut') return 'member';
  const enterprise = idAt(payload, 'enterprise', 'id');
  const organisation = organisationOf(payload, { installed, team });
  const ofUser =
    idAt(user, 'enterprise_user', 'enterprise_id') ??
    idAt(user, 'enterprise_id') ??
    idAt(user, 'enterprise', 'id') ??
    (home?.startsWith('E') === true ? home : null) ??
    (installed !== null && home === team ? idAt(payload, 'team', 'enterprise_id') : null);
  if (ofUser !== null && organisation !== null) return ofUser === organisation ? 'member' : 'external';
  if (home === null || (ours === null && organisation === null)) return 'unstated';
  if (organisation === null || (enterprise !== null && enterprise !== organisation)) return 'external';
  return enterprise === null || installed !== null ? 'unstated' : 'member';
}

/** The organisation of the app; of a modal's app only where that says so, since `team` may be the user's there. */
function organisationOf(
  payload: JsonObject,
  { installed, team }: { readonly installed: string | null; readonly team: string | null },
): string | null {
  if (installed !== null && installed !== team) return installed.startsWith('E') ? installed : null;
  const isWide = team === null || getPath(payload, ['is_enterprise_install']) === true;
  return (
    idAt(payload, 'team', 'enterprise_id') ??
    idAt(payload, 'team', 'enterprise', 'id') ??
    (isWide ? idAt(payload, 'enterprise', 'id') : null)
  );
}
