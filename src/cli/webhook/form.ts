import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { Webhook } from '../../types.ts';

/** The provider's web form, filled in, one field a line. `secret` is shown in place of the command that prints it. */
export function formLines({ name, provider }: Webhook, url: string, secret: string | null = null): string {
  const secretCommand = commandLine('hookctl', 'webhook', 'show', name, '--show-secret');
  const enterCommand = commandLine('hookctl', 'webhook', 'edit', name, '--secret-stdin');
  const shown = (value: string) => (secret !== null && value.includes(secretCommand) ? secret : value);
  return provider
    .formFields({ url, secretCommand, enterCommand })
    .map(({ label, value }) => `  ${label}: ${escapeInvisibleLine(shown(value))}`)
    .join('\n');
}
