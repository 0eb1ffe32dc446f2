import type { JSX } from 'preact';
import type { ReleasedView, SyncView } from '../../src/server/api/tasks.ts';
import type { RecoveredView } from '../../src/server/recovery/view.ts';
import type { WorkspaceView } from '../../src/server/workspaces/index.ts';
import type { ScheduleView } from '../../src/tasks/schedules.ts';
import type { TaskView } from '../../src/views.ts';
import { useRefusal } from '../kit/access.ts';
import { ActionButton, ActionForm } from '../kit/form.tsx';
import { Empty, ErrorNote, Outside, Ref, Section, State, Time, visible } from '../kit/parts.tsx';
import { pathOf } from '../kit/route.ts';
import { useApi } from '../kit/use.ts';
import { Tokens } from './tokens.tsx';

interface Items<T> {
  readonly items: readonly T[];
}

/** What is set up once and looked after now and then. */
export function SetupPage(): JSX.Element {
  const refusal = useRefusal('operator');
  const noTokens = useRefusal('admin');
  return (
    <>
      <h1>Setup</h1>
      {refusal !== null && (
        <p class="note warn">Schedules, hooks at senders, workspaces and upkeep are the operator’s.</p>
      )}
      {refusal === null && (
        <>
          <Schedules />
          <Connections />
          <GithubApps />
          <Workspaces />
        </>
      )}
      {noTokens === null ? <Tokens /> : <p class="note warn">Tokens: {noTokens}</p>}
      {refusal === null && <Upkeep />}
    </>
  );
}

