import type { Webhook } from '../types.ts';

/** The text commands of a webhook as a Markdown list, for `{{@commands}}`: what a person may write, and what comes of it. */
export function commandList({ commands, commandPrefix, defaultCommand }: Webhook): string {
  return commands
    .flatMap((command) => (command.kind === 'text' ? [command] : []))
    .map(({ name, aliases, action, targetAgent, requiresApproval }) => {
      const notes = [
        ...(aliases.length > 0 ? [`also ${aliases.map((alias) => `\`${alias}\``).join(', ')}`] : []),
        ...(action === 'create_task' ? [`a task for ${targetAgent}`] : []),
        ...(requiresApproval ? ['waits for approval'] : []),
        ...(name === defaultCommand ? ['the default'] : []),
      ];
      return `- \`${commandPrefix} ${name}\`${notes.length > 0 ? `: ${notes.join('; ')}` : ''}`;
    })
    .join('\n');
}
