import { getPath } from '../../lib/json.ts';
import type { JsonObject, Sender } from '../../types.ts';
import { idAt, objectAt, textAt } from '../kit/payload.ts';

/**
 * Who did it. An app can be taken into any server, also by strangers, who may do there what they like: so the
 * association names the server, `guild:<id>`, and none is allowed by default.
 */
export function senderOf(payload: JsonObject): Sender | null {
  const user = objectAt(payload, 'member', 'user') ?? objectAt(payload, 'user');
  const id = idAt(user ?? undefined, 'id');
  if (user === null || id === null) return null;
  // `system`: Discord's own account; `webhook_id`: a webhook, which shows any name. Source: discord.com/developers, "User", "Message".
  const webhook = idAt(payload, 'webhook_id');
  const isSystem = getPath(user, ['system']) === true;
  const isBot = getPath(user, ['bot']) === true || isSystem || webhook !== null;
  const guild = idAt(payload, 'guild_id');
  const isMember = objectAt(payload, 'member') !== null && guild !== null;
  return {
    id,
    name: textAt(user, 'global_name') ?? textAt(user, 'username') ?? id,
    kind: isBot ? 'bot' : 'person',
    association: !isBot && isMember ? `guild:${guild}` : null,
    appId: isBot && !isSystem ? (webhook ?? id) : null,
  };
}
