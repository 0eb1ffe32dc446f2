import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { AttachedView } from '../../src/server/api/tasks.ts';
import type { FlowDetails, LinkedView, RunView, TaskDetails } from '../../src/task-views.ts';
import type { OutgoingView, TaskView } from '../../src/views.ts';
import { ask } from '../kit/api.ts';
import { ActionForm } from '../kit/form.tsx';
import { useKeys } from '../kit/keys.ts';
import {
  Button,
  Dialog,
  DoingNote,
  dollars,
  duration,
  ErrorNote,
  Facts,
  Outside,
  Ref,
  Scroll,
  Section,
  State,
  Text,
  Time,
  visible,
} from '../kit/parts.tsx';
import { pathOf } from '../kit/route.ts';
import { useApi, useDoing } from '../kit/use.ts';
import { questionOf, useDecision } from './decision.tsx';
import { Log } from './log.tsx';

export function TaskPage({ id }: { readonly id: string }): JSX.Element {
  const path = `/api/tasks/${encodeURIComponent(id)}`;
  const { data, error, reload } = useApi<TaskDetails>(path, {
    on: ['task', 'run', 'delivery'],
    wants: (event) => event.type === 'delivery' || event.id === id || event.task_id === id,
  });
  return (
    <>
      <h1>{data === null ? id : visible(data.title)}</h1>
      <ErrorNote error={error} />
      {data !== null && (
        <>
          <Steps task={data} path={path} reload={reload} />
          {data.status === 'waiting_answer' && (
            <Section title="Question">
              <Text of={questionOf(data)} label="Question" />
            </Section>
          )}
          <Section title="Prompt">
            <Prompt text={data.prompt} />
          </Section>
          {data.result !== null && (
            <Section title="Result">
              <Text of={data.result} label="Result" />
            </Section>
          )}
          {data.error !== null && (
            <Section title="Error">
              <Text of={data.error} label="Error" />
            </Section>
          )}
          <More task={data} path={path} reload={reload} />
          {data.runs.toReversed().map((run) => (
            <Run key={run.id} run={run} />
          ))}
          <Tree flowId={data.flow_id} taskId={id} />
          <History task={data} />
        </>
      )}
    </>
  );
}

