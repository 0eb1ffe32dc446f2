import { shorten } from './lib/text/escape-invisible.ts';
import type { Task, WebhookCommand } from './types.ts';

/** Without a space or a mark nothing can instruct an agent. */
export const HARMLESS_ID = /^[\w.:/#@?=&%+~,;-]{1,500}$/;

/** An id or address as it is, where it cannot instruct an agent; else null. */
export function harmless(text: string | null): string | null {
  return text !== null && HARMLESS_ID.test(text) ? text : null;
}

/**
 * How agents read a task's name in lists and arguments, where nothing can be fenced: its command and external id. The
 * title holds the issue author's words; it is for people.
 */
export function agentLabel({
  command,
  externalId,
  flowId,
}: Pick<Task, 'command' | 'externalId' | 'flowId'>): string {
  const about = HARMLESS_ID.test(externalId) ? externalId : flowId;
  return `${command ?? 'task'} ${shorten(about, 200)}`;
}

/** How a command is named in rows, reasons and lines: by its name; a trigger, which has none, by its id. */
export function commandLabel(command: WebhookCommand): string {
  return command.kind === 'text' ? command.name : command.id;
}
