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

/** The text before the first value from outside; null when the argument holds no such value. */
function beforeOutside(argument: string): string | null {
  const first = [...argument.matchAll(PLACEHOLDER)].find(([, name]) => isOutside(name ?? ''));
  return first === undefined ? null : argument.slice(0, first.index);
}

/** An argument with its values. A value from outside is cut to one line, and its hidden characters (NUL among them) are shown. */
export function fillIn(argument: string, values: PlaceholderValues): string {
  return argument.replace(PLACEHOLDER, (_, name: PlaceholderName) =>
    isOutside(name) ? shorten(escapeInvisibleLine(values[name]), LONGEST) : values[name],
  );
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

/** Options whose value is code, a command, or a file that holds some. */
const RUNNING_OPTION =
  /^--(?:.*-)?(?:eval|exec|execute|command|commands|cmd|shell|run|code|require|import|load|config|script|program|hook|plugin|pre|post|filter|include|init|rc|rcfile|editor|pager)=/i;

const BY_STDIN = 'the prompt on stdin says all of it';

/** What is unsafe in the arguments of a `command` agent, or names a placeholder that does not exist. */
export function argumentIssues(field: readonly string[], args: readonly string[]): readonly Issue[] {
  return args.flatMap((argument, index) => {
    const issue = issueOf(argument);
    return issue === null ? [] : [{ path: [...field, index], ...issue }];
  });
}

/** Null when the argument is safe: a value from outside is the value of a long option, `--name={{…}}`, or absent. */
function issueOf(argument: string): Omit<Issue, 'path'> | null {
  const unknown = placeholdersOf(argument).find((name) => !PLACEHOLDERS.includes(name));
  if (unknown !== undefined) {
    return { message: `there is no {{${unknown}}}`, fix: `Known: ${PLACEHOLDERS.join(', ')}.` };
  }
  const before = beforeOutside(argument);
  if (before === null) return null;
  if (!/^--[A-Za-z][\w-]*=/.test(before)) {
    return {
      message: 'a value from outside could be taken for an option, a file or a command here',
      fix: `Write it as the value of a long option, "--title={{title}}", or leave it out: ${BY_STDIN}.`,
    };
  }
  if (!RUNNING_OPTION.test(before)) return null;
  return {
    message: `the value of ${before.split('=')[0]} would be run or read as settings`,
    fix: `Leave the value out of the arguments: ${BY_STDIN}.`,
  };
}