/** What a person may do to a task in each status. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  waiting_approval: ['approve', 'complete', 'cancel'],
  waiting_answer: ['answer', 'complete', 'fail', 'cancel'],
  queued: ['start', 'complete', 'cancel'],
  running: ['complete', 'fail', 'cancel'],
  failed: ['retry'],
  cancelled: ['retry'],
};

interface StepsProps {
  readonly task: TaskDetails;
  readonly path: string;
  readonly reload: () => void;
}

function Steps({ task, path, reload }: StepsProps): JSX.Element {
  const doing = useDoing();
  const verbs = VERBS[task.status] ?? [];
  const [asking, setAsking] = useState<'complete' | 'fail' | null>(null);
  const act = (verb: string, body: Readonly<Record<string, string>> = {}) =>
    doing.run(async () => {
      const { status } = await ask<TaskView>('POST', `${path}/${verb}`, body);
      reload();
      return `The task is ${status.replaceAll('_', ' ')}.`;
    });
  const decision = useDecision(reload);
  useKeys({ a: () => decision.decide(task) });
  const press = (verb: string) => {
    if (verb === 'approve' || verb === 'answer') decision.decide(task);
    else if (verb === 'complete' || verb === 'fail') setAsking(verb);
    else act(verb);
  };
  return (
    <Section
      title="Task"
      actions={verbs.map((verb) => (
        <Button
          key={verb}
          needs="tasks"
          disabled={doing.isBusy || decision.doing.isBusy}
          onClick={() => press(verb)}
          {...(['approve', 'answer', 'retry'].includes(verb) ? { tone: 'main' as const } : {})}
          {...(verb === 'cancel' || verb === 'fail' ? { tone: 'bad' as const } : {})}
        >
          {verb.charAt(0).toUpperCase() + verb.slice(1)}
        </Button>
      ))}
    >
      <DoingNote doing={doing} />
      <DoingNote doing={decision.doing} />
      {decision.dialog}
      {asking !== null && (
        <Ending
          verb={asking}
          onClose={() => setAsking(null)}
          end={(text) => {
            setAsking(null);
            act(asking, text === '' ? {} : { [asking === 'complete' ? 'result' : 'error']: text });
          }}
        />
      )}
      <Facts
        of={[
          ['state', <State key="state" of={task.status} />],
          ['agent', visible(task.agent)],
          ['owner', visible(task.owner)],
          [
            'id',
            <span key="id" class="id">
              {task.id}
            </span>,
          ],
          ['about', visible(task.external_id)],
          ['link', task.url && <Outside url={task.url} />],
          ['delivery', task.delivery_id && <Ref page="deliveries" id={task.delivery_id} />],
          ['flow', <Ref key="flow" page="flows" id={task.flow_id} />],
          ['parent', task.parent_task_id && <Ref page="tasks" id={task.parent_task_id} />],
          [
            'waits for',
            task.waits_for.length > 0 &&
              task.waits_for.map(({ id }) => <Ref key={id} page="tasks" id={id} />),
          ],
          ['webhook', task.webhook && <Ref page="webhooks" id={task.webhook} />],
          ['command', visible(task.command ?? '')],
          ['trust', task.trust],
          ['cost', dollars(task.cost_usd)],
          [
            'tokens',
            task.input_tokens === null ? null : `${task.input_tokens} in, ${task.output_tokens ?? 0} out`,
          ],
          ['took', duration(task.duration_ms)],
          ['made', <Time key="made" at={task.created_at} />],
          ['ended', task.completed_at && <Time at={task.completed_at} />],
        ]}
      />
    </Section>
  );
}

/** What is wanted now and then. */
function More({ task, path, reload }: StepsProps): JSX.Element {
  return (
    <Section title="More">
      {task.delivery_id !== null && (
        <ActionForm<OutgoingView>
          title="Post in its thread"
          needs="tasks"
          word="Post"
          path={`${path}/comment`}
          fields={[{ name: 'text', label: 'Text', type: 'area', required: true }]}
          done={({ id }) => `It is in the outbox as ${id}.`}
        />
      )}
      <ActionForm<LinkedView>
        title="Join its flow with another subject"
        needs="tasks"
        word="Join"
        path={`${path}/link`}
        fields={[
          { name: 'to', label: 'Address of an issue, pull request, ticket or thread', required: true },
        ]}
        done={({ external_id: about }) => `It is one flow with ${about}.`}
        reload={reload}
      />
      <ActionForm<AttachedView>
        title="Take over its session"
        needs="tasks"
        word="Take over"
        path={`${path}/attach`}
        fields={[{ name: 'now', label: 'End the run that goes on', type: 'check' }]}
        done={({ open_with: line, run_id: run }) =>
          line === null ? `It is yours when ${run ?? 'the run'} has ended.` : `Open it with: ${line}`
        }
        reload={reload}
      />
      <ActionForm<TaskView>
        title="Give its session back"
        needs="tasks"
        word="Give back"
        path={`${path}/detach`}
        done={({ status }) => `The task is ${status.replaceAll('_', ' ')}.`}
        reload={reload}
      />
    </Section>
  );
}

interface EndingProps {
  readonly verb: 'complete' | 'fail';
  readonly onClose: () => void;
  readonly end: (text: string) => void;
}

/** Asks with which words a task ends: they are posted where it came from. */
function Ending({ verb, onClose, end }: EndingProps): JSX.Element {
  const [text, setText] = useState('');
  return (
    <Dialog title={verb === 'complete' ? 'Complete the task' : 'Fail the task'} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          end(text.trim());
        }}
      >
        <label>
          <span>{verb === 'complete' ? 'Result (may be empty)' : 'What went wrong (may be empty)'}</span>
          <textarea rows={5} value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
        </label>
        <button type="submit" class={verb === 'complete' ? 'main' : 'bad'}>
          {verb === 'complete' ? 'Complete' : 'Fail'}
        </button>
      </form>
    </Dialog>
  );
}

