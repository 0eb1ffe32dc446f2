import { getPath } from '../../lib/json.ts';
import type { JsonObject, Parsed, Sender } from '../../types.ts';
import { authoredBy, event, readButton } from '../kit/event.ts';
import { idAt, objectAt, objectsAt, textAt } from '../kit/payload.ts';
import type { ReadContext } from '../provider.ts';

/**
 * Who did it. An app can be taken into any server, also by strangers, who may do there what they like: so the
 * association names the server, `guild:<id>`, and none is allowed by default.
 */
function senderOf(payload: JsonObject): Sender | null {
  const user = objectAt(payload, 'member', 'user') ?? objectAt(payload, 'user');
  const id = idAt(user, 'id');
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

/**
 * A slash command addresses the app, as the prefix does in a text: `/agent prompt:fix it` is `@agent fix it`, and
 * `/fix what:it` is `@agent fix it`, too.
 */
function spokenText(payload: JsonObject, name: string, prefix: string): string {
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

/** `type` of an interaction, in Discord's words (Interaction Type). */
const TYPES: Readonly<Record<string, string>> = {
  1: 'ping',
  2: 'application_command',
  3: 'message_component',
  4: 'application_command_autocomplete',
  5: 'modal_submit',
};

/** Reads a verified interaction. */
export function parse(payload: JsonObject, { settings }: ReadContext): Parsed {
  const type = typeOf(payload);
  const id = idAt(payload, 'id');
  const channel = idAt(payload, 'channel_id');
  const name = textAt(payload, 'data', 'name');
  const sender = senderOf(payload);
  const isCommand = type === 'application_command' && name !== null;
  const [action, value] = (textAt(payload, 'data', 'custom_id') ?? '').split('=', 2);
  const button =
    type === 'message_component'
      ? readButton(action ?? null, value ?? null, idAt(payload, 'message', 'id'))
      : null;
  const parsed = event(payload, {
    type,
    externalId: channel === null || !/^\d+$/.test(channel) ? null : `discord:${channel}`,
    sender,
    isClick: true,
    ...(button !== null && { button }),
    textFormat: 'plain',
    text: isCommand ? spokenText(payload, name, settings.commandPrefix) : null,
    author: isCommand ? authoredBy(sender) : null,
    writtenAt: momentOf(id),
    title: name === null ? null : `/${name}`,
    url:
      channel === null
        ? null
        : `https://discord.com/channels/${idAt(payload, 'guild_id') ?? '@me'}/${channel}`,
  });
  return { ok: true, events: [parsed], semanticKeys: id === null ? [] : [`interaction:${id}`] };
}

export function typeOf(payload: JsonObject): string {
  const type = idAt(payload, 'type') ?? '';
  return (Object.hasOwn(TYPES, type) ? TYPES[type] : null) ?? 'unknown';
}

/** Discord's ids tell when they were made: milliseconds since 2015, above 22 other bits. Source: Discord, "Snowflakes". */
function momentOf(id: string | null): number | null {
  return id !== null && /^\d{15,20}$/.test(id) ? Number(BigInt(id) >> 22n) + 1_420_070_400_000 : null;
}
