import { basename } from 'node:path';
import { agentLabel } from '../labels.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
import type { Issue } from '../types.ts';
import type { RunOrder } from './runner.ts';

/** Values that somebody else wrote. */
const OUTSIDE = ['title', 'url', 'externalId'] as const;
/** Values that hookctl makes: ids of letters, digits and dashes, and absolute paths. */
const OWN = ['taskId', 'runId', 'flowId', 'conversationId', 'session', 'promptFile', 'resultFile'] as const;

type PlaceholderName = (typeof OUTSIDE)[number] | (typeof OWN)[number];
export type PlaceholderValues = Readonly<Record<PlaceholderName, string>>;

const PLACEHOLDER = /\{\{\s*([A-Za-z]*)\s*\}\}/g;
const LONGEST = 500;

/** The names of all placeholders, for messages. */
const PLACEHOLDERS: readonly string[] = [...OUTSIDE, ...OWN];

/** The placeholders of an argument, unknown ones too. */
export function placeholdersOf(argument: string): readonly string[] {
  return [...argument.matchAll(PLACEHOLDER)].map(([, name]) => name ?? '');
}

function isOutside(name: string): boolean {
  return (OUTSIDE as readonly string[]).includes(name);
}

/** What stands before the first value from outside; null: there is none. */
function beforeOutside(argument: string): string | null {
  const first = [...argument.matchAll(PLACEHOLDER)].find(([, name]) => isOutside(name ?? ''));
  return first === undefined ? null : argument.slice(0, first.index);
}

/**
 * An argument with its values. A value from outside stays on one line, its hidden characters (NUL among them) are
 * shown, and at the beginning of an argument it gets a space before a character by which programs know options (`-`),
 * files of arguments (`@`) and commands (`+`): also for those that do not know what `--` means.
 */
export function fillIn(argument: string, values: PlaceholderValues): string {
  return argument.replace(PLACEHOLDER, (_, name: PlaceholderName, offset: number) => {
    if (!isOutside(name)) return values[name];
    const value = shorten(escapeInvisibleLine(values[name]), LONGEST);
    return offset === 0 && /^[-@+]/.test(value) ? ` ${value}` : value;
  });
}

export function valuesOf(
  { run, task, scratch }: Pick<RunOrder<unknown>, 'run' | 'task' | 'scratch'>,
  session: string,
): PlaceholderValues {
  return {
    title: agentLabel(task),
    url: task.url ?? '',
    externalId: task.externalId,
    taskId: task.id,
    runId: run.id,
    flowId: task.flowId,
    conversationId: task.conversationId,
    session,
    promptFile: `${scratch}/prompt.md`,
    resultFile: `${scratch}/result`,
  };
}

/** Programs whose arguments are commands, somewhere: no value from outside can be safe there. */
const RUN_COMMANDS = new Set(
  `sh bash dash ash zsh ksh mksh fish csh tcsh pwsh powershell cmd busybox env xargs parallel sudo doas su runuser ssh
  mosh nohup timeout nice ionice setsid stdbuf time watch script unshare chroot nsenter flock strace ltrace gdb make
  find awk gawk mawk sed ed ex vi vim nvim emacs expect tmux screen at batch docker podman nerdctl kubectl lxc npx npm
  pnpm yarn bunx uvx pipx osascript tclsh m4 git`.split(/\s+/),
);

/** Programs whose first argument is the program that they run. */
const INTERPRETERS =
  /^(?:node|nodejs|deno|bun|tsx|python|python[23](?:\.\d+)?|perl|ruby|php|lua|java|Rscript)$/;

/** Options whose value is code, a command, or a file that holds some. */
const RUNNING_OPTION =
  /^--(?:.*-)?(?:eval|exec|execute|command|commands|cmd|shell|run|code|require|import|load|config|script|program|hook|plugin|pre|post|filter|include|init|rc|rcfile|editor|pager)=/i;

const BY_STDIN = 'The prompt on stdin says all of it; leave the value out of the arguments.';

/** What is unsafe in the arguments of a `command` agent, or names what does not exist. */
export function argumentIssues(
  program: string,
  field: 'args' | 'resumeArgs',
  args: readonly string[],
): readonly Issue[] {
  return args.flatMap((argument, index) => {
    const issue = issueOf(program, args, index, argument);
    return issue === null ? [] : [{ path: [field, index], ...issue }];
  });
}

type PathlessIssue = Omit<Issue, 'path'>;

function issueOf(
  program: string,
  args: readonly string[],
  index: number,
  argument: string,
): PathlessIssue | null {
  const unknown = placeholdersOf(argument).find((name) => !PLACEHOLDERS.includes(name));
  if (unknown !== undefined) {
    return { message: `there is no {{${unknown}}}`, fix: `Known: ${PLACEHOLDERS.join(', ')}.` };
  }
  const before = beforeOutside(argument);
  if (before === null) return null;
  const name = basename(program);
  if (RUN_COMMANDS.has(name)) {
    return {
      message: `${name} runs commands that its arguments hold, and this one is from outside`,
      fix: BY_STDIN,
    };
  }
  if (INTERPRETERS.test(name) && !isScript(args[0])) {
    return {
      message: `${name} could take this value from outside for the program to run`,
      fix: 'Let the first argument be the program: [agent.py, --, "{{title}}"].',
    };
  }
  return positionIssue(args, index, before);
}

function isScript(argument: string | undefined): boolean {
  return argument !== undefined && !argument.startsWith('-') && beforeOutside(argument) === null;
}

/** A value from outside stands behind a fixed beginning that makes it no option, or behind `--`. */
function positionIssue(args: readonly string[], index: number, before: string): PathlessIssue | null {
  if (RUNNING_OPTION.test(before)) {
    return {
      message: `the value of ${before.split('=')[0]} would be run or read as settings`,
      fix: BY_STDIN,
    };
  }
  if (before === '') {
    if (args.slice(0, index).includes('--')) return null;
    return {
      message: 'a value from outside could be taken for an option here',
      fix: 'Put "--" before it, or write it behind an option: "--title={{title}}".',
    };
  }
  if (/^--[A-Za-z][\w-]*=/.test(before) || /^[^-@+]/.test(before)) return null;
  return {
    message: `a value from outside could become an option, or a file to read, behind ${JSON.stringify(before)}`,
    fix: 'Write it with its long name: "--title={{title}}".',
  };
}
