import { createHash } from 'node:crypto';
import { cutAtSentence } from '../../lib/text/cut.ts';
import { escapeInvisible, escapeInvisibleLine, shorten } from '../../lib/text/escape-invisible.ts';
import { actionsFor, BUTTON_LABELS, decisionText, digestOf } from '../../outbox/buttons.ts';
import { inert } from '../../providers/kit/inert.ts';
import { foreignText, shownText } from '../../types/text.ts';
import type { ButtonAction, RunCause, Task, Transition } from '../../types.ts';

/** "The maximum length of the summary is 65,535 characters." */
const SUMMARY = 60_000;

/** What a check run shows. */
export interface Content {
  readonly status: 'queued' | 'in_progress' | 'completed';
  readonly conclusion?: 'success' | 'failure' | 'neutral';
  readonly output: { readonly title: string; readonly summary: string };
  readonly actions: readonly object[];
}

/** "Must be less than 40 characters." */
const DESCRIPTIONS: Readonly<Record<ButtonAction, string>> = {
  approve: 'Let the agent start',
  reject: 'End the task before it starts',
  cancel: 'End the task',
  again: 'Queue the task once more',
};

/** The buttons of a task; `identifier` (at most 20 characters) comes back with the click: what it asks for, and the digest. */
function buttonsOf(task: Task): readonly object[] {
  return actionsFor(task).map((action) => ({
    label: BUTTON_LABELS[action],
    description: DESCRIPTIONS[action],
    identifier: `${action}.${digestOf(action, task)}`,
  }));
}

/** What a task's check shows now, and who decided about it. Words of agents do not act in it. */
export function contentOf(
  task: Task,
  { transitions, cause }: { readonly transitions: readonly Transition[]; readonly cause: RunCause | null },
  redact: (text: string) => string,
): Content {
  const { id, status, agent, title, result, error } = task;
  const line = (text: string) => shorten(escapeInvisibleLine(redact(text)), 200);
  const shown = (text: string) =>
    inert.github(foreignText(cutAtSentence(escapeInvisible(redact(text)), SUMMARY)));
  const output = (head: string, text: string) => ({ title: head, summary: `${shown(text)}\n\n\`${id}\`` });
  const actions = buttonsOf(task);
  const decided = transitions.length > 1 ? `\n\n${shownText(decisionText(transitions))}` : '';
  const open = (state: 'queued' | 'in_progress', head: string): Content => ({
    ...{ status: state, output: output(head, line(title) + decided), actions },
  });
  switch (status) {
    case 'waiting_approval':
      return open('queued', 'Waits for approval');
    case 'queued':
      return open('queued', `Queued for ${line(agent)}`);
    case 'running':
      return open('in_progress', `${line(agent)} works on it`);
    case 'waiting_answer':
      return open('in_progress', 'Waits for an answer');
    case 'completed':
      return {
        status: 'completed',
        conclusion: 'success',
        output: output('Done', result ?? 'Done.'),
        actions,
      };
    case 'failed': {
      // A quota or a time-out says nothing about the commit.
      const isJudged = cause !== 'rate_limited' && cause !== 'stopped';
      const said = output(isJudged ? 'Failed' : 'Not finished', error ?? 'It failed.');
      return {
        status: 'completed',
        conclusion: isJudged ? 'failure' : 'neutral',
        output: said,
        actions,
      };
    }
    case 'cancelled': {
      const said = output('Cancelled', error ?? 'It was cancelled.');
      return { status: 'completed', conclusion: 'neutral', output: said, actions };
    }
    default:
      return status satisfies never;
  }
}

/** Tells whether it shows the same. */
export function digest(content: Content): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 12);
}
