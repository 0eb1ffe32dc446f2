import type { JsonObject, Sample, SampleContext } from '../../types.ts';

/** Notifications of one alert, as a webhook contact point of Grafana sends them. */
export const samples: readonly Sample[] = [
  { type: 'alert.firing', build: (context) => notification('firing', context) },
  { type: 'alert.resolved', build: (context) => notification('resolved', context) },
];

function notification(status: string, { now, nextNumber }: SampleContext): JsonObject {
  const labels = { alertname: 'High memory usage', grafana_folder: 'Web', instance: `web-${nextNumber()}` };
  const annotations = { summary: `${labels.instance} uses 95 % of its memory` };
  const title = `[${status.toUpperCase()}:1] High memory usage Web`;
  const rule = `https://grafana.example.com/alerting/grafana/${nextNumber().toString(36)}`;
  return {
    receiver: 'hookctl',
    status,
    orgId: 1,
    alerts: [
      {
        status,
        labels,
        annotations,
        startsAt: new Date(now.getTime() - 300_000).toISOString(),
        endsAt: status === 'resolved' ? now.toISOString() : '0001-01-01T00:00:00Z',
        values: { B: 95.2, C: 1 },
        generatorURL: `${rule}/view?orgId=1`,
        fingerprint: nextNumber().toString(16).padStart(16, '0'),
        silenceURL: 'https://grafana.example.com/alerting/silence/new',
        dashboardURL: '',
        panelURL: '',
      },
    ],
    groupLabels: { alertname: labels.alertname, grafana_folder: labels.grafana_folder },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: 'https://grafana.example.com/',
    version: '1',
    groupKey: '{}/{}:{alertname="High memory usage", grafana_folder="Web"}',
    truncatedAlerts: 0,
    title,
    state: status === 'firing' ? 'alerting' : 'ok',
    message: annotations.summary,
  };
}