/** Text of strangers is between markers, which are shown as frames. */
const FENCE = /<(untrusted-[0-9a-f]{16,})([^>]*)>([\s\S]*?)<\/\1>/g;

function Prompt({ text }: { readonly text: string }): JSX.Element {
  const parts: JSX.Element[] = [];
  let from = 0;
  for (const { 0: whole, 2: about = '', 3: inner = '', index } of text.matchAll(FENCE)) {
    if (index > from) parts.push(<span key={from}>{visible(text.slice(from, index))}</span>);
    parts.push(
      <span key={index} class="fence">
        <span class="fence-name">from outside{visible(about)}</span>
        {visible(inner.slice(0, SHOWN))}
        {inner.length > SHOWN ? ` … ${(inner.length - SHOWN).toLocaleString()} more characters` : ''}
      </span>,
    );
    from = index + whole.length;
  }
  parts.push(<span key={from}>{visible(text.slice(from, from + SHOWN))}</span>);
  return <Scroll label="Prompt">{parts}</Scroll>;
}

/** Characters of one part of a prompt. */
const SHOWN = 50_000;

function Run({ run }: { readonly run: RunView }): JSX.Element {
  const { id, agent, state, reason, cost_usd: cost, started_at: from, ended_at: to } = run;
  return (
    <Section title={`Run by ${agent}`}>
      <Facts
        of={[
          ['state', <State key="state" of={state} />],
          ['because', visible(reason ?? '')],
          [
            'id',
            <span key="id" class="id">
              {id}
            </span>,
          ],
          ['session', visible(run.session_id ?? '')],
          ['open it', run.open_with && <code>{visible(run.open_with)}</code>],
          ['cost', dollars(cost)],
          ['turns', run.turns],
          ['started', from && <Time at={from} />],
          ['took', from !== null && to !== null ? duration(Date.parse(to) - Date.parse(from)) : null],
          ['denied', run.denials.length > 0 && run.denials.map(visible).join(', ')],
        ]}
      />
      {run.log_path !== null && <Log id={id} />}
    </Section>
  );
}

/** All tasks of the flow, each below the one that made it. */
function Tree({ flowId, taskId }: { readonly flowId: string; readonly taskId: string }): JSX.Element | null {
  const { data } = useApi<FlowDetails>(`/api/flows/${encodeURIComponent(flowId)}`, {
    on: ['task', 'delivery'],
  });
  if (data === null || data.tasks.length < 2) return null;
  const ids = new Set(data.tasks.map(({ id }) => id));
  const childrenOf = (parent: string | null): JSX.Element => (
    <ul class="tree">
      {data.tasks
        .filter(({ parent_task_id: of }) => (of !== null && ids.has(of) ? of : null) === parent)
        .map((task) => (
          <li key={task.id}>
            <span class="row">
              <State of={task.status} />
              {task.id === taskId ? (
                <strong>{visible(task.title)}</strong>
              ) : (
                <a href={pathOf('tasks', task.id)}>{visible(task.title)}</a>
              )}
              <span class="dim">{visible(task.agent)}</span>
            </span>
            {data.tasks.some(({ parent_task_id: of }) => of === task.id) && childrenOf(task.id)}
          </li>
        ))}
    </ul>
  );
  return <Section title="Tasks of the flow">{childrenOf(null)}</Section>;
}

function History({ task: { transitions } }: { readonly task: TaskDetails }): JSX.Element {
  return (
    <Section title="History">
      <ul class="plain">
        {transitions.map(({ event, to, actor, reason, at }, index) => (
          <li key={index} class="row">
            <Time at={at} />
            <span>{event}</span>
            <State of={to} />
            <span class="dim">{visible(actor)}</span>
            <span class="dim cut">{visible(reason ?? '')}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
