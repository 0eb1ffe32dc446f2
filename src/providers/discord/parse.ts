import type { JsonObject, Parsed } from '../../types.ts';
import { authoredBy, event } from '../generic/event.ts';
import type { ReadContext } from '../generic/preset.ts';
import { idAt, textAt } from '../kit/payload.ts';
import { senderOf } from './sender.ts';
import { spokenText } from './spoken-text.ts';

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
  const parsed = event(payload, {
    type,
    externalId: channel === null || !/^\d+$/.test(channel) ? null : `discord:${channel}`,
    sender,
    isClick: true,
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
