import { addSubcommands, type CliCommand, type Subcommand } from '../kit/command.ts';

/** In the order of the help. */
const subcommands: readonly Subcommand[] = [
  { name: 'list', load: async () => (await import('./list.ts')).configureList },
  { name: 'show', load: async () => (await import('./show.ts')).configureShow },
  { name: 'logs', load: async () => (await import('./logs.ts')).configureLogs },
  { name: 'create', load: async () => (await import('./create.ts')).configureCreate },
  { name: 'start', load: async () => (await import('./step.ts')).configureStep('start') },
  { name: 'complete', load: async () => (await import('./complete.ts')).configureComplete },
  { name: 'fail', load: async () => (await import('./fail.ts')).configureFail },
  { name: 'cancel', load: async () => (await import('./cancel.ts')).configureCancel },
  { name: 'approve', load: async () => (await import('./step.ts')).configureStep('approve') },
  { name: 'release', load: async () => (await import('./release.ts')).configureRelease },
  { name: 'retry', load: async () => (await import('./step.ts')).configureStep('retry') },
  { name: 'prune', load: async () => (await import('./prune.ts')).configurePrune },
];

export const task: CliCommand = {
  configure: (command, runner) => addSubcommands(command, runner, subcommands),
};
