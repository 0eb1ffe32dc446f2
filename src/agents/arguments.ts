import { agentLabel } from '../labels.ts';
import { escapeInvisibleLine, shorten } from '../lib/text/escape-invisible.ts';
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
export const PLACEHOLDERS: readonly string[] = [...OUTSIDE, ...OWN];

/** The placeholders of an argument, unknown ones too. */
export function placeholdersOf(argument: string): readonly string[] {
  return [...argument.matchAll(PLACEHOLDER)].map(([, name]) => name ?? '');
}

function isOutside(name: string): boolean {
  return (OUTSIDE as readonly string[]).includes(name);
}

/** What stands before the first value from outside; null: there is none. */
export function beforeOutside(argument: string): string | null {
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
