import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metric, Registry } from 'prom-client';
import type { TunnelStatus } from '../tunnels/supervisor.ts';
import { OUTGOING_STATUSES, type OutgoingStatus, type Webhook } from '../types.ts';
import type { ServeListener } from './events.ts';

/** Counts by labels, and times by size: cheap enough for every request, read when somebody asks. */

/** How often something happened, by a key of labels. */
interface Counts {
  add(...labels: readonly string[]): void;
  /** Forgets what is counted under labels that are no longer wanted. */
  keepOnly(wanted: (...labels: readonly string[]) => boolean): void;
  entries(): readonly { readonly labels: readonly string[]; readonly count: number }[];
}

/** How long something took. */
interface Times {
  /** Seconds. */
  observe(seconds: number): void;
  /** For each bound how many took at most so long; the last one counts all. */
  cumulative(): readonly { readonly bound: number; readonly count: number }[];
  sum(): number;
}

/** Stands for the first label of what came too late to be told apart. */
const OTHER = 'other';

/** `maxKeys`: how many keys are told apart; what comes later is counted under `OTHER`. */
export function createCounts(maxKeys: number): Counts {
  const counts = new Map<string, number>();
  return {
    add(...labels) {
      let key = labels.join(SEPARATOR);
      let count = counts.get(key);
      if (count === undefined && counts.size >= maxKeys) {
        key = [OTHER, ...labels.slice(1)].join(SEPARATOR);
        count = counts.get(key);
      }
      counts.set(key, (count ?? 0) + 1);
    },
    keepOnly(wanted) {
      for (const key of counts.keys()) if (!wanted(...key.split(SEPARATOR))) counts.delete(key);
    },
    entries: () => [...counts].map(([key, count]) => ({ labels: key.split(SEPARATOR), count })),
  };
}

/** No name holds it: `schema.ts` refuses control characters. */
const SEPARATOR = '\n';

/** From half a millisecond to half a minute. */
const BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

export function createTimes(): Times {
  const counts = new Float64Array(BOUNDS.length + 1);
  let total = 0;
  return {
    observe(seconds) {
      let at = 0;
      while (at < BOUNDS.length && seconds > (BOUNDS[at] ?? 0)) at += 1;
      counts[at] = (counts[at] ?? 0) + 1;
      total += seconds;
    },
    cumulative() {
      let count = 0;
      return [...BOUNDS, Number.POSITIVE_INFINITY].map((bound, index) => {
        count += counts[index] ?? 0;
        return { bound, count };
      });
    },
    sum: () => total,
  };
}

/** What `/metrics` reads when it is scraped. */
interface MetricsSource {
  readonly queueDepth: () => number;
  /** Seconds for which the oldest pending delivery waits; 0: none does. */
  readonly oldestPendingSeconds: () => number;
  /** Servers that share the store and live, this one included; 0 where it has its own. */
  readonly machines: () => number;
  readonly outbox: () => Readonly<Partial<Record<OutgoingStatus, number>>>;
  readonly tunnel: () => TunnelStatus | null;
  /** Provider and owner of each webhook in force, by its name. */
  readonly webhooks: () => ReadonlyMap<string, Pick<Webhook, 'providerName' | 'owner'>>;
}

/** What is counted while serving. */
export interface Metrics {
  /** The ingress answered, stored or not. `seconds`: since the request's head was read. */
  answered(status: number, seconds: number): void;
  /** Counts requests for a webhook, and deliveries that were worked off. */
  readonly listen: ServeListener;
  /** How many answers took how long, since the start. */
  readonly ack: Pick<Times, 'cumulative'>;
  /** In Prometheus' text format. */
  text(source: MetricsSource): Promise<string>;
  close(): void;
}

/** Webhooks with counts of their own, 5 outcomes each. Further ones are counted together. */
const MOST_SERIES = 500;
const LOOP_QUANTILES = [50, 90, 99] as const;

