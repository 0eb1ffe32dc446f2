import type { UnloadedFile } from '../config/modules/files.ts';
import type { StoreReader, WebhookCounts } from '../store/store.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import { publicUrl } from '../tunnels/tunnel.ts';
import { DELIVERY_STATUSES, type Delivery, type DeliveryStatus, type Webhook } from '../types.ts';
import { deliveryView, iso, isoOrNull, machineView } from '../views.ts';
import type { SlackSocketStatus } from './ingress/slack-socket.ts';
import { lastSweepView } from './recovery/view.ts';

export type TunnelView = ReturnType<typeof tunnelView>;

/** A tunnel's state as NDJSON and the API give it. */
export function tunnelView(status: TunnelStatus) {
  const { tunnel } = status;
  return {
    driver: status.driver,
    phase: status.phase,
    reason: status.reason,
    fix: status.fix,
    since: iso(status.since),
    url: tunnel?.url ?? null,
    leads_to: tunnel?.leadsTo ?? null,
    stable: tunnel?.stable ?? null,
    byte_exact: tunnel?.byteExact ?? null,
    can_respond: tunnel?.canRespond ?? null,
    expires_at: isoOrNull(tunnel?.expiresAt ?? null),
    previous_url: status.previousUrl,
    restarts: status.restarts,
    proven_at: isoOrNull(status.provenAt),
  };
}

/** The state of Socket Mode as NDJSON and the API give it. */
export function slackSocketView({ phase, reason, since }: SlackSocketStatus) {
  return { phase, reason, since: iso(since) };
}

/** What `status` is made of, in a server and in a CLI that found none. */
interface StatusSource {
  readonly version: string;
  readonly dataFolder: string;
  readonly projectFile: string | null;
  /** Null when no server runs. */
  readonly server: RunningFacts | null;
  /** Null while nothing was ever stored. */
  readonly store: Pick<
    StoreReader,
    | 'countsByWebhook'
    | 'countsByOwner'
    | 'countsByTaskStatus'
    | 'deliveries'
    | 'connections'
    | 'sweeps'
    | 'machines'
  > | null;
  readonly webhooks: readonly Webhook[];
  /** Counts and lists hold what belongs to this owner. Left out: all. */
  readonly owner?: string | undefined;
  /** Files of the project that the server has not loaded as they are. Left out: none. */
  readonly notLoaded?: readonly UnloadedFile[];
  /** Everything that is not as it should be, each with what to do. */
  readonly problems: readonly string[];
}

export interface RunningFacts {
  readonly pid: number;
  readonly startedAt: number;
  readonly ingressUrl: string;
  /** That the user named; a tunnel has its own. */
  readonly publicUrl: string | null;
  /** Null when none was asked for. */
  readonly tunnel: TunnelStatus | null;
  readonly managementUrl: string;
  readonly queueDepth: number;
  /** Of the dynamic webhooks in force. */
  readonly revision: string;
  /** Claude's task list, or why there is none. */
  readonly claudeTasks: string;
  /** Null where Socket Mode is not wanted. */
  readonly slackSocket: SlackSocketStatus | null;
}

export type StatusView = ReturnType<typeof statusView>;

/** Deliveries that `status` shows. */
const RECENT = 5;

