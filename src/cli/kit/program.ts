import { type Command as AnyCommand, Help, type Option } from 'commander';
import { requireFolder } from '../../config/project/locate.ts';
import { type ExitCode, usageError } from '../../errors.ts';
import { paint } from '../../lib/io.ts';
import { shellQuote } from '../../lib/shell-quote.ts';
import { suggestion } from '../../lib/suggest.ts';
import { escapeInvisible } from '../../lib/text/escape-invisible.ts';
import { hookctlVersion } from '../../package-root.ts';
import type { Host } from '../../services.ts';
import { commands, type Group, type Verb } from '../index.ts';
import { Command, createRunner, type Runner } from './command.ts';

/**
 * Parses a command line and runs its command. Loads the module of a command only when it is called. Throws what the
 * command throws, and commander's own errors, which commander has already printed.
 */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<ExitCode> {
  const { runner, exitCode } = createRunner(host, argv, () => wholeProgram(host));
  const program = createProgram(host);
  for (const entry of commands) {
    const command = addEntry(program, entry);
    if (entry.needsFolder === true) command.hook('preAction', () => requireFolder(host.env));
    if (argv.includes(entry.name)) await configure(command, runner, entry);
  }
  pointToOwnHelp(program, 'hookctl');
  if (argv.length === 0) program.outputHelp();
  else await program.parseAsync([...withHelpTopic(program, argv)], { from: 'user' });
  return exitCode();
}

async function wholeProgram(host: Host): Promise<Command> {
  const { runner } = createRunner(host, [], () => wholeProgram(host));
  const program = createProgram(host);
  for (const entry of commands) await configure(addEntry(program, entry), runner, entry);
  return program;
}

function addEntry(program: Command, { name, summary, group }: (typeof commands)[number]): Command {
  return program.command(name).summary(summary).description(sentence(summary)).helpGroup(`${group}:`);
}

async function configure(command: Command, runner: Runner, entry: Verb | Group): Promise<void> {
  if ('load' in entry) return (await entry.load())(command, runner);
  if (entry.own !== undefined) (await entry.own())(command, runner);
  for (const sub of namedBy(runner.argv, entry)) {
    const child = command.command(sub.name);
    if ('summary' in sub) child.description(sentence(sub.summary));
    await configure(child, runner, sub);
  }
}

/** The subcommands that the command line names; all of them for help, or when it names none. */
function namedBy(argv: readonly string[], { name: group, subcommands }: Group): Group['subcommands'] {
  const named = subcommands.filter(({ name }) => argv.includes(name));
  const typed = argv[argv.indexOf(group) + 1] ?? '';
  const isUnknown = !typed.startsWith('-') && !subcommands.some(({ name }) => name === typed);
  const asksHelp = ['help', '-h', '--help'].some((help) => argv.includes(help));
  return named.length === 0 || isUnknown || asksHelp ? subcommands : named;
}

const EXAMPLES = [
  'hookctl init && hookctl serve --tunnel cloudflared',
  'hookctl trigger github issue_comment.created --text "@agent analyze"',
];

/** Makes an error of a subcommand point to that subcommand's help. */
function pointToOwnHelp(command: AnyCommand, path: string): void {
  command.showHelpAfterError(`See ${path} --help`);
  for (const sub of command.commands) {
    // The program has its own help command, in a group.
    if (sub.commands.length > 0) sub.helpCommand('help [command]', 'show the help of a command');
    pointToOwnHelp(sub, `${path} ${sub.name()}`);
  }
}

/**
 * Turns `help webhook add` and `webhook help add` into `webhook add --help`. Throws `usage` for an unknown command.
 */
function withHelpTopic(program: Command, argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('help');
  const [before, topics] = [argv.slice(0, at), argv.slice(at + 1)];
  if (at === -1 || topics.length === 0) return argv;
  let command: AnyCommand = program;
  for (const [index, word] of [...before, ...topics].entries()) {
    const next = command.commands.find((sub) => sub.name() === word);
    if (next === undefined) {
      // Here `help` is the value of an argument.
      if (index < before.length) return argv;
      const path = ['hookctl', ...before, ...topics.slice(0, index - before.length + 1)].join(' ');
      throw usageError(
        `there is no command ${path}`,
        suggestion(
          word,
          command.commands.map((sub) => sub.name()),
        ),
      );
    }
    command = next;
  }
  return [...before, ...topics, '--help'];
}

function helpCommand(): Command {
  return new Command('help')
    .argument('[command]')
    .description('show the help of a command')
    .helpOption(false)
    .helpGroup('Upkeep:');
}

function createProgram({ io }: Host): Command {
  return new Command('hookctl')
    .description('Receives webhooks, verifies and keeps them, and turns them into tasks for coding agents.')
    .version(hookctlVersion(), '-V, --version')
    .option('--config <file>', 'webhooks.yml to use instead of the one found here or above')
    .option('--verbose', 'show stack traces of failures')
    .addHelpCommand(helpCommand())
    .examples(...EXAMPLES)
    .configureHelp({ optionDescription: withoutEmptyDefault })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      outputError: (text, write) => write(paint(io.err, 'red', escapeInvisible(text))),
      getOutHasColors: () => io.out.color,
      getErrHasColors: () => io.err.color,
    });
}

/** Hides the empty list that is the default of a repeatable option. */
function withoutEmptyDefault(this: Help, option: Option): string {
  return Help.prototype.optionDescription.call(this, option).replace(' (default: [])', '');
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

/** All commands but `init`, which writes into the current folder. */
const NAMES = commands.flatMap(({ name }) => (name === 'init' ? [] : [name])).join('|');

/** `hookctl` before a command in a text, without `--config` or `--help`. */
const COMMAND = new RegExp(`\\bhookctl (?=(?:${NAMES})\\b(?![^\\n\`]*--(?:config|help)\\b))`, 'g');

/** Adds the `--config` of the command line to the command lines in a text. Null when there is none. */
export function configRepeater(argv: readonly string[]): ((text: string) => string) | null {
  const at = argv.findIndex((word) => word === '--config' || word.startsWith('--config='));
  const file = argv[at]?.split('--config=')[1] ?? argv[at + 1];
  if (at === -1 || file === undefined) return null;
  return (text) => text.replace(COMMAND, () => `hookctl --config ${shellQuote(file)} `);
}