/** Counts by itself; prom-client, which takes long to load, is read when `/metrics` is asked for the first time. */
export function createMetrics(): Metrics {
  const answers = createCounts(100);
  const deliveries = createCounts(MOST_SERIES);
  const settlements = createCounts(100);
  const ack = createTimes();
  const dispatch = createTimes();
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  let process: Registry | null = null;

  return {
    answered(status, seconds) {
      answers.add(String(status));
      ack.observe(seconds);
    },
    listen(event) {
      if (event.type === 'received') {
        const { webhook, status } = event.receipt;
        // Counters only grow: what waits now is `hookctl_queue_depth`.
        deliveries.add(
          webhook.name,
          webhook.providerName,
          webhook.owner,
          status === 'pending' ? 'accepted' : status,
        );
      }
      if (event.type === 'delivery') {
        const { status, receivedAt, settledAt } = event.result.delivery;
        settlements.add(status);
        if (settledAt !== null) dispatch.observe(Math.max(0, settledAt - receivedAt) / 1000);
      }
    },
    ack,
    async text(source) {
      const { Counter, Gauge, Registry, collectDefaultMetrics } = await import('prom-client');
      if (process === null) {
        process = new Registry();
        collectDefaultMetrics({ register: process });
      }
      const webhooks = source.webhooks();
      deliveries.keepOnly((webhook = '', provider, owner) => {
        const now = webhooks.get(webhook);
        return webhook === OTHER || (now?.providerName === provider && now?.owner === owner);
      });
      const register = new Registry();
      const registers = [register];
      const count = (name: string, help: string, labelNames: readonly string[], counts = answers) => {
        const counter = new Counter({ name, help, labelNames: [...labelNames], registers });
        for (const { labels, count } of counts.entries()) counter.labels(...labels).inc(count);
      };
      const gauge = (name: string, help: string, values: readonly (readonly [Labels, number])[]) => {
        const labelNames = [...new Set(values.flatMap(([labels]) => Object.keys(labels)))];
        const made = new Gauge({ name, help, labelNames, registers });
        for (const [labels, value] of values) made.set({ ...labels }, value);
      };
      count('hookctl_answers_total', 'Answers of the ingress, by HTTP status.', ['status']);
      count(
        'hookctl_deliveries_total',
        'Requests for a webhook, by what became of them at the door.',
        ['webhook', 'provider', 'owner', 'outcome'],
        deliveries,
      );
      count(
        'hookctl_settled_total',
        'Deliveries that were worked off, by their end.',
        ['status'],
        settlements,
      );
      register.registerMetric(
        histogram('hookctl_ack_seconds', 'From the head of a request to its answer.', ack),
      );
      register.registerMetric(
        histogram(
          'hookctl_dispatch_seconds',
          'From the receipt of a delivery until it was worked off.',
          dispatch,
        ),
      );
      gauge('hookctl_webhooks', 'Webhooks in force.', [[{}, webhooks.size]]);
      gauge('hookctl_queue_depth', 'Deliveries that wait or are worked on.', [[{}, source.queueDepth()]]);
      gauge('hookctl_queue_age_seconds', 'Age of the oldest pending delivery.', [
        [{}, source.oldestPendingSeconds()],
      ]);
      const machines = source.machines();
      if (machines > 0)
        gauge('hookctl_machines', 'Servers that share the database and live.', [[{}, machines]]);
      const outbox = source.outbox();
      gauge(
        'hookctl_outbox',
        'What leaves, by status.',
        OUTGOING_STATUSES.map((status) => [{ status }, outbox[status] ?? 0]),
      );
      gauge('hookctl_tunnel_up', '1: the tunnel leads here.', tunnelValues(source.tunnel()));
      gauge(
        'hookctl_event_loop_delay_seconds',
        'Delay of the event loop since the last scrape.',
        loopValues(loop),
      );
      return `${await register.metrics()}${await process.metrics()}`;
    },
    close: () => loop.disable(),
  };
}

/** The series of `/metrics` that are about one owner's webhooks, with their names. */
export function metricsOf(text: string, owner: string): string {
  const isOwn = (line: string) => line.includes(`owner="${owner}"`);
  const blocks = text.split(/\n(?=# HELP )/).map((block) => block.trimEnd().split('\n'));
  const own = blocks.filter((lines) => lines.some(isOwn));
  return own
    .map((lines) => `${lines.filter((line) => line.startsWith('#') || isOwn(line)).join('\n')}\n`)
    .join('');
}

type Labels = Readonly<Record<string, string>>;

function tunnelValues(tunnel: TunnelStatus | null): readonly (readonly [Labels, number])[] {
  return tunnel === null ? [] : [[{ driver: tunnel.driver }, tunnel.phase === 'up' ? 1 : 0]];
}

function loopValues(loop: ReturnType<typeof monitorEventLoopDelay>): readonly (readonly [Labels, number])[] {
  const values = LOOP_QUANTILES.map((percentile) => {
    const labels = { quantile: String(percentile / 100) };
    return [labels, loop.percentile(percentile) / 1e9] as const;
  });
  const worst = [{ quantile: '1' }, loop.max / 1e9] as const;
  loop.reset();
  return [...values, worst];
}

/** Times as prom-client reads them from any metric: it can't be given counts that were made elsewhere. */
function histogram(name: string, help: string, times: Times): Metric {
  const buckets = times.cumulative().map(({ bound, count }) => ({
    metricName: `${name}_bucket`,
    labels: { le: Number.isFinite(bound) ? bound : '+Inf' },
    value: count,
  }));
  const values = [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: times.sum() },
    { metricName: `${name}_count`, labels: {}, value: buckets.at(-1)?.value ?? 0 },
  ];
  const metric = { name, help, type: 'histogram', aggregator: 'sum', values };
  return { name, get: async () => metric } as unknown as Metric;
}
