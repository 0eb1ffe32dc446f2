import type { WebhookCommand } from '../types.ts';

/** How a command is named in rows, reasons and lines: by its name; a trigger, which has none, by its id. */
export function commandLabel(command: WebhookCommand): string {
  return command.kind === 'text' ? command.name : command.id;
}
