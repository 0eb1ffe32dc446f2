import type { Command } from 'commander';
import type { ExitCode } from '../../errors.ts';
import type { Host, ServiceFlags, Services } from '../../services.ts';

/**
 * One command of the CLI: adds arguments, options, help and action to the command that was made for it. One file each,
 * listed in `cli/index.ts`.
 */
export type CliCommand = (command: Command, runner: Runner) => void;

/** The flag of every command that can print for programs. */
export interface JsonFlags extends ServiceFlags {
  readonly json?: boolean;
}

/** Runs what a command does, and remembers its exit code for `cli.ts`. */
export interface Runner {
  readonly host: Host;
  /** The command line as it was typed. */
  readonly argv: readonly string[];
  /**
   * Opens the app, does the work, closes the app, whatever happens. `flags` are the command's options, the global
   * ones among them.
   */
  run(flags: ServiceFlags, work: (app: Services) => Promise<ExitCode | undefined>): Promise<void>;
  /** The action of a command: does the work with its arguments, its options behind them. */
  action<Args extends readonly unknown[]>(
    command: Command,
    work: (app: Services, ...args: Args) => Promise<ExitCode | undefined>,
  ): (...args: Args) => Promise<void>;
}

/** A runner, and the exit code that the last command left. */
export function createRunner(
  host: Host,
  argv: readonly string[],
): { readonly runner: Runner; readonly exitCode: () => ExitCode } {
  let exitCode: ExitCode = 0;
  const run: Runner['run'] = async (flags, work) => {
    // The services bring everything heavy: loaded only now, so that `--version` and `--help` do without.
    const { openServices } = await import('../../services.ts');
    const app = await openServices(host, flags);
    try {
      exitCode = (await work(app)) ?? 0;
    } catch (error) {
      const { explainedWithin } = await import('../../store/local/sqlite.ts');
      throw explainedWithin(error, app.located.dataFolder);
    } finally {
      await app.close();
    }
  };
  const action: Runner['action'] =
    (command, work) =>
    (...args) =>
      run(command.optsWithGlobals(), (app) => work(app, ...args));
  return { exitCode: () => exitCode, runner: { host, argv, run, action } };
}

/** Lines under `Examples:` in a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
