import { commandLine } from '../../lib/shell-quote.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { FormField, Webhook } from '../../types.ts';

/** The provider's web form, filled in. `secret` is shown in place of the command that prints it. */
export function formFields(
  { name, provider }: Webhook,
  url: string,
  secret: string | null = null,
): readonly FormField[] {
  const secretCommand = commandLine('hookctl', 'webhook', 'show', name, '--show-secret');
  const enterCommand = commandLine('hookctl', 'webhook', 'edit', name, '--secret-stdin');
  const shown = (value: string) => (secret !== null && value.includes(secretCommand) ? secret : value);
  return provider
    .formFields({ url, secretCommand, enterCommand })
    .map(({ label, value }) => ({ label, value: escapeInvisibleLine(shown(value)) }));
}
