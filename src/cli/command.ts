import type { Command } from 'commander';
import type { App, AppFlags, Host } from '../app.ts';
import type { ExitCode } from '../errors.ts';

/** One command of the CLI, or a group with subcommands. One file (or folder) each, listed in `cli/index.ts`. */
export interface CliCommand {
  /** Adds arguments, options, help and action to the command that was made for it. */
  configure(command: Command, runner: Runner): void;
}

/** Runs what a command does, and remembers its exit code for `cli.ts`. */
export interface Runner {
  readonly host: Host;
  /**
   * Opens the app, does the work, closes the app, whatever happens. `flags` are the command's options, the global
   * ones among them.
   */
  run(flags: AppFlags, work: (app: App) => Promise<ExitCode | undefined>): Promise<void>;
}

/** A runner, and the exit code that the last command left. */
export function createRunner(host: Host): { readonly runner: Runner; readonly exitCode: () => ExitCode } {
  let exitCode: ExitCode = 0;
  return {
    exitCode: () => exitCode,
    runner: {
      host,
      async run(flags, work) {
        // Everything heavy hangs on the app: read only now, or `--version` and `--help` would pay for it.
        const { createApp } = await import('../app.ts');
        const app = await createApp(host, flags);
        try {
          exitCode = (await work(app)) ?? 0;
        } finally {
          await app.close();
        }
      },
    },
  };
}

/** Lines under `Examples:` in a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
