import { Command, CommanderError, Help, type Option } from 'commander';
import type { Host } from './app.ts';
import { createRunner } from './cli/command.ts';
import { commands } from './cli/index.ts';
import { type ExitCode, HookctlError, messageOf } from './errors.ts';
import { paint, say } from './lib/io.ts';
import { hookctlVersion } from './lib/version.ts';

/**
 * Runs one command line. The only place where exit codes are decided. Modules of commands are read when they are
 * called, so that `hookctl --version` stays as quick as Node itself.
 */
export async function main(argv: readonly string[], host: Host): Promise<ExitCode> {
  const { runner, exitCode } = createRunner(host);
  try {
    const program = createProgram(host);
    for (const { name, summary, load } of commands) {
      const command = program
        .command(name)
        .summary(summary)
        .description(sentence(summary))
        .showHelpAfterError(`See hookctl ${name} --help`);
      if (argv.includes(name)) (await load()).configure(command, runner);
    }
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: 'user' });
    return exitCode();
  } catch (error) {
    return report(error, host, argv.includes('--verbose'));
  }
}

function createProgram({ io }: Host): Command {
  return new Command('hookctl')
    .description('Receives webhooks, verifies and keeps them, and turns them into tasks for coding agents.')
    .version(hookctlVersion(), '-V, --version')
    .option('--config <file>', 'webhooks.yml to use instead of the one found here or above')
    .option('--verbose', 'show stack traces of failures')
    .helpCommand('help [command]', 'show the help of a command')
    .showHelpAfterError('See hookctl --help')
    .configureHelp({ optionDescription: withoutEmptyDefault })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      outputError: (text, write) => write(paint(io.err, 'red', text)),
      getOutHasColors: () => io.out.color,
      getErrHasColors: () => io.err.color,
    });
}

/** A repeatable option starts as an empty list, which tells the reader of the help nothing. */
function withoutEmptyDefault(this: Help, option: Option): string {
  return Help.prototype.optionDescription.call(this, option).replace(' (default: [])', '');
}

function report(error: unknown, { io }: Host, verbose: boolean): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  say(io.err, `${paint(io.err, 'red', 'error:')} ${messageOf(error)}`);
  if (error instanceof HookctlError && error.fix !== null) say(io.err, error.fix);
  if (verbose && error instanceof Error) say(io.err, error.stack);
  else if (!(error instanceof HookctlError)) say(io.err, 'Run it again with --verbose to see where.');
  return error instanceof HookctlError ? error.exitCode : 1;
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
