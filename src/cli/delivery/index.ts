import { addSubcommands, type CliCommand, type Subcommand } from '../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'list', load: async () => (await import('./list.ts')).configureList },
  { name: 'show', load: async () => (await import('./show.ts')).configureShow },
  { name: 'prune', load: async () => (await import('./prune.ts')).configurePrune },
  { name: 'retry', load: async () => (await import('./retry.ts')).configureRetry },
];

export const delivery: CliCommand = {
  configure: (command, runner) => addSubcommands(command, runner, subcommands),
};
