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
  const restricted = ['is_restricted', 'is_ultra_restricted'].some(
    (flag) => getPath(profile, [flag]) === true,
  );
  if (restricted) return 'guest';
  if (getPath(envelope, ['is_ext_shared_channel']) === false) return 'member';
  const [authorization = {}] = objectsAt(envelope, 'authorizations');
  const ours = idAt(authorization, 'team_id') ?? idAt(envelope, 'team_id');
  const theirs = idAt(act, 'user_team') ?? idAt(act, 'source_team') ?? idAt(act, 'team');
  const isShared = getPath(envelope, ['is_ext_shared_channel']) === true;
  return theirs === ours || (theirs === null && !isShared) ? 'member' : 'external';
}
