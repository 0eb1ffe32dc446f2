import { addSubcommands, type CliCommand, type Subcommand } from '../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'add', load: async () => (await import('./add.ts')).configureAdd },
  { name: 'list', load: async () => (await import('./list.ts')).configureList },
  { name: 'show', load: async () => (await import('./show.ts')).configureShow },
  { name: 'edit', load: async () => (await import('./edit.ts')).configureEdit },
  { name: 'enable', load: async () => (await import('./enable.ts')).configureEnable },
  { name: 'disable', load: async () => (await import('./disable.ts')).configureDisable },
  { name: 'remove', load: async () => (await import('./remove.ts')).configureRemove },
  { name: 'rotate-secret', load: async () => (await import('./rotate-secret.ts')).configureRotateSecret },
  { name: 'command', load: async () => (await import('./command/index.ts')).configureCommand },
  { name: 'export', load: async () => (await import('./export.ts')).configureExport },
  { name: 'import', load: async () => (await import('./import.ts')).configureImport },
  { name: 'restore', load: async () => (await import('./restore.ts')).configureRestore },
];

export const webhook: CliCommand = {
  configure: (command, runner) => addSubcommands(command, runner, subcommands),
};
