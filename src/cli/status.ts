import { commandsOut, say } from '../lib/io.ts';
import { escapeInvisibleLine } from '../lib/text/escape-invisible.ts';
import { storedProblems } from '../server/problems.ts';
import { type StatusView, statusView } from '../server/status.ts';
import type { Services } from '../services.ts';
import { OPERATOR } from '../types/webhook.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { serverClient } from './kit/operate.ts';
import { counted, countsByStatus, localTime, printJson, sayFacts, webhookState } from './kit/print.ts';
import { ownerName, requireKnown } from './kit/stored.ts';
import { below, state, table, time, whole } from './kit/table.ts';

export const configureStatus: CliCommand = (command, runner) => {
  command
    .option('--owner <name>', 'only webhooks, deliveries and tasks of this owner')
    .option('--json', 'print the whole state as one object')
    .examples('hookctl status', 'hookctl status --json | jq .server.queue_depth')
    .action(runner.action(command, run));
};

interface StatusFlags extends JsonFlags {
  readonly owner?: string;
}

async function run(app: Services, { json, owner }: StatusFlags): Promise<0> {
  await requireKnown(ownerName(app, owner));
  const client = await serverClient(app);
  const view = client === null ? offline(app, owner) : await client.status(owner);
  if (json === true) printJson(app.io, view);
  else await print(app, view);
  return 0;
}

/** The state that the data folder shows without a server; reads no configuration. */
function offline(app: Services, owner: string | undefined): StatusView {
  const { version, located, clock } = app;
  const store = app.reader();
  const problems = store === null ? [] : storedProblems({ store, now: clock.now() });
  return statusView({
    ...{ version, ...located, store, owner },
    server: null,
    webhooks: [],
    problems: problems.map(({ text }) => text),
  });
}

async function print({ io }: Services, view: StatusView): Promise<void> {
  const { server, tunnel } = view;
  sayFacts(io.out, [
    ['hookctl', view.version],
    ['data', view.data_folder],
    ['config', view.project_file ?? 'none (built-in webhooks)'],
    [
      'server',
      server === null
        ? 'not running; start it with `hookctl serve`'
        : `pid ${server.pid}, since ${localTime(server.started_at)}`,
    ],
    ['ingress', server?.ingress_url ?? null],
    ['public', server?.public_url ?? null],
    ['tunnel', tunnel === null ? null : `${tunnel.driver} ${tunnel.phase}: ${tunnel.reason}`],
    [
      'slack socket',
      view.slack_socket === null ? null : `${view.slack_socket.phase}: ${view.slack_socket.reason}`,
    ],
    ['management', server?.management_url ?? null],
    ['queue', server === null ? null : `${server.queue_depth} waiting`],
    ['claude tasks', server?.claude_tasks ?? null],
    ['owner', view.owner],
    ['tasks', countsByStatus(view.tasks)],
  ]);
  if (view.webhooks.length > 0) {
    const isOwned = view.webhooks.some(({ owner }) => owner !== OPERATOR);
    const rows = view.webhooks.map((webhook) => [
      webhook.name,
      ...(isOwned ? [webhook.owner] : []),
      webhookState(webhook.enabled, webhook.has_secret),
      webhook.url ?? webhook.endpoint,
      String(webhook.total),
      localTime(webhook.last_received_at),
      webhook.last_delivery_id ?? '-',
    ]);
    say(
      io.out,
      `\n${await table(io.out, ['webhook', ...(isOwned ? ['owner'] : []), state('state'), below('url'), whole('deliveries'), time('last'), whole('id')], rows)}`,
    );
  }
  if (view.owners.length > 0) {
    const rows = view.owners.map(({ owner, deliveries, tasks }) => [
      owner,
      counted(deliveries),
      counted(tasks),
    ]);
    say(io.out, `\n${await table(io.out, [whole('owner'), whole('deliveries'), whole('tasks')], rows)}`);
  }
  if (view.machines.length > 0) {
    const rows = view.machines.map((machine) => [
      ...[machine.host, machine.version, String(machine.pid), machine.state],
      ...[String(machine.running), String(machine.waiting), localTime(machine.seen_at)],
    ]);
    say(
      io.out,
      `\n${await table(io.out, [whole('machine'), 'version', whole('pid'), state('state'), whole('running'), whole('waiting'), time('seen')], rows)}`,
    );
  }
  if (view.sweeps.length > 0) {
    const rows = view.sweeps.map((sweep) => [
      `${sweep.connector} ${sweep.target}`,
      localTime(sweep.ended_at),
      String(sweep.missing),
      String(sweep.redelivered + sweep.fetched),
      sweep.problem ?? '-',
    ]);
    say(
      io.out,
      `\n${await table(io.out, [whole('log of'), time('read'), whole('missing'), whole('taken in'), below('problem')], rows)}`,
    );
  }
  for (const problem of view.problems) say(commandsOut(io), `\nproblem: ${escapeInvisibleLine(problem)}`);
}
