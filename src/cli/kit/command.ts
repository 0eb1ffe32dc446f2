import type { Command } from 'commander';
import type { ExitCode } from '../../errors.ts';
import type { Host, ServiceFlags, Services } from '../../services.ts';

/** One command of the CLI, or a group with subcommands. One file (or folder) each, listed in `cli/index.ts`. */
export interface CliCommand {
  /** Adds arguments, options, help and action to the command that was made for it. */
  configure(command: Command, runner: Runner): void | Promise<void>;
}

/** One subcommand of a group: its module is read when the command line names it. */
export interface Subcommand {
  readonly name: string;
  readonly load: () => Promise<(command: Command, runner: Runner) => void | Promise<void>>;
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
}

/** A runner, and the exit code that the last command left. */
export function createRunner(
  host: Host,
  argv: readonly string[],
): { readonly runner: Runner; readonly exitCode: () => ExitCode } {
  let exitCode: ExitCode = 0;
  return {
    exitCode: () => exitCode,
    runner: {
      host,
      argv,
      async run(flags, work) {
        // Everything heavy hangs on the app: read only now, or `--version` and `--help` would pay for it.
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
      },
    },
  };
}

/**
 * Adds the subcommands of a group that the command line names; all of them when it names none or asks for help,
 * because then they are to be listed.
 */
export async function addSubcommands(
  group: Command,
  runner: Runner,
  subcommands: readonly Subcommand[],
): Promise<void> {
  const { argv } = runner;
  const named = subcommands.filter(({ name }) => argv.includes(name));
  const typed = argv[argv.indexOf(group.name()) + 1] ?? '';
  const isUnknown = !typed.startsWith('-') && !subcommands.some(({ name }) => name === typed);
  const listed =
    named.length === 0 || isUnknown || ['help', '-h', '--help'].some((help) => argv.includes(help));
  for (const { name, load } of listed ? subcommands : named) {
    await (await load())(group.command(name), runner);
  }
}

/** Lines under `Examples:` in a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