/** The whole state in one object, as `/api/status` and `hookctl status --json` give it. */
export function statusView(source: StatusSource) {
  const { store, owner } = source;
  const rows = store?.countsByWebhook(undefined, owner) ?? [];
  const webhooks = source.webhooks.filter((webhook) => owner === undefined || webhook.owner === owner);
  const counts = new Map(rows.map((row) => [row.webhook, row]));
  return {
    version: source.version,
    data_folder: source.dataFolder as string | null,
    project_file: source.projectFile,
    revision: source.server?.revision ?? null,
    server: source.server === null ? null : serverView(source.server),
    tunnel: source.server?.tunnel == null ? null : tunnelView(source.server.tunnel),
    slack_socket: source.server?.slackSocket == null ? null : slackSocketView(source.server.slackSocket),
    owner: owner ?? null,
    owners: (store?.countsByOwner() ?? []).filter((each) => owner === undefined || each.owner === owner),
    webhooks: webhooks.map((webhook) => ({
      webhook_id: webhook.origin.kind === 'dynamic' ? webhook.origin.webhookId : null,
      name: webhook.name,
      provider: webhook.providerName,
      owner: webhook.owner,
      endpoint: webhook.endpoint,
      url: source.server === null ? null : endpointUrl(source.server, webhook.endpoint),
      public_url: source.server === null ? null : publicEndpoint(source.server, webhook.endpoint),
      origin: webhook.origin.kind,
      enabled: webhook.enabled,
      has_secret: webhook.secrets.length > 0,
      deliveries: counts.get(webhook.name)?.byStatus ?? {},
      total: counts.get(webhook.name)?.total ?? 0,
      last_delivery_id: counts.get(webhook.name)?.lastDeliveryId ?? null,
      last_received_at: isoOrNull(counts.get(webhook.name)?.lastReceivedAt ?? null),
    })),
    totals: totals(webhooks, rows),
    tasks: store?.countsByTaskStatus(owner) ?? {},
    recent_deliveries: (store?.deliveries({ limit: RECENT, ...(owner && { owner }) }) ?? []).map(
      recentDelivery,
    ),
    sweeps: store === null ? [] : lastSweeps(store),
    machines: (store?.machines() ?? []).map(machineView),
    not_loaded: source.notLoaded ?? [],
    problems: source.problems,
  };
}

/** The same for a token of an owner: nothing that tells of the machine, and of what waits only the owner's own. */
export function ownStatus(view: StatusView, waiting: number): StatusView {
  return {
    ...view,
    ...{ data_folder: null, project_file: null, revision: null, tunnel: null, slack_socket: null },
    server: view.server === null ? null : { ...view.server, queue_depth: waiting, claude_tasks: null },
    ...{ sweeps: [], machines: [], not_loaded: [], problems: [] },
  };
}

/** The last sweep of each connection that had one. */
function lastSweeps(store: Pick<StoreReader, 'connections' | 'sweeps'>) {
  const byConnection = new Map(store.sweeps().map((sweep) => [sweep.connectionId, sweep]));
  return store.connections().flatMap((connection) => {
    const sweep = byConnection.get(connection.id);
    return sweep === undefined ? [] : [lastSweepView(connection, sweep)];
  });
}

/** Over all webhooks, those that were removed since among them. */
function totals(webhooks: readonly Webhook[], rows: readonly WebhookCounts[]) {
  const byStatus = (status: DeliveryStatus) =>
    rows.reduce((sum, row) => sum + (row.byStatus[status] ?? 0), 0);
  return {
    webhooks: webhooks.length,
    enabled: webhooks.filter(({ enabled }) => enabled).length,
    deliveries: rows.reduce((sum, { total }) => sum + total, 0),
    by_status: Object.fromEntries(DELIVERY_STATUSES.map((status) => [status, byStatus(status)])),
  };
}

/** A delivery with the commands that fired on it and the tasks that came of it. */
function recentDelivery(delivery: Delivery) {
  const fired = delivery.decisions.filter((decision) => decision.fired);
  return {
    ...deliveryView(delivery),
    commands: fired.map(({ command }) => command),
    task_ids: fired.flatMap(({ taskIds }) => taskIds),
  };
}

/** Where senders outside reach an endpoint; null when nothing leads here from outside. */
export function publicEndpoint(server: RunningFacts, endpoint: string): string | null {
  const url = endpointUrl(server, endpoint);
  return url === server.ingressUrl + endpoint ? null : url;
}

/** URL before every endpoint outside; null when nothing leads here, or only a relay to one endpoint. */
export function publicBase({ tunnel, publicUrl: named }: RunningFacts): string | null {
  const open = tunnel?.tunnel ?? null;
  return open === null || open.leadsTo !== null ? named : open.url;
}

/** Where senders reach an endpoint: through the tunnel if it leads there, else the public or the local address. */
export function endpointUrl(
  { tunnel, publicUrl: named, ingressUrl }: RunningFacts,
  endpoint: string,
): string {
  const open = tunnel?.tunnel ?? null;
  return (open === null ? null : publicUrl(open, endpoint)) ?? (named ?? ingressUrl) + endpoint;
}

function serverView(server: RunningFacts) {
  return {
    pid: server.pid,
    started_at: iso(server.startedAt),
    ingress_url: server.ingressUrl,
    public_url: publicBase(server),
    management_url: server.managementUrl,
    queue_depth: server.queueDepth,
    claude_tasks: server.claudeTasks as string | null,
  };
}
