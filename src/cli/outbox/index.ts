import { addSubcommands, type CliCommand, type Subcommand } from '../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'list', load: async () => (await import('./list.ts')).configureList },
  { name: 'retry', load: async () => (await import('./change.ts')).configureRetry },
  { name: 'drop', load: async () => (await import('./change.ts')).configureDrop },
];

export const outbox: CliCommand = {
  configure: (command, runner) => addSubcommands(command, runner, subcommands),
};
