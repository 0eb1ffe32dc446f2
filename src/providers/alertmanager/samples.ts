import type { JsonObject, Sample, SampleContext } from '../../types.ts';

/** Groups of one alert, as Alertmanager 0.27 sends them. */
export const samples: readonly Sample[] = [
  { type: 'alert.firing', build: (context) => group('firing', context) },
  { type: 'alert.resolved', build: (context) => group('resolved', context) },
];

function group(status: string, { now, nextNumber }: SampleContext): JsonObject {
  const instance = `web-${nextNumber()}:9100`;
  const labels = { alertname: 'HighErrorRate', instance, job: 'web', severity: 'critical' };
  const annotations = { summary: `${instance} answers 5 % of all requests with status 500` };
  const startsAt = new Date(now.getTime() - 300_000).toISOString();
  return {
    receiver: 'hookctl',
    status,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt,
        endsAt: status === 'resolved' ? now.toISOString() : '0001-01-01T00:00:00Z',
        generatorURL: 'http://prometheus.example.com:9090/graph?g0.expr=rate',
        fingerprint: nextNumber().toString(16).padStart(16, '0'),
      },
    ],
    groupLabels: { alertname: 'HighErrorRate' },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'http://alertmanager.example.com:9093',
    version: '4',
    groupKey: '{}:{alertname="HighErrorRate"}',
    truncatedAlerts: 0,
  };
}
