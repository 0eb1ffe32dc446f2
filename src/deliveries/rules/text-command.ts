import { namesEvent } from '../../conditions/event-type.ts';
import { unquoted } from '../../lib/text/index.ts';
import { findMention, type Mention, type Search } from '../../lib/text/mention.ts';
import { isMarked } from '../../providers/kit/marker.ts';
import { sampleBringsText } from '../../providers/kit/samples.ts';
import { RESERVED_COMMAND_NAMES, type TextCommand, type Webhook, type WebhookEvent } from '../../types.ts';

/** The command that a text calls, with its argument; or why it calls none. */
export type Call =
  | {
      readonly command: TextCommand;
      readonly argument: string;
      readonly reason: string;
      /** The event itself asked (an assignment), not its text. */
      readonly byEvent?: true;
    }
  | { readonly command: null; readonly reason: string; readonly byEvent?: undefined };

/** What a text with `approve [task id]` or `stop [task id]` asks for. */
export interface Steering {
  /** The task that it names. */
  readonly taskId: string | null;
  /** When it was written, in epoch milliseconds; null where the payload does not say. */
  readonly writtenAt: number | null;
}

/** Finds the command that an event's text calls. Pure; `senders.ts` checks the sender. */
export function findCall(webhook: Webhook, event: WebhookEvent): Call {
  const named = event.text !== null && (event.textOrigin !== 'edited' || namesEvent(webhook.events, event));
  const found = named ? search(webhook, event) : null;
  if (found?.mention) return lookUp(webhook, found.mention);
  if (event.asks != null) {
    const call = defaultCall(webhook, '', event.asks);
    return call.command === null ? call : { ...call, byEvent: true };
  }
  if (!webhook.requirePrefix && namesEvent(webhook.events, event)) {
    return defaultCall(webhook, event.text ?? '', `${event.type} runs the default command without a prefix`);
  }
  return { command: null, reason: found?.reason ?? silence(webhook, event) };
}

/**
 * `@agent approve [task id]`, `@agent stop [task id]`; the id is null when none is named. Only at the beginning of a text:
 * further on it may be part of a sentence about it. Never an edit: an editor of a text is not always its author.
 */
export function steeringCall(
  webhook: Webhook,
  event: WebhookEvent,
  word: (typeof RESERVED_COMMAND_NAMES)[number],
): Steering | null {
  if (event.text === null || event.textOrigin !== 'created') return null;
  const { mention } = search(webhook, event);
  if (mention?.word !== word || !mention.isFirst) return null;
  const [line = ''] = mention.afterWord.split('\n', 1);
  // A damaged id (bold, a link, capitals, cut off) still names a task: then no other task is meant.
  const taskId = /\btask-[0-9a-z]*/i.exec(line)?.[0].toLowerCase() ?? null;
  return { taskId, writtenAt: event.writtenAt ?? null };
}

/**
 * What `@agent link <address>` names; null for any other text, and where the webhook has a command of that name. Only at the
 * beginning of a text, as it was first written.
 */
export function linkCall(webhook: Webhook, event: WebhookEvent): string | null {
  if (event.text === null || event.textOrigin !== 'created') return null;
  const { mention } = search(webhook, event);
  if (mention?.word !== 'link' || !mention.isFirst) return null;
  const isCommand = textCommands(webhook).some(({ name, aliases }) => [name, ...aliases].includes('link'));
  return isCommand ? null : (/^\S+/.exec(mention.afterWord)?.[0] ?? '');
}

/** Looks for the webhook's prefix in what the writer says. */
function search({ commandPrefix }: Webhook, { text, textFormat = 'markdown' }: WebhookEvent): Search {
  return findMention(text ?? '', textFormat, commandPrefix);
}

/** Why the text was not searched at all. */
function silence(webhook: Webhook, event: WebhookEvent): string {
  if (event.text === null) {
    if (event.withoutText != null) return event.withoutText;
    return `${event.type} brings no text${canBringText(webhook, event.type) ? '' : ' that commands'}`;
  }
  return `the text is an edit, and \`events\` of ${webhook.name} does not name ${event.type}`;
}

/** Whether people write something in events of this type, as far as the provider's sample of it tells. */
function canBringText({ provider }: Webhook, type: string): boolean {
  const sample = provider.samples.find((each) => each.type === type);
  return sample !== undefined && sampleBringsText(sample);
}

/** Why an event may start nothing at all. Null when it may. */
export function ownPost(event: WebhookEvent): string | null {
  if (event.isOwn === true) return 'hookctl’s own GitHub App did this';
  return event.text !== null && isMarked(unquoted(event.text, event.textFormat))
    ? 'hookctl posted this text itself'
    : null;
}

function lookUp(webhook: Webhook, { word, afterWord, afterPrefix }: Mention): Call {
  if ((RESERVED_COMMAND_NAMES as readonly string[]).includes(word)) {
    return {
      command: null,
      reason: `\`${word}\` counts only at the beginning of a comment, and starts no command`,
    };
  }
  const command = textCommands(webhook).find(({ name, aliases }) =>
    [name, ...aliases].some((known) => known.toLowerCase() === word),
  );
  if (command !== undefined) return { command, argument: afterWord, reason: `the text says \`${word}\`` };
  const said = word === '' ? 'no command follows the prefix' : `\`${word}\` is no command`;
  return defaultCall(webhook, afterPrefix, `${said}; the default runs`);
}

function defaultCall(webhook: Webhook, argument: string, reason: string): Call {
  const command = textCommands(webhook).find(({ name }) => name === webhook.defaultCommand);
  if (command !== undefined) return { command, argument, reason };
  const names = textCommands(webhook).map(({ name }) => name);
  return {
    command: null,
    reason: `no known command behind the prefix; known: ${names.join(', ') || 'none'}`,
  };
}

function textCommands(webhook: Webhook): readonly TextCommand[] {
  return webhook.commands.filter((command) => command.kind === 'text');
}
