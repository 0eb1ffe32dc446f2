import { Command, Help, type Option } from 'commander';
import type { Host } from '../app.ts';
import type { ExitCode } from '../errors.ts';
import { paint } from '../lib/io.ts';
import { hookctlVersion } from '../lib/version.ts';
import { visible } from '../lib/visible.ts';
import { createRunner } from './command.ts';
import { commands } from './index.ts';

/**
 * Parses a command line and runs what it names. The module of a command is read when it is called. Throws what the
 * command throws, and commander's own errors, of which it has told the user.
 */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<ExitCode> {
  const { runner, exitCode } = createRunner(host, argv);
  const program = createProgram(host);
  for (const { name, summary, load } of commands) {
    const command = program
      .command(name)
      .summary(summary)
      .description(sentence(summary))
      .showHelpAfterError(`See hookctl ${name} --help`);
    if (argv.includes(name)) await (await load()).configure(command, runner);
  }
  if (argv.length === 0) program.outputHelp();
  else await program.parseAsync([...argv], { from: 'user' });
  return exitCode();
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
      outputError: (text, write) => write(paint(io.err, 'red', visible(text))),
      getOutHasColors: () => io.out.color,
      getErrHasColors: () => io.err.color,
    });
}

/** A repeatable option starts as an empty list, which tells the reader of the help nothing. */
function withoutEmptyDefault(this: Help, option: Option): string {
  return Help.prototype.optionDescription.call(this, option).replace(' (default: [])', '');
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
