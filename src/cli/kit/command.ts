import { Command as CommanderCommand } from 'commander';
import type { ExitCode } from '../../errors.ts';
import type { Host, ServiceFlags, Services } from '../../services.ts';

/**
 * One command of the CLI: adds arguments, options, help and action to the command that was made for it. One file each,
 * listed in `cli/index.ts`.
 */
export type CliCommand = (command: Command, runner: Runner) => void;

/** Flags of a command that can print JSON. */
export interface JsonFlags extends ServiceFlags {
  readonly json?: boolean;
}

/** Runs the work of a command, and keeps its exit code for `cli.ts`. */
export interface Runner {
  readonly host: Host;
  /** The command line as it was typed. */
  readonly argv: readonly string[];
  /** Every command with all of its options, for completions. None is run. */
  readonly wholeProgram: () => Promise<CommanderCommand>;
  /**
   * Opens the services, does the work, and closes them in any case. `flags` are the command's options, the global
   * ones included.
   */
  run(flags: ServiceFlags, work: (app: Services) => Promise<ExitCode | undefined>): Promise<void>;
  /** Makes the action of a command: the work gets its arguments, then its options. */
  action<Args extends readonly unknown[]>(
    command: Command,
    work: (app: Services, ...args: Args) => Promise<ExitCode | undefined>,
  ): (...args: Args) => Promise<void>;
}

/** Makes a runner, and a function that returns the exit code of the command that ran. */
export function createRunner(
  host: Host,
  argv: readonly string[],
  wholeProgram: Runner['wholeProgram'],
): { readonly runner: Runner; readonly exitCode: () => ExitCode } {
  let exitCode: ExitCode = 0;
  const run: Runner['run'] = async (flags, work) => {
    // Loaded only here, because `--version` and `--help` need no services.
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
  return { exitCode: () => exitCode, runner: { host, argv, wholeProgram, run, action } };
}

/** Columns of help text. */
export const HELP_WIDTH = 80;

/** A command of commander that also takes examples. */
export class Command extends CommanderCommand {
  override createCommand(name?: string): Command {
    return new Command(name);
  }

  /** Adds lines under `Examples:` to the help; a long one continues on the next line, as a shell allows. */
  examples(...lines: readonly string[]): this {
    return this.addHelpText('after', `\nExamples:\n${lines.map(continued).join('\n')}`);
  }
}

function continued(line: string): string {
  const lines: string[] = [];
  let current = ' ';
  for (const piece of line.split(/ (?=--|\| |&& |http)/)) {
    if (current !== ' ' && current.length + piece.length + 3 > HELP_WIDTH) {
      lines.push(`${current} \\`);
      current = '     ';
    }
    current += ` ${piece}`;
  }
  return [...lines, current].join('\n');
}
