import { NO_TEXT, type TextCase, UNNAMED } from './case.ts';

const NOTE = 'incident.annotated';

/** Agents that are no users: developer.pagerduty.com, "Webhooks overview" (`agent`), "Notes on an incident" (`channel`). */
export const pagerduty: readonly TextCase[] = [
  {
    name: 'an integration',
    sample: NOTE,
    change: { event: { agent: { type: 'service_reference' } } },
    refused: UNNAMED,
  },
  {
    name: 'an inbound integration',
    sample: NOTE,
    change: { event: { agent: { type: 'inbound_integration_reference' } } },
    refused: UNNAMED,
  },
  { name: 'no agent', sample: NOTE, change: { event: { agent: null } }, refused: UNNAMED },
  {
    name: 'a note that came along with an incident',
    sample: NOTE,
    change: { event: { event_type: 'incident.triggered' } },
    refused: NO_TEXT,
  },
];
