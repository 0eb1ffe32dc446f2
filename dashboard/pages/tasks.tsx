import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { ListedTask } from '../../src/task-views.ts';
import { TASK_STATUSES, type TaskStatus } from '../../src/types/task.ts';
import type { TaskView } from '../../src/views.ts';
import { useRefusal } from '../kit/access.ts';
import { ask } from '../kit/api.ts';
import { apiQuery, type Filter, Filters, SEARCH } from '../kit/filters.tsx';
import { focusedId, useKeys } from '../kit/keys.ts';
import { VirtualList } from '../kit/list.tsx';
import { Button, Dialog, DoingNote, dollars, ErrorNote, State, Time, visible } from '../kit/parts.tsx';
import { go, pathOf, type Route } from '../kit/route.ts';
import { useDoing, useList } from '../kit/use.ts';
import { useDecision } from './decision.tsx';

const VIEW: Filter = { name: 'view', label: 'View', none: 'list', choices: ['board'] };
const FILTERS: readonly Filter[] = [
  { name: 'status', label: 'State', choices: TASK_STATUSES },
  { name: 'agent', label: 'Agent' },
  ...SEARCH,
];

export function TasksPage({ route }: { readonly route: Route }): JSX.Element {
  const isBoard = route.query.get('view') === 'board';
  const [isCreating, setCreating] = useState(false);
  const refusal = useRefusal('tasks');
  useKeys({ n: () => setCreating(refusal === null) });
  return (
    <>
      <h1>
        Tasks{' '}
        <Button needs="tasks" onClick={() => setCreating(true)}>
          New task
        </Button>
      </h1>
      <Filters route={route} filters={[VIEW, ...FILTERS]} />
      {isBoard ? <Board route={route} /> : <List route={route} />}
      {isCreating && <Create onClose={() => setCreating(false)} />}
    </>
  );
}

function List({ route }: { readonly route: Route }): JSX.Element {
  const list = useList<ListedTask>(`/api/tasks?${apiQuery(route, FILTERS, { limit: '100' })}`, [
    'task',
    'delivery',
    'run',
  ]);
  const { doing, decide, dialog } = useDecision(list.reload);
  return (
    <>
      <DoingNote doing={doing} />
      {dialog}
      <VirtualList
        label="Tasks"
        list={list}
        href={({ id }) => pathOf('tasks', id)}
        keys={{ a: decide }}
        empty="No task fits."
        row={({ title, status, agent, run, created_at: at, cost_usd: cost, sample }) => (
          <>
            <State of={run?.state === 'held' ? 'held' : status} />
            <span class="w-event">{visible(title)}</span>
            <span class="w-name dim">{visible(agent)}</span>
            <span class="w-name dim">{dollars(cost) ?? ''}</span>
            <span class="w-time">
              <Time at={at} />
            </span>
            <span class="cut dim">
              {sample ? 'sample · ' : ''}
              {visible(run?.reason ?? '')}
            </span>
          </>
        )}
      />
    </>
  );
}

/** A column for each state; what ended long ago is in the list. */
function Board({ route }: { readonly route: Route }): JSX.Element {
  const wanted = route.query.get('status');
  return (
    <div class="board">
      {TASK_STATUSES.filter((status) => wanted === null || wanted === '' || status === wanted).map(
        (status) => (
          <Column key={status} status={status} route={route} />
        ),
      )}
    </div>
  );
}

function Column({ status, route }: { readonly status: TaskStatus; readonly route: Route }): JSX.Element {
  const others = FILTERS.filter(({ name }) => name !== 'status');
  const { items, error, more, reload } = useList<TaskView>(
    `/api/tasks?${apiQuery(route, others, { status, limit: '25' })}`,
    ['task', 'delivery'],
  );
  const { doing, decide, dialog } = useDecision(reload);
  const chosen = () => items?.find(({ id }) => id === focusedId());
  useKeys({ a: () => decide(chosen()) }, { wants: () => chosen() !== undefined });
  return (
    <section class="column" aria-label={status.replaceAll('_', ' ')}>
      <h2>
        <State of={status} />{' '}
        <span class="dim">{items === null ? '' : `${items.length}${more === null ? '' : '+'}`}</span>
      </h2>
      <ErrorNote error={error ?? doing.error} />
      {dialog}
      <ul class="plain">
        {items?.map(({ id, title, agent, created_at: at }) => (
          <li key={id} data-id={id}>
            <a class="tile" href={pathOf('tasks', id)}>
              <strong>{visible(title)}</strong>
              <span class="dim">
                {visible(agent)} · <Time at={at} />
              </span>
            </a>
          </li>
        ))}
      </ul>
      {more !== null && <Button onClick={more}>More</Button>}
    </section>
  );
}

function Create({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [prompt, setPrompt] = useState('');
  const [title, setTitle] = useState('');
  const [agent, setAgent] = useState('');
  const doing = useDoing();
  const create = () =>
    doing.run(async () => {
      const body = { prompt, ...(title !== '' && { title }), ...(agent !== '' && { agent }) };
      const task = await ask<TaskView>('POST', '/api/tasks', body);
      onClose();
      go(pathOf('tasks', task.id));
      return `Made ${task.id}.`;
    });
  return (
    <Dialog title="New task" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          create();
        }}
      >
        <label>
          <span>Prompt</span>
          <textarea
            rows={6}
            required
            value={prompt}
            onInput={({ currentTarget }) => setPrompt(currentTarget.value)}
          />
        </label>
        <label>
          <span>Title (of the prompt when empty)</span>
          <input value={title} onInput={({ currentTarget }) => setTitle(currentTarget.value)} />
        </label>
        <label>
          <span>Agent (the default when empty)</span>
          <input value={agent} onInput={({ currentTarget }) => setAgent(currentTarget.value)} />
        </label>
        <DoingNote doing={doing} />
        <button type="submit" class="main" disabled={doing.isBusy || prompt === ''}>
          Create
        </button>
      </form>
    </Dialog>
  );
}
