import { basename } from 'node:path';
import type { Issue } from '../types.ts';
import { beforeOutside, PLACEHOLDERS, placeholdersOf } from './arguments.ts';

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
