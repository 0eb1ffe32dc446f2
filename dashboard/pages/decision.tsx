import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { TaskDetails } from '../../src/task-views.ts';
import type { TaskView } from '../../src/views.ts';
import { useRefusal } from '../kit/access.ts';
import { ask } from '../kit/api.ts';
import { Dialog, ErrorNote, Text } from '../kit/parts.tsx';
import { type Doing, useApi, useDoing } from '../kit/use.ts';

type Waiting = Pick<TaskView, 'id' | 'status'>;

interface Decision {
  readonly doing: Doing;
  /** Approves a task that waits for approval, asks for the answer to one that asked; does nothing to others. */
  readonly decide: (task: Waiting | undefined) => void;
  /** Belongs into the page. */
  readonly dialog: JSX.Element | null;
}

/** What a person decides about tasks that wait for them; `decided` is called after each. */
export function useDecision(decided: () => void): Decision {
  const doing = useDoing();
  const refusal = useRefusal('tasks');
  const [asking, setAsking] = useState<string | null>(null);
  const step = (id: string, verb: 'approve' | 'answer', body: object, done: string) =>
    doing.run(async () => {
      await ask('POST', `/api/tasks/${encodeURIComponent(id)}/${verb}`, body);
      decided();
      return `${done} ${id}.`;
    });
  const decide = (task: Waiting | undefined) => {
    if (task === undefined || doing.isBusy || refusal !== null) return;
    if (task.status === 'waiting_approval') step(task.id, 'approve', {}, 'Approved');
    else if (task.status === 'waiting_answer') setAsking(task.id);
  };
  const dialog = asking !== null && (
    <Answer
      id={asking}
      onClose={() => setAsking(null)}
      give={(answer) => {
        setAsking(null);
        step(asking, 'answer', { answer }, 'Answered');
      }}
    />
  );
  return { doing, decide, dialog: dialog || null };
}

/** The word of the button that decides about a task; null when it waits for no person. */
export function decisionWord(status: string): 'Approve' | 'Answer' | null {
  if (status === 'waiting_approval') return 'Approve';
  return status === 'waiting_answer' ? 'Answer' : null;
}

interface AnswerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly give: (answer: string) => void;
}

/** Shows the question of a task and takes its answer. `ctrl enter` gives it. */
function Answer({ id, onClose, give }: AnswerProps): JSX.Element {
  const { data, error } = useApi<TaskDetails>(`/api/tasks/${encodeURIComponent(id)}`);
  const [text, setText] = useState('');
  const end = () => {
    if (text.trim() !== '') give(text.trim());
  };
  return (
    <Dialog title="Answer the question" onClose={onClose}>
      <ErrorNote error={error} />
      {data !== null && <Text of={questionOf(data)} label="Question" />}
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          end();
        }}
      >
        <label>
          <span>Answer, which the agent gets with the prompt</span>
          <textarea
            rows={4}
            required
            autofocus
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) end();
            }}
          />
        </label>
        <button type="submit" class="main" disabled={text.trim() === ''}>
          Answer
        </button>
      </form>
    </Dialog>
  );
}

/** What its agent asked last; a task of the action `ask` is its question. */
export function questionOf({ transitions, prompt }: TaskDetails): string {
  return transitions.findLast(({ event }) => event === 'ask')?.reason ?? prompt;
}