function Schedules(): JSX.Element {
  const { data, error, reload } = useApi<Items<ScheduleView>>('/api/schedules', { on: ['task', 'state'] });
  return (
    <Section title="Schedules">
      <ErrorNote error={error} />
      {data?.items.length === 0 && <Empty>webhooks.yml has no schedule.</Empty>}
      <ul class="plain">
        {data?.items.map(({ name, cron, time_zone: zone, state, next_due: next, last_due: last }) => {
          const path = `/api/schedules/${encodeURIComponent(name)}`;
          const verb = state === 'paused' ? 'resume' : 'pause';
          return (
            <li key={name} class="row">
              <State of={state} />
              <strong>{visible(name)}</strong>
              <code>{cron}</code>
              <span class="dim">{zone}</span>
              <span class="dim">next</span> <Time at={next} />
              <span class="dim">last</span> <Time at={last} />
              {state !== 'disabled' && (
                <ActionButton<ScheduleView>
                  word={verb === 'pause' ? 'Pause' : 'Resume'}
                  path={`${path}/${verb}`}
                  done={(now) => `It is ${now.state}.`}
                  reload={reload}
                />
              )}
              <ActionButton<TaskView>
                word="Run now"
                path={`${path}/run`}
                done={({ id }) => `Made ${id}.`}
                reload={reload}
              />
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

interface Connection {
  readonly id: string;
  readonly connector: string;
  readonly target: string;
  readonly webhook: string;
  readonly problem: string | null;
  readonly checked_at: string | null;
}

const CONNECTORS = [
  'github',
  'gitlab',
  'gitea',
  'bitbucket',
  'jira',
  'linear',
  'sentry',
  'shopify',
  'slack',
  'stripe',
];

function Connections(): JSX.Element {
  const { data, error, reload } = useApi<Items<Connection>>('/api/connections', { on: ['connection'] });
  return (
    <Section title="Connections">
      <ErrorNote error={error} />
      {data?.items.length === 0 && <Empty>No hook at a sender was made.</Empty>}
      <ul class="plain">
        {data?.items.map(({ id, connector, target, webhook, problem, checked_at: at }) => {
          const path = `/api/connections/${encodeURIComponent(id)}`;
          return (
            <li key={id} class="row">
              <State of={problem === null ? 'up' : 'down'} />
              <span>{connector}</span>
              <strong>{visible(target)}</strong>
              <a href={pathOf('webhooks', webhook)}>{visible(webhook)}</a>
              <span class="dim">looked at</span> <Time at={at} />
              <span class="dim cut">{visible(problem ?? '')}</span>
              <ActionButton<{ asked: boolean }>
                word="Ping"
                path={`${path}/ping`}
                done={({ asked }) =>
                  asked ? 'The sender was asked for a test event.' : 'This sender has no test event.'
                }
              />
              <ActionButton<void>
                word="Remove"
                method="DELETE"
                path={path}
                tone="bad"
                confirming={`Remove the hook of ${target} at ${connector}?`}
                done={() => 'Removed.'}
                reload={reload}
              />
            </li>
          );
        })}
      </ul>
      <ActionForm<{ outcome: string; notes: readonly string[]; secret?: string }>
        title="Connect a sender"
        word="Connect"
        path="/api/connections"
        fields={[
          { name: 'connector', label: 'Sender', choices: CONNECTORS, value: 'github' },
          { name: 'target', label: 'Repository, project or site, such as acme/api', required: true },
          { name: 'webhook', label: 'Webhook that receives (the one of the sender when empty)' },
          { name: 'organisation', label: 'The target is a whole organisation or group', type: 'check' },
          { name: 'dry_run', label: 'Only say which calls would be made', type: 'check' },
        ]}
        done={({ outcome, notes }) => [`Outcome: ${outcome}.`, ...notes].join(' ')}
        isShown
        reload={reload}
      />
      <ActionForm<{ connections: readonly { state: string }[] }>
        title="Check all hooks"
        word="Check"
        path="/api/connections/check"
        fields={[{ name: 'fix', label: 'Mend what is not as it should be', type: 'check' }]}
        done={({ connections }) => `Looked at ${connections.length}.`}
        isShown
        reload={reload}
      />
      <ActionForm<RecoveredView>
        title="Take in what never arrived"
        word="Read the logs"
        path="/api/recover"
        fields={[
          { name: 'since', label: 'Since (from the last look on when empty)', type: 'time' },
          { name: 'webhook', label: 'Webhook (all when empty)' },
          { name: 'dry_run', label: 'Only say what is missing', type: 'check' },
        ]}
        done={({ sweeps }) =>
          `${sweeps.reduce((sum, { missing }) => sum + missing, 0)} were missing in ${sweeps.length} logs.`
        }
        isShown
        reload={reload}
      />
    </Section>
  );
}

interface GithubApp {
  readonly id: number;
  readonly slug: string;
  readonly url: string;
}

function GithubApps(): JSX.Element {
  const { data, error, reload } = useApi<Items<GithubApp>>('/api/github-apps', { on: ['connection'] });
  return (
    <Section title="GitHub Apps">
      <ErrorNote error={error} />
      {data?.items.length === 0 && <Empty>None.</Empty>}
      <ul class="plain">
        {data?.items.map(({ id, slug, url }) => (
          <li key={id} class="row">
            <strong>{visible(slug)}</strong> <Outside url={url} />
          </li>
        ))}
      </ul>
      <ActionForm<{ page_url: string }>
        title="Make a GitHub App"
        word="Open the page"
        path="/api/github-apps/registration"
        fields={[
          { name: 'organisation', label: 'Organisation (your own account when empty)' },
          { name: 'name', label: 'Name (made when empty)' },
        ]}
        done={({ page_url: page }) => `Go on there, as the person who owns the App: ${page}`}
        reload={reload}
      />
    </Section>
  );
}

function Workspaces(): JSX.Element {
  const { data, error, reload } = useApi<Items<WorkspaceView>>('/api/workspaces', { on: ['run'] });
  return (
    <Section title="Workspaces">
      <ErrorNote error={error} />
      {data?.items.length === 0 && <Empty>No agent has a checkout of its own.</Empty>}
      <ul class="plain">
        {data?.items.map(({ id, flow_id: flow, used_at: at }) => (
          <li key={id} class="row">
            <span class="id">{id}</span>
            <Ref page="flows" id={flow} />
            <span class="dim">used</span> <Time at={at} />
            <ActionForm<WorkspaceView>
              title="Remove"
              tone="bad"
              path={`/api/workspaces/${encodeURIComponent(id)}/remove`}
              fields={[{ name: 'force', label: 'Also what was not pushed', type: 'check' }]}
              done={() => 'Removed.'}
              reload={reload}
            />
          </li>
        ))}
      </ul>
      <ActionForm<{ removed: readonly unknown[]; kept: readonly unknown[] }>
        title="Remove what no one needs"
        path="/api/workspaces/prune"
        fields={[{ name: 'any_age', label: 'Of any age', type: 'check' }]}
        done={({ removed, kept }) => `${removed.length} removed, ${kept.length} kept.`}
        reload={reload}
      />
    </Section>
  );
}

/** What the CLI has as `delivery prune`, `task prune`, `task release` and `sync`. */
function Upkeep(): JSX.Element {
  const before = { name: 'before', label: 'Older than', type: 'time', required: true } as const;
  const samples = { name: 'samples', label: 'Samples alone', type: 'check' } as const;
  return (
    <Section title="Upkeep">
      <ActionForm<{ deliveries: number; freed_bytes: number }>
        title="Remove bodies of old deliveries"
        word="Remove bodies"
        tone="bad"
        confirming="Remove the bodies? They cannot be replayed then."
        path="/api/deliveries/prune"
        fields={[before, samples]}
        done={({ deliveries, freed_bytes: freed }) =>
          `${deliveries.toLocaleString()} bodies removed, ${freed.toLocaleString()} bytes freed.`
        }
      />
      <ActionForm<{ tasks: number; cancelled: number }>
        title="Remove ended tasks"
        word="Remove tasks"
        tone="bad"
        confirming="Remove the tasks?"
        path="/api/tasks/prune"
        fields={[before, samples]}
        done={({ tasks, cancelled }) => `${tasks} removed, ${cancelled} cancelled.`}
      />
      <Release />
      <ActionForm<SyncView>
        title="Compare Claude's task list with the store"
        word="Compare"
        path="/api/sync"
        done={({ tasks, unsynced, off }) =>
          off ?? `${tasks} tasks compared, ${unsynced.length} could not be written.`
        }
      />
      <p>
        The whole API as OpenAPI 3.1: <code>hookctl api --spec</code>, or <code>/api/openapi.json</code> with
        the token.
      </p>
    </Section>
  );
}

function Release(): JSX.Element {
  return (
    <ActionForm<ReleasedView>
      title="Let run what was queued for a new agent"
      word="Release"
      path={({ agent }) => `/api/agents/${encodeURIComponent(String(agent))}/release`}
      fields={[{ name: 'agent', label: 'Agent', required: true }]}
      bodyOf={() => ({})}
      done={({ agent, tasks }) => `${tasks} of ${agent} may run.`}
    />
  );
}
