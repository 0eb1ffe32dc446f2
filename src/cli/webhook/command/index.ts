import type { Command } from 'commander';
import { addSubcommands, type Runner, type Subcommand } from '../../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'add', load: async () => (await import('./add.ts')).configureCommandAdd },
  { name: 'list', load: async () => (await import('./list.ts')).configureCommandList },
  { name: 'edit', load: async () => (await import('./edit.ts')).configureCommandEdit },
  { name: 'remove', load: async () => (await import('./remove.ts')).configureCommandRemove },
];

export function configureCommand(command: Command, runner: Runner): Promise<void> {
  command.description('The commands of a webhook: what people can ask for, and what happens by itself.');
  return addSubcommands(command, runner, subcommands);
}
