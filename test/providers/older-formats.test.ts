import { describe, expect, test } from 'vitest';
import { alertmanager } from '../../src/providers/alertmanager/index.ts';
import { grafana } from '../../src/providers/grafana/index.ts';
import { fingerprintOf } from '../../src/providers/kit/alerts.ts';
import { pagerduty } from '../../src/providers/pagerduty/index.ts';
import { sentry } from '../../src/providers/sentry/index.ts';
import type { JsonObject, Provider, WebhookEvent } from '../../src/types.ts';
import { json, request } from './support.ts';

function eventsOf(provider: Provider, payload: unknown, headers: Record<string, string> = {}) {
  const result = provider.parse(request(json(payload), headers));
  if (!result.ok) throw new Error(result.reason);
  return result.events;
}

function only(events: readonly WebhookEvent[]): WebhookEvent {
  const [event, ...more] = events;
  if (event === undefined || more.length > 0) throw new Error(`${events.length} events`);
  return event;
}

describe('C6: Sentry', () => {
  /** Field for field what `build_legacy_webhook_payload` of getsentry/sentry makes. */
  const plugin = {
    id: '7470688687',
    project: 'git-tool',
    project_name: 'git-tool',
    project_slug: 'git-tool',
    logger: null,
    level: 'error',
    culprit: 'main in main',
    message: '',
    url: 'https://acme.sentry.io/issues/7470688687/?referrer=webhooks_plugin',
    triggering_rules: ['Send a notification'],
    event: { event_id: 'e1', title: 'Test Error: it failed', user: { id: '5', email: 'mallory@x.test' } },
  };

  test('C6: an alert of the legacy plugin is about its issue, and no person sent it', () => {
    expect(only(eventsOf(sentry, plugin))).toMatchObject({
      type: 'plugin_alert',
      externalId: 'sentry:7470688687',
      title: 'Test Error: it failed',
      url: plugin.url,
      sender: { id: 'sentry', kind: 'system' },
      hasStrangersWords: true,
      text: null,
    });
  });

  test.each([
    [
      'without a title',
      { event: { event_id: 'e1' }, message: 'it failed' },
      'sentry:7470688687',
      'it failed',
    ],
    ['without words at all', { event: { event_id: 'e1' } }, 'sentry:7470688687', 'main in main'],
    [
      'of a server of one’s own',
      { url: 'https://errors.acme.example/organizations/acme/issues/7470688687/' },
      'sentry:errors.acme.example/7470688687',
      'Test Error: it failed',
    ],
  ])('C6: such an alert %s', (_, change, externalId, title) =>
    expect(only(eventsOf(sentry, { ...plugin, ...change }))).toMatchObject({ externalId, title }),
  );

  const actor = { type: 'user', id: '789', name: 'ada' };
  const read = (resource: string, payload: JsonObject) =>
    only(eventsOf(sentry, payload, { 'sentry-hook-resource': resource }));

  test('C6: an installation is its own subject, by the person who installs', () => {
    const installation = { uuid: '7a485448', status: 'pending', app: { slug: 'hookctl', uuid: 'a1' } };
    const payload = { action: 'created', installation: { uuid: '7a485448' }, data: { installation }, actor };
    expect(read('installation', payload)).toMatchObject({
      type: 'installation.created',
      externalId: 'sentry:installation:7a485448',
      title: 'Installation of hookctl',
      sender: { id: '789', kind: 'person' },
    });
  });

  test('C6: a comment has its issue as subject and title', () => {
    const data = { comment_id: '1', issue_id: '100', project_slug: 'web', comment: 'hm' };
    expect(read('comment', { action: 'created', data, actor })).toMatchObject({
      externalId: 'sentry:100',
      title: 'Issue 100 of web',
    });
  });

  test.each([
    ['an assignee', 'issue', 'issue.assigned', { issue: { id: '1', assignedTo: { type: 'user', id: '9' } } }],
    ['a user of the application', 'error', 'error.created', { error: { issue_id: '1', user: { id: '9' } } }],
  ])('C6: %s is never the sender', (_, resource, type, data) => {
    const event = read(resource, { action: type.split('.')[1] ?? '', data });
    expect(event.type).toBe(type);
    expect(event.sender?.id).not.toBe('9');
  });
});

describe('C6: Alertmanager before fingerprints', () => {
  const labels = { name: 'garland, briggs', fear: 'love is not enough' };
  const group = (change: JsonObject, alert: JsonObject = {}) => ({
    version: '3',
    groupKey: 17,
    status: 'firing',
    externalURL: 'http://am.example:9093',
    alerts: [{ labels, annotations: {}, startsAt: '2016-01-01T00:00:00Z', ...alert }],
    ...change,
  });

  test('C6: the fingerprint is computed as Prometheus computes it', () => {
    // prometheus/common, model/signature_test.go
    expect(fingerprintOf({})).toBe(14_695_981_039_346_656_037n.toString(16));
    expect(fingerprintOf(labels)).toBe(5_799_056_148_416_392_346n.toString(16).padStart(16, '0'));
  });

  test.each([
    ['version 3, whose alerts have no status', group({})],
    ['version 4 before 0.19', group({ version: '4', groupKey: '{}' }, { status: 'firing' })],
    [
      'the same with a fingerprint',
      group({ version: '4' }, { fingerprint: '507a678bbd92b09a', status: 'firing' }),
    ],
  ])('C6: %s', (_, payload) =>
    expect(only(eventsOf(alertmanager, payload))).toMatchObject({
      type: 'alert.firing',
      externalId: expect.stringMatching(/^alertmanager:am\.example:9093\/[0-9a-f]{16}$/),
      sender: { kind: 'system' },
    }),
  );

  test('C6: firing and resolved are one subject, another label is another', () => {
    const id = (payload: unknown) => only(eventsOf(alertmanager, payload)).externalId;
    expect(id(group({ status: 'resolved' }))).toBe(id(group({})));
    expect(only(eventsOf(alertmanager, group({ status: 'resolved' }))).type).toBe('alert.resolved');
    expect(id(group({}, { labels: { ...labels, job: 'x' } }))).not.toBe(id(group({})));
  });
});

