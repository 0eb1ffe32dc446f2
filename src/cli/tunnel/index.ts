import { addSubcommands, type CliCommand, type Subcommand } from '../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'list', load: async () => (await import('./list.ts')).configureList },
  { name: 'open', load: async () => (await import('./open.ts')).configureOpen },
  { name: 'status', load: async () => (await import('./status.ts')).configureStatus },
  { name: 'new', load: async () => (await import('./new.ts')).configureNew },
];

export const tunnel: CliCommand = {
  configure: (command, runner) => addSubcommands(command, runner, subcommands),
};
