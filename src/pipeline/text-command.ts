import { isMarked } from '../lib/marker.ts';
import { spoken, unquoted } from '../lib/spoken.ts';
import { sampleBringsText } from '../providers/sample-text.ts';
import { RESERVED_COMMAND_NAMES, type TextCommand, type Webhook, type WebhookEvent } from '../types.ts';
import { eventMatches } from './event-type.ts';

/** What a text asks for: one command with its argument, or none and why. */
export type Call =
  | {
      readonly command: TextCommand;
      readonly argument: string;
      readonly reason: string;
      /** The event itself asked (an assignment), not its text. */
      readonly byEvent?: true;
    }
  | { readonly command: null; readonly reason: string; readonly byEvent?: undefined };

/** Finds the command that an event's text asks for. Pure; the sender is judged elsewhere. */
export function findCall(webhook: Webhook, event: WebhookEvent): Call {
  const named =
    event.text !== null && (event.textOrigin !== 'edited' || eventMatches(webhook.events, event.type));
  const found = named ? behindPrefix(event.text ?? '', webhook.commandPrefix) : null;
  if (found !== null) return lookUp(webhook, found);
  if (event.asks != null) {
    const call = defaultCall(webhook, '', event.asks);
    return call.command === null ? call : { ...call, byEvent: true };
  }
  if (!webhook.requirePrefix && eventMatches(webhook.events, event.type)) {
    return defaultCall(webhook, event.text ?? '', `${event.type} runs the default command without a prefix`);
  }
  return { command: null, reason: silence(webhook, event) };
}

/**
 * `@agent approve [task id]`, `@agent stop [task id]`; the id is null when none is named. Never an edit: whoever may edit a text
 * is not always the one whose word it is.
 */
export function steeringCall(
  webhook: Webhook,
  event: WebhookEvent,
  word: (typeof RESERVED_COMMAND_NAMES)[number],
): { readonly taskId: string | null } | null {
  if (event.text === null || event.textOrigin !== 'created') return null;
  const found = behindPrefix(event.text, webhook.commandPrefix);
  if (found?.word !== word) return null;
  return { taskId: /^`?(task-[0-9a-z]+)/.exec(found.afterWord)?.[1] ?? null };
}

function silence(webhook: Webhook, event: WebhookEvent): string {
  if (event.text === null) {
    return `${event.type} brings no text${canBringText(webhook, event.type) ? '' : ' that commands'}`;
  }
  if (event.textOrigin === 'edited' && !eventMatches(webhook.events, event.type)) {
    return `the text is an edit, and \`events\` of ${webhook.name} does not name ${event.type}`;
  }
  if (event.text.includes(webhook.commandPrefix)) {
    return `\`${webhook.commandPrefix}\` stands only in quotes, code or inside another word`;
  }
  return `the text has no \`${webhook.commandPrefix}\``;
}

/** Whether people write something in events of this type, as far as the provider's sample of it tells. */
function canBringText({ protocol }: Webhook, type: string): boolean {
  const sample = protocol.samples.find((each) => each.type === type);
  return sample !== undefined && sampleBringsText(sample);
}

/** Why an event may start nothing at all; null when it may. */
export function ownPost(event: WebhookEvent): string | null {
  return event.text !== null && isMarked(unquoted(event.text)) ? 'hookctl posted this text itself' : null;
}

interface Found {
  /** The word behind the prefix in lower case, without the punctuation that ends it; empty at the end of the text. */
  readonly word: string;
  /** The text behind the word, and behind the prefix. */
  readonly afterWord: string;
  readonly afterPrefix: string;
}

/** The first prefix that the writer speaks as a word of its own: not `@agent-x`, `@agent.dev` or `mail@agent`. */
function behindPrefix(text: string, prefix: string): Found | null {
  const escaped = prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const match = new RegExp(`(?<=^|[\\s(*_])${escaped}(?=[\\s,!?;:)*]|\\.*(?!\\S))[.,!?;:*]*`, 'iu').exec(
    spoken(text),
  );
  if (match === null) return null;
  const afterPrefix = text.slice(match.index + match[0].length);
  const word = /^\s*(\S+)/.exec(afterPrefix);
  return {
    word: (word?.[1] ?? '').replace(/[.,!?;:)*]+$/, '').toLowerCase(),
    afterWord: afterPrefix.slice(word?.[0].length ?? 0).trim(),
    afterPrefix: afterPrefix.trim(),
  };
}

function lookUp(webhook: Webhook, { word, afterWord, afterPrefix }: Found): Call {
  if ((RESERVED_COMMAND_NAMES as readonly string[]).includes(word)) {
    return { command: null, reason: `\`${word}\` is reserved and starts no command` };
  }
  const command = textCommands(webhook).find(({ name, aliases }) =>
    [name, ...aliases].some((known) => known.toLowerCase() === word),
  );
  if (command !== undefined) return { command, argument: afterWord, reason: `the text says \`${word}\`` };
  const said = word === '' ? 'no command stands' : `\`${word}\` is no command; the default stands in`;
  return defaultCall(
    webhook,
    afterPrefix,
    word === '' ? `${said} behind the prefix; the default stands in` : said,
  );
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
