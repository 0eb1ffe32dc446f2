import { addSubcommands, type CliCommand, type Subcommand } from '../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'status', load: async () => (await import('./status.ts')).configureStatus },
  { name: 'install', load: async () => (await import('./install.ts')).configureInstall },
  { name: 'uninstall', load: async () => (await import('./uninstall.ts')).configureUninstall },
];

export const claude: CliCommand = {
  configure: (command, runner) => addSubcommands(command, runner, subcommands),
};