describe('C6: Grafana’s legacy alerting', () => {
  const legacy = {
    title: '[Alerting] Panel Title alert',
    ruleId: 7,
    ruleName: 'Panel Title alert',
    state: 'alerting',
    ruleUrl: 'https://grafana.acme.example/d/abc?viewPanel=2',
    evalMatches: [{ value: 100, metric: 'High value', tags: null }],
    message: 'Someone is testing the alert notification within Grafana.',
    orgId: 1,
  };
  test.each([
    ['alerting', 'alert.firing'],
    ['ok', 'alert.resolved'],
    ['no_data', 'alert.no_data'],
  ])('C6: %s', (state, type) =>
    expect(only(eventsOf(grafana, { ...legacy, state }))).toMatchObject({
      type,
      externalId: 'grafana:grafana.acme.example/rule:7',
      title: 'Panel Title alert',
      details: legacy.message,
      url: legacy.ruleUrl,
      sender: { kind: 'system' },
    }),
  );
});

describe('C6: PagerDuty', () => {
  const incident = {
    id: 'PRORDTY',
    title: 'My new incident',
    html_url: 'https://webdemo.pagerduty.com/incidents/PRORDTY',
    assignments: [{ assignee: { id: 'PBOB', type: 'user_reference', summary: 'Bob' } }],
  };
  const laura = { id: 'P553OPV', type: 'user_reference', summary: 'Laura Haley' };
  const v2 = (event: string, agent: JsonObject | null, id = 'm1') => ({
    event,
    log_entries: [{ id: 'R2', type: 'log_entry', agent }],
    incident,
    id,
    created_on: '2017-09-26T15:14:36Z',
  });

  test.each([
    ['incident.trigger', 'incident.triggered'],
    ['incident.assign', 'incident.reassigned'],
    ['incident.resolve', 'incident.resolved'],
    ['incident.custom', 'incident.custom'],
  ])('C6: V2 %s by the one who acts', (name, type) =>
    expect(only(eventsOf(pagerduty, { messages: [v2(name, laura)] }))).toMatchObject({
      type,
      externalId: 'pagerduty:PRORDTY',
      title: 'My new incident',
      url: incident.html_url,
      sender: { id: 'P553OPV', kind: 'person', association: 'user' },
    }),
  );

  test('C6: V2 without an agent, or by a service, is no person’s act', () => {
    const service = { id: 'PS', type: 'service_reference', summary: 'Web' };
    const events = eventsOf(pagerduty, {
      messages: [v2('incident.trigger', null), v2('incident.trigger', service, 'm2')],
    });
    expect(events.map(({ sender }) => sender?.kind)).toEqual(['system', 'system']);
  });

  test('C6: V2 notes are not read, and the reason says where they are', () =>
    expect(only(eventsOf(pagerduty, { messages: [v2('incident.annotate', laura)] }))).toMatchObject({
      text: null,
      withoutText: expect.stringContaining('V3'),
    }));

  test('C6: V1 names who changed the status', () => {
    const data = {
      incident: {
        id: 'PIJ90N7',
        html_url: 'https://acme.pagerduty.com/incidents/PIJ90N7',
        trigger_summary_data: { subject: 'Down' },
        last_status_change_by: { id: 'P9', name: 'Ada' },
        assigned_to_user: { id: 'PBOB', name: 'Bob' },
      },
    };
    const read = (type: string) => only(eventsOf(pagerduty, { messages: [{ id: 'm', type, data }] }));
    expect(read('incident.acknowledge')).toMatchObject({
      externalId: 'pagerduty:PIJ90N7',
      title: 'Down',
      sender: { id: 'P9', name: 'Ada' },
    });
    expect(read('incident.trigger').sender?.kind).toBe('system');
  });

  test.each([
    [
      'a service',
      { id: 'PF9', type: 'service', summary: 'Login', html_url: 'https://x' },
      'pagerduty:service:PF9',
    ],
    ['an incident by reference', { id: 'P1', type: 'incident_reference', summary: 'Login' }, 'pagerduty:P1'],
    [
      'a responder of an incident',
      { incident: { id: 'P1', summary: 'Login' }, user: { id: 'PBOB' } },
      'pagerduty:P1',
    ],
  ])('C6: V3 %s', (_, data, externalId) => {
    const event = only(eventsOf(pagerduty, { event: { id: 'e', event_type: 'x.y', agent: laura, data } }));
    expect(event).toMatchObject({ externalId, title: 'Login', sender: { id: 'P553OPV' } });
  });
});
