import type { StoreReader } from '../store/store.ts';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import { publicUrl } from '../tunnels/tunnel.ts';
import type { Webhook } from '../types.ts';
import { deliveryView, iso } from '../views.ts';
import { tunnelView } from './tunnel-view.ts';

/** What `status` is made of, in a server and in a CLI that found none. */
export interface StatusSource {
  readonly version: string;
  readonly dataFolder: string;
  readonly projectFile: string | null;
  /** Null when no server runs. */
  readonly server: RunningFacts | null;
  /** Null while nothing was ever stored. */
  readonly store: Pick<StoreReader, 'countsByWebhook' | 'countsByTaskStatus' | 'deliveries'> | null;
  readonly webhooks: readonly Webhook[];
  /** Everything that is not as it should be, each with what to do. */
  readonly problems: readonly string[];
}

export interface RunningFacts {
  readonly pid: number;
  readonly startedAt: number;
  readonly ingressUrl: string;
  /** That the user named; a tunnel has its own. */
  readonly publicUrl: string | null;
  /** Null: none was asked for. */
  readonly tunnel: TunnelStatus | null;
  readonly managementUrl: string;
  readonly queueDepth: number;
  /** Claude's task list, or why there is none. */
  readonly claudeTasks: string;
}

export type StatusView = ReturnType<typeof statusView>;

/** Deliveries that `status` shows. */
const RECENT = 5;

/** The whole state in one object, as `/api/status` and `hookctl status --json` give it. */
export function statusView(source: StatusSource) {
  const counts = new Map(source.store?.countsByWebhook().map((row) => [row.webhook, row]));
  return {
    version: source.version,
    data_folder: source.dataFolder,
    project_file: source.projectFile,
    server: source.server === null ? null : serverView(source.server),
    tunnel: source.server?.tunnel == null ? null : tunnelView(source.server.tunnel),
    webhooks: source.webhooks.map((webhook) => ({
      name: webhook.name,
      provider: webhook.provider,
      endpoint: webhook.endpoint,
      url: source.server === null ? null : endpointUrl(source.server, webhook.endpoint),
      origin: webhook.origin.kind,
      enabled: webhook.enabled,
      has_secret: webhook.secrets.length > 0,
      deliveries: counts.get(webhook.name)?.byStatus ?? {},
      total: counts.get(webhook.name)?.total ?? 0,
      last_delivery_id: counts.get(webhook.name)?.lastDeliveryId ?? null,
      last_received_at: isoOrNull(counts.get(webhook.name)?.lastReceivedAt ?? null),
    })),
    tasks: source.store?.countsByTaskStatus() ?? {},
    recent_deliveries: (source.store?.deliveries({ limit: RECENT }) ?? []).map(deliveryView),
    problems: source.problems,
  };
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
    public_url: server.publicUrl,
    management_url: server.managementUrl,
    queue_depth: server.queueDepth,
    claude_tasks: server.claudeTasks,
  };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
