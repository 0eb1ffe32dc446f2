import type { Command as AnyCommand, Argument, Option } from 'commander';

/**
 * How the values of an option or an argument are completed: `file`, `folder`, `one:a,b` (one of these), `text` (not at all),
 * or what `hookctl __complete` is asked for.
 */
type Kind = string;

interface CompletedOption {
  /** `--json`. */
  readonly flag: string;
  /** `-q`; null when the option has no short form. */
  readonly short: string | null;
  /** Null when it takes no value. */
  readonly kind: Kind | null;
  readonly summary: string;
}

/** A command as shells see it. */
export interface CompletedCommand {
  /** `webhook add`; empty for hookctl itself. */
  readonly path: string;
  readonly summary: string;
  readonly subcommands: readonly CompletedCommand[];
  readonly options: readonly CompletedOption[];
  /** Of its arguments in order; the last one repeats when it may be given several times. */
  readonly args: readonly Kind[];
  readonly repeats: boolean;
}

/** Every command with its options, those of modules too that are loaded only when they are called. */
export function commandTree(program: AnyCommand): CompletedCommand {
  return read(program, '');
}

function read(command: AnyCommand, path: string): CompletedCommand {
  const below = command.commands.filter((sub) => sub.name() !== 'help');
  const args = command.registeredArguments;
  return {
    path,
    summary: firstSentence(command.summary() || command.description()),
    subcommands: below.map((sub) => read(sub, `${path} ${sub.name()}`.trim())),
    options: [...command.options.filter(({ hidden }) => !hidden).map((option) => optionOf(option)), HELP],
    args: args.map((argument) => kindOfArgument(argument, path.split(' ')[0] ?? '')),
    repeats: args.at(-1)?.variadic ?? false,
  };
}

const HELP: CompletedOption = { flag: '--help', short: '-h', kind: null, summary: 'show the help' };

function optionOf(option: Option): CompletedOption {
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? null;
  const name = (option.long ?? '').slice(2);
  return {
    flag: option.long ?? '',
    short: option.short ?? null,
    summary: firstSentence(option.description),
    kind: value === null ? null : (choices(option.argChoices) ?? BY_NAME[name] ?? BY_NAME[value] ?? 'text'),
  };
}

/** By the name of an option or of its value; a name that is not here is not completed. */
const BY_NAME: Readonly<Record<string, Kind>> = {
  webhook: 'webhook',
  flow: 'flow',
  delivery: 'delivery',
  provider: 'provider',
  event: 'event',
  parent: 'task',
  'depends-on': 'task',
  file: 'file',
  folder: 'folder',
  backup: 'folder',
};

/** What `<id>` names, by the command of the first level. */
const BY_GROUP: Readonly<Record<string, Kind>> = {
  ...{ task: 'task', delivery: 'delivery', flow: 'flow', conversation: 'conversation', outbox: 'outgoing' },
  ...{ explain: 'delivery', replay: 'delivery', connect: 'connection' },
};

function kindOfArgument(argument: Argument, group: string): Kind {
  const name = argument.name();
  const isId = name === 'id' || name.startsWith('id-') || name === 'connection';
  return choices(argument.argChoices) ?? (isId ? BY_GROUP[group] : undefined) ?? BY_NAME[name] ?? 'text';
}

function choices(values: readonly string[] | undefined): Kind | null {
  return values === undefined ? null : `one:${values.join(',')}`;
}

/** One line without a full stop. */
function firstSentence(text: string): string {
  return (/^.*?(?=\.(?:\s|$)|;|$)/s.exec(text)?.[0] ?? '').replace(/\s+/g, ' ').trim();
}

/** Each command, the program first. */
export function everyCommand(command: CompletedCommand): readonly CompletedCommand[] {
  return [command, ...command.subcommands.flatMap(everyCommand)];
}

/** A text within single quotes of a POSIX shell or of fish (`isFish`). */
export function quoted(text: string, isFish = false): string {
  return isFish ? `'${text.replace(/[\\']/g, '\\$&')}'` : `'${text.replaceAll("'", "'\\''")}'`;
}
