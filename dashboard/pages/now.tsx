import type { JSX } from 'preact';
import type { StatusView } from '../../src/server/status.ts';
import type { RunView } from '../../src/task-views.ts';
import type { TaskView } from '../../src/views.ts';
import { apiQuery, Filters, OWNER } from '../kit/filters.tsx';
import { focusedId, useKeys } from '../kit/keys.ts';
import {
  Button,
  DoingNote,
  dollars,
  Empty,
  ErrorNote,
  Facts,
  Ref,
  Section,
  State,
  Time,
  visible,
} from '../kit/parts.tsx';
import { pathOf, type Route } from '../kit/route.ts';
import { useApi, useList } from '../kit/use.ts';
import { decisionWord, useDecision } from './decision.tsx';

interface Budget {
  readonly name: string;
  readonly owner: string | null;
  readonly runs: number;
  readonly ended_usd: number;
  readonly running_usd: number;
  readonly limit_runs: number | null;
  readonly limit_usd: number | null;
}
/** With the filter of the page, as the API has it. */
interface Queried {
  readonly query: string;
}
interface Items<T> {
  readonly items: readonly T[];
}

/** What runs, what waits for a person, and what is not as it should be. */
const FILTERS = [OWNER];

export function NowPage({ route }: { readonly route: Route }): JSX.Element {
  const query = apiQuery(route, FILTERS);
  const status = useApi<StatusView>(`/api/status?${query}`, {
    on: ['delivery', 'state', 'connection', 'ready', 'swept'],
  });
  const { data, error } = status;
  return (
    <>
      <h1>Now</h1>
      <Filters route={route} filters={FILTERS} />
      <ErrorNote error={error} />
      <Waiting query={query} />
      <Runs query={query} />
      {data !== null && (
        <>
          <Section title="Problems">
            {data.problems.length === 0 && <Empty>None.</Empty>}
            <ul class="plain">
              {data.problems.map((text) => (
                <li key={text} class="note warn">
                  {visible(text)}
                </li>
              ))}
            </ul>
          </Section>
          <div class="columns">
            <Spend query={query} />
            <Server status={data} />
          </div>
          <Section title="Last deliveries">
            {data.recent_deliveries.length === 0 && <Empty>None yet. Send one: hookctl trigger</Empty>}
            <ul class="plain">
              {data.recent_deliveries.map(
                ({ id, webhook, event_type: event, status: state, received_at: at, reason }) => (
                  <li key={id} class="row">
                    <State of={state} />
                    <a href={pathOf('deliveries', id)}>{visible(event ?? webhook)}</a>
                    <Time at={at} />
                    <span class="dim cut">{visible(reason ?? '')}</span>
                  </li>
                ),
              )}
            </ul>
          </Section>
        </>
      )}
      <Connections sweeps={data?.sweeps ?? []} />
    </>
  );
}

/** Tasks that wait for a yes or an answer. */
function Waiting({ query }: Queried): JSX.Element {
  const approvals = useList<TaskView>(`/api/tasks?status=waiting_approval&limit=50&${query}`, [
    'task',
    'delivery',
  ]);
  const answers = useList<TaskView>(`/api/tasks?status=waiting_answer&limit=50&${query}`, [
    'task',
    'delivery',
  ]);
  const items = [...(approvals.items ?? []), ...(answers.items ?? [])];
  const { doing, decide, dialog } = useDecision(() => {
    approvals.reload();
    answers.reload();
  });
  useKeys({ a: () => decide(items.find(({ id }) => id === focusedId())) });
  return (
    <Section title="Waits for a person">
      <DoingNote doing={doing} />
      <ErrorNote error={approvals.error ?? answers.error} />
      {items.length === 0 && approvals.items !== null && <Empty>Nothing.</Empty>}
      <ul class="plain">
        {items.map((task) => (
          <li key={task.id} class="row" data-id={task.id}>
            <State of={task.status} />
            <a href={pathOf('tasks', task.id)}>{visible(task.title)}</a>
            <span class="dim">{task.agent}</span>
            <Time at={task.created_at} />
            <Button needs="tasks" tone="main" disabled={doing.isBusy} onClick={() => decide(task)}>
              {decisionWord(task.status)}
            </Button>
          </li>
        ))}
      </ul>
      {dialog}
    </Section>
  );
}

