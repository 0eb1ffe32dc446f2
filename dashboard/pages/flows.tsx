import type { JSX } from 'preact';
import type { FlowDetails } from '../../src/task-views.ts';
import type { DeliveryView } from '../../src/views.ts';
import { apiQuery, type Filter, Filters, OWNER } from '../kit/filters.tsx';
import { ActionButton } from '../kit/form.tsx';
import { VirtualList } from '../kit/list.tsx';
import { dollars, ErrorNote, Facts, Ref, Section, State, Text, Time, visible } from '../kit/parts.tsx';
import { pathOf, type Route } from '../kit/route.ts';
import { useAll, useApi, useList } from '../kit/use.ts';

interface Flow {
  readonly id: string;
  readonly external_id: string;
  readonly created_at: string;
}

const FILTERS: readonly Filter[] = [{ name: 'external_id', label: 'External id' }, OWNER];

export function FlowsPage({ route }: { readonly route: Route }): JSX.Element {
  const list = useList<Flow>(`/api/flows?${apiQuery(route, FILTERS, { limit: '100' })}`, [
    'task',
    'delivery',
  ]);
  return (
    <>
      <h1>Flows</h1>
      <Filters route={route} filters={FILTERS} />
      <VirtualList
        label="Flows"
        list={list}
        href={({ id }) => pathOf('flows', id)}
        empty="No flow fits."
        row={({ external_id: about, created_at: at, id }) => (
          <>
            <span class="w-event">{visible(about)}</span>
            <span class="w-time">
              <Time at={at} />
            </span>
            <span class="cut dim id">{id}</span>
          </>
        )}
      />
    </>
  );
}

/** One thing that happened in a flow. */
interface Moment {
  readonly at: string;
  readonly key: string;
  readonly shown: JSX.Element;
}

export function FlowPage({ id }: { readonly id: string }): JSX.Element {
  const on = { on: ['task', 'delivery', 'run'] };
  const { data, error, reload } = useApi<FlowDetails>(`/api/flows/${encodeURIComponent(id)}`, on);
  return (
    <>
      <h1>{data === null ? id : visible(data.external_id)}</h1>
      <ErrorNote error={error} />
      {data !== null && (
        <>
          <Section title="Flow">
            <Facts
              of={[
                [
                  'id',
                  <span key="id" class="id">
                    {data.id}
                  </span>,
                ],
                ['began', <Time key="began" at={data.created_at} />],
                ['joined', data.links.map(({ external_id: about }) => visible(about)).join(', ')],
              ]}
            />
          </Section>
          {data.links.map(({ flow_id: from, external_id: about }) => (
            <ActionButton<unknown>
              needs="tasks"
              key={from}
              word={`Part it from ${visible(about)}`}
              path={`/api/flows/${encodeURIComponent(from)}/unlink`}
              done={() => 'They are two flows again.'}
              reload={reload}
            />
          ))}
          <Timeline flow={data} />
          {data.conversations.map(({ id: conversation, tasks, cost_usd: cost, created_at: at }) => (
            <Conversation key={conversation} id={conversation} tasks={tasks} cost={cost} at={at} />
          ))}
        </>
      )}
    </>
  );
}

/** Deliveries about the flow, whichever sender they came from, and its tasks, in order. */
function Timeline({ flow }: { readonly flow: FlowDetails }): JSX.Element {
  const names = [flow.external_id, ...flow.links.map(({ external_id: about }) => about)];
  const { data, error } = useAll<{ readonly items: readonly DeliveryView[] }>(
    names.map((name) => `/api/deliveries?${new URLSearchParams({ external_id: name, limit: '100' })}`),
    { on: ['delivery'] },
  );
  const rows = new Map(data?.flatMap(({ items }) => items.map((row) => [row.id, row] as const)));
  const moments: Moment[] = [
    ...[...rows.values()].map((row) => ({
      at: row.received_at,
      key: row.id,
      shown: (
        <>
          <State of={row.status} />
          <a href={pathOf('deliveries', row.id)}>{visible(row.event_type ?? row.webhook)}</a>
          <span class="dim">
            {row.provider} · {visible(row.sender ?? '')}
          </span>
        </>
      ),
    })),
    ...flow.tasks.flatMap((task) => [
      {
        at: task.created_at,
        key: task.id,
        shown: (
          <>
            <span class="state plain">task</span>
            <a href={pathOf('tasks', task.id)}>{visible(task.title)}</a>
            <span class="dim">{visible(task.agent)}</span>
          </>
        ),
      },
      ...(task.completed_at === null
        ? []
        : [
            {
              at: task.completed_at,
              key: `${task.id} end`,
              shown: (
                <>
                  <State of={task.status} />
                  <Ref page="tasks" id={task.id} />
                  <span class="cut dim">{visible((task.result ?? task.error ?? '').slice(0, 300))}</span>
                </>
              ),
            },
          ]),
    ]),
  ].toSorted((left, right) => left.at.localeCompare(right.at));
  return (
    <Section title="Timeline">
      <ErrorNote error={error} />
      <ol class="plain timeline">
        {moments.map(({ at, key, shown }) => (
          <li key={key} class="row">
            <Time at={at} />
            {shown}
          </li>
        ))}
      </ol>
    </Section>
  );
}

interface Message {
  readonly role: 'user' | 'assistant';
  readonly text: string;
  readonly task_id: string;
  readonly agent: string;
  readonly at: string;
}

interface ConversationProps {
  readonly id: string;
  readonly tasks: number;
  readonly cost: number | null;
  readonly at: string;
}

function Conversation({ id, tasks, cost, at }: ConversationProps): JSX.Element {
  const { data, error } = useApi<{ readonly items: readonly Message[]; readonly next_cursor: string | null }>(
    `/api/conversations/${encodeURIComponent(id)}/messages?limit=100`,
    { on: ['task'] },
  );
  return (
    <Section title={`Conversation ${id}`}>
      <p class="dim">
        {tasks} {tasks === 1 ? 'task' : 'tasks'} since <Time at={at} /> {dollars(cost)}
      </p>
      <ErrorNote error={error} />
      <ol class="plain messages">
        {data?.items.map(({ role, text, task_id: task, agent, at: when }) => (
          <li key={`${task} ${role}`} class={role}>
            <p class="row dim">
              <span>{role === 'user' ? 'asked' : visible(agent)}</span>
              <Time at={when} />
              <Ref page="tasks" id={task} />
            </p>
            <Text of={text} label={role === 'user' ? 'Prompt' : 'Result'} />
          </li>
        ))}
      </ol>
      {data?.next_cursor != null && <p class="dim">The first 100 tasks are shown.</p>}
    </Section>
  );
}
