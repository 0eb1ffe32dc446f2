import type { JSX } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { TrafficView } from '../../src/server/dashboard/traffic.ts';
import { apiQuery, Filters, OWNER } from '../kit/filters.tsx';
import { Empty, ErrorNote, Section } from '../kit/parts.tsx';
import { type Line, Plot } from '../kit/plot.tsx';
import type { Route } from '../kit/route.ts';
import { useApi } from '../kit/use.ts';
import { BY, Statistics } from './statistics.tsx';

const HOUR_MS = 3_600_000;
const SPANS: Readonly<Record<string, number>> = {
  '1 h': HOUR_MS,
  '6 h': 6 * HOUR_MS,
  '24 h': 24 * HOUR_MS,
  '7 d': 168 * HOUR_MS,
  '30 d': 720 * HOUR_MS,
};

const SPAN = { name: 'span', label: 'Span', none: '1 h', choices: Object.keys(SPANS).slice(1) };

const COLORS: Readonly<Record<string, string>> = {
  processed: '--good',
  ignored: '--dim',
  pending: '--busy',
  failed: '--bad',
  rejected: '--warn',
  duplicate: '--extra',
  unparsed: '--main',
};
/** Colours of agents, by turns. */
const AGENT_COLORS = ['--main', '--good', '--warn', '--extra', '--busy', '--bad'];

/** How often it is drawn anew where nothing happens. */
const EVERY_MS = 30_000;

/** What came, how long it took, and what it cost, from stored rows. */
export function TrafficPage({ route }: { readonly route: Route }): JSX.Element {
  const span = SPANS[route.query.get('span') ?? ''] ?? SPANS['1 h'] ?? HOUR_MS;
  const [minute, setMinute] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setMinute(Date.now()), EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const since = new Date(Math.floor((minute - span) / 60_000) * 60_000).toISOString();
  const { data, error } = useApi<TrafficView>(`/api/traffic?${apiQuery(route, [OWNER], { since })}`, {
    on: ['delivery', 'run'],
  });
  const [last, setLast] = useState<TrafficView | null>(null);
  useEffect(() => {
    if (data !== null) setLast(data);
  }, [data]);
  const shown = data ?? last;
  return (
    <>
      <h1>Traffic</h1>
      <Filters route={route} filters={[SPAN, BY, OWNER]} />
      <ErrorNote error={error} />
      {shown !== null && <Plots traffic={shown} />}
      <Statistics by={route.query.get('by') || 'webhook'} query={apiQuery(route, [OWNER], { since })} />
    </>
  );
}

function Plots({ traffic }: { readonly traffic: TrafficView }): JSX.Element {
  const { since, step_ms: step, steps, received, ack_ms: ack, settle_ms: settle, waiting } = traffic;
  const drawn = useMemo(() => {
    const start = Date.parse(since) / 1_000;
    const times = Array.from({ length: steps }, (_, index) => start + (index * step) / 1_000);
    const deliveries = Object.entries(received)
      .filter(([, values]) => values.some((value) => value > 0))
      .map(([label, values]): Line => ({ label, values, color: COLORS[label] ?? '--main' }));
    const latency = ({ median, p95 }: TrafficView['ack_ms']): readonly Line[] => [
      { label: 'median', values: median, color: '--main' },
      { label: '95 %', values: p95, color: '--warn' },
    ];
    const [answers, settling] = [latency(ack), latency(settle)];
    return {
      times,
      deliveries,
      answers,
      settling,
      queue: [{ label: 'waiting', values: waiting, color: '--busy' }],
    };
  }, [since, step, steps, received, ack, settle, waiting]);
  const per = step === 60_000 ? 'minute' : `${step / 60_000} minutes`;
  return (
    <>
      <Section title={`Deliveries per ${per}`}>
        {drawn.deliveries.length === 0 ? (
          <Empty>Nothing came.</Empty>
        ) : (
          <Plot title="By state" times={drawn.times} lines={drawn.deliveries} />
        )}
      </Section>
      <Section title="Until the sender has its answer">
        {isEmpty(drawn.answers) ? (
          <Empty>No request came.</Empty>
        ) : (
          <Plot title="From request to answer" times={drawn.times} lines={drawn.answers} unit=" ms" />
        )}
      </Section>
      <Section title="Until it is settled">
        {isEmpty(drawn.settling) ? (
          <Empty>Nothing was settled.</Empty>
        ) : (
          <Plot title="From arrival to outcome" times={drawn.times} lines={drawn.settling} unit=" ms" />
        )}
      </Section>
      <Section title="Queue">
        <Plot title="Deliveries that wait" times={drawn.times} lines={drawn.queue} />
      </Section>
      <Costs costs={traffic.costs} />
    </>
  );
}

const isEmpty = (lines: readonly Line[]) =>
  lines.every(({ values }) => values.every((value) => value === null));

function Costs({ costs }: { readonly costs: TrafficView['costs'] }): JSX.Element {
  const drawn = useMemo(() => {
    const days = [...new Set(costs.map(({ day }) => day))];
    const agents = [...new Set(costs.map(({ agent }) => agent))];
    const sum = (agent: string, field: 'usd' | 'runs') =>
      days.map((day) => costs.find((row) => row.day === day && row.agent === agent)?.[field] ?? 0);
    const lines = (field: 'usd' | 'runs') =>
      agents.map(
        (agent, index): Line => ({
          label: agent,
          values: sum(agent, field),
          color: AGENT_COLORS[index % AGENT_COLORS.length] ?? '--main',
        }),
      );
    return { times: days.map((day) => Date.parse(day) / 1_000), usd: lines('usd'), runs: lines('runs') };
  }, [costs]);
  return (
    <Section title="Runs">
      {costs.length === 0 ? (
        <Empty>No agent ran.</Empty>
      ) : (
        <>
          <Plot title="Runs per day and agent" times={drawn.times} lines={drawn.runs} isBars />
          <Plot title="Cost per day and agent, in dollars" times={drawn.times} lines={drawn.usd} isBars />
        </>
      )}
    </Section>
  );
}
