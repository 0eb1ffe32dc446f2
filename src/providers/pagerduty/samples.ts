import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://acme.pagerduty.com';

/** V3 webhooks as PagerDuty sends them. */
export const samples: readonly Sample[] = [
  {
    type: 'incident.triggered',
    build: (context) => envelope('incident.triggered', context, incident(context), null),
  },
  {
    type: 'incident.annotated',
    build: (context) => {
      const { id, title, html_url } = incident(context);
      const about = { id, type: 'incident_reference', summary: title, self: null, html_url };
      const note = {
        incident: about,
        id: `PNOTE${code(context)}`,
        type: 'incident_note',
        content: context.text,
      };
      return envelope('incident.annotated', context, note, user());
    },
  },
  {
    type: 'incident.resolved',
    build: (context) =>
      envelope('incident.resolved', context, { ...incident(context), status: 'resolved' }, user()),
  },
  {
    type: 'pagey.ping',
    build: (context) =>
      envelope('pagey.ping', context, { message: 'Hello from your friend Pagey!', type: 'ping' }, null),
  },
];

function envelope(
  type: string,
  context: SampleContext,
  data: JsonObject,
  agent: JsonObject | null,
): JsonObject {
  return {
    event: {
      id: `01${code(context)}`,
      event_type: type,
      resource_type: type === 'pagey.ping' ? 'pagey' : 'incident',
      occurred_at: context.now.toISOString(),
      agent,
      client: null,
      data,
    },
  };
}

function incident(context: SampleContext) {
  const id = `P${code(context)}`;
  return {
    id,
    type: 'incident',
    html_url: `${WEB}/incidents/${id}`,
    number: 1 + (context.nextNumber() % 900),
    status: 'triggered',
    title: 'Login answers 500',
    service: {
      id: 'PF9KMXH',
      type: 'service_reference',
      summary: 'Login',
      html_url: `${WEB}/services/PF9KMXH`,
    },
    urgency: 'high',
    priority: null,
    created_at: context.now.toISOString(),
  };
}

function user(): JsonObject {
  return { id: 'PLH1HKV', type: 'user_reference', summary: 'Ada Lovelace', html_url: `${WEB}/users/PLH1HKV` };
}

function code({ nextNumber }: SampleContext): string {
  return nextNumber().toString(36).toUpperCase();
}