function Runs({ query }: Queried): JSX.Element {
  const { data, error } = useApi<Items<RunView>>(`/api/runs?${query}`, {
    on: ['run', 'task', 'delivery', 'state'],
  });
  return (
    <Section title="Runs">
      <ErrorNote error={error} />
      {data?.items.length === 0 && <Empty>No agent works, and no task waits for one.</Empty>}
      <ul class="plain">
        {data?.items.map(({ id, task_id: task, agent, state, reason, started_at: at }) => (
          <li key={id} class="row">
            <State of={state} />
            <Ref page="tasks" id={task} />
            <span>{agent}</span>
            <Time at={at} />
            <span class="dim cut">{visible(reason ?? '')}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Spend({ query }: Queried): JSX.Element {
  const { data, error } = useApi<Items<Budget>>(`/api/budgets?${query}`, { on: ['run'] });
  return (
    <Section title="Spend">
      <ErrorNote error={error} />
      {data?.items.map(
        ({
          name,
          owner,
          runs,
          ended_usd: ended,
          running_usd: running,
          limit_usd: limit,
          limit_runs: most,
        }) => (
          <div key={`${name} ${owner}`} class="meter">
            <p class="row">
              <strong>{owner === null ? name : `${visible(owner)}, ${name}`}</strong>
              <span>
                {dollars(ended + running)}
                {limit !== null && ` of ${dollars(limit)}`}
              </span>
              <span class="dim">
                {runs}
                {most !== null && ` of ${most}`} runs
              </span>
            </p>
            {limit !== null && (
              <meter
                min={0}
                max={limit}
                high={limit * 0.8}
                value={ended + running}
                aria-label={`Spend of the ${name}`}
              />
            )}
          </div>
        ),
      )}
    </Section>
  );
}

function Server({
  status: { server, tunnel, slack_socket: slack, totals, version },
}: {
  readonly status: StatusView;
}): JSX.Element {
  return (
    <Section title="Server">
      <Facts
        of={[
          ['version', version],
          ['started', server && <Time at={server.started_at} />],
          ['receives at', server?.public_url ?? server?.ingress_url],
          [
            'tunnel',
            tunnel && (
              <>
                <State of={tunnel.phase} /> {visible(tunnel.reason)}
              </>
            ),
          ],
          [
            'Slack socket',
            slack && (
              <>
                <State of={slack.phase} /> {visible(slack.reason)}
              </>
            ),
          ],
          ['queue', server?.queue_depth.toLocaleString()],
          ['deliveries', totals.deliveries.toLocaleString()],
          ['webhooks', `${totals.enabled} of ${totals.webhooks} enabled`],
          ['Claude tasks', server?.claude_tasks],
        ]}
      />
    </Section>
  );
}

interface Connected {
  readonly id: string;
  readonly connector: string;
  readonly target: string;
  readonly webhook: string;
  readonly problem: string | null;
}

/** Hooks at senders, with the last look into the log of each. */
function Connections({ sweeps }: { readonly sweeps: StatusView['sweeps'] }): JSX.Element | null {
  const { data } = useApi<Items<Connected>>('/api/connections', { on: ['connection'] });
  const items = data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <Section title="Connections">
      <ul class="plain">
        {items.map(({ id, connector, target, webhook, problem }) => (
          <li key={id} class="row">
            <State of={problem === null ? 'up' : 'down'} />
            <span>{connector}</span>
            <span>{visible(target)}</span>
            <a href={pathOf('webhooks', webhook)}>{webhook}</a>
            <LastSweep sweep={sweeps.find(({ connection_id: of }) => of === id)} />
            <span class="dim cut">{visible(problem ?? '')}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function LastSweep({
  sweep,
}: {
  readonly sweep: StatusView['sweeps'][number] | undefined;
}): JSX.Element | null {
  if (sweep === undefined) return null;
  const { ended_at: at, listed, missing, redelivered, fetched, problem } = sweep;
  const found = missing === 0 ? `${listed} in its log, all here` : `${missing} missing`;
  const taken = missing === 0 ? '' : `, ${redelivered + fetched} taken in`;
  return (
    <>
      <Time at={at} />
      <span class="dim cut">{visible(problem ?? `${found}${taken}`)}</span>
    </>
  );
}
