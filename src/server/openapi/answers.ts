import { z } from 'zod';
import { isJsonObject } from '../../lib/json.ts';
import type { LinkedView, MessageView } from '../../task-views.ts';
import type { JsonObject } from '../../types.ts';
import { DELIVERY_STATUSES, MODES, OUTGOING_STATUSES, TASK_STATUSES, TRUSTS } from '../../types.ts';
import type { AuditView, DeliveryView, TaskView } from '../../views.ts';

export const time = z.iso.datetime();
export const count = z.int().min(0);
export const text = z.string();
export const words = z.array(text);
const json = z.custom<JsonObject>(isJsonObject).meta({ type: 'object' });
export const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullable();

const usage = {
  cost_usd: maybe(z.number()),
  input_tokens: maybe(count),
  output_tokens: maybe(count),
};

const decision = z.looseObject({
  event: count,
  event_type: text,
  command: text,
  fired: z.boolean(),
  reason: text,
  task_ids: words,
  error: maybe(text),
  variant: text.optional(),
  would: maybe(z.looseObject({ action: text, agent: text, waits: z.boolean(), text })).optional(),
});

export const delivery = z.looseObject({
  id: text,
  webhook: text,
  owner: text,
  provider: text,
  status: z.enum(DELIVERY_STATUSES),
  trust: maybe(z.enum(TRUSTS)),
  reason: maybe(text),
  sender_delivery_id: maybe(text),
  event_type: maybe(text),
  external_id: maybe(text),
  size: count,
  received_at: time,
  settled_at: maybe(time),
  duplicate_of: maybe(text),
  replay_of: maybe(text),
  attempts: count,
  next_attempt_at: maybe(time),
  body_removed_at: maybe(time),
  sample: z.boolean(),
  sender: maybe(text),
  decisions: z.array(decision),
  variant: maybe(text),
}) satisfies z.ZodType<DeliveryView>;

const taskFields = {
  id: text,
  title: text,
  status: z.enum(TASK_STATUSES),
  agent: text,
  prompt: text,
  flow_id: text,
  conversation_id: text,
  source: text,
  parent_task_id: maybe(text),
  depends_on: words,
  initiated_task_id: text,
  delivery_id: maybe(text),
  owner: text,
  webhook: maybe(text),
  command: maybe(text),
  external_id: text,
  url: maybe(text),
  result: maybe(text),
  error: maybe(text),
  source_metadata: json,
  unsynced: maybe(text),
  trust: z.enum(TRUSTS),
  created_at: time,
  updated_at: time,
  started_at: maybe(time),
  completed_at: maybe(time),
  ...usage,
  duration_ms: maybe(z.number()),
  sample: z.boolean(),
};
export const task = z.looseObject(taskFields) satisfies z.ZodType<TaskView>;

const run = {
  id: text,
  task_id: text,
  owner: text,
  flow_id: text,
  conversation_id: text,
  agent: text,
  runner: text,
  state: text,
  reason: maybe(text),
  pid: maybe(count),
  command_line: words,
  folder: maybe(text),
  session_id: maybe(text),
  open_with: maybe(text),
  exit_code: maybe(z.int()),
  signal: maybe(text),
  cause: maybe(text),
  retry_at: maybe(time),
  ...usage,
  turns: maybe(count),
  denials: words,
  log_path: maybe(text),
  created_at: time,
  started_at: maybe(time),
  ended_at: maybe(time),
};
export const agentRun = z.looseObject(run);

export const listedTask = z.looseObject({
  ...taskFields,
  run: maybe(z.looseObject({ id: text, state: text, reason: maybe(text) })),
});

export const wholeTask = z.looseObject({
  ...taskFields,
  waits_for: z.array(z.looseObject({ id: text, status: z.enum(TASK_STATUSES), title: text })),
  transitions: z.array(
    z.looseObject({
      event: text,
      from: maybe(z.enum(TASK_STATUSES)),
      to: z.enum(TASK_STATUSES),
      actor: text,
      reason: maybe(text),
      at: time,
    }),
  ),
  runs: z.array(agentRun),
});

export const wholeDelivery = delivery.extend({
  headers: z.record(text, text),
  query: text,
  body_base64: maybe(z.base64()),
});

export const dispatched = z.looseObject({ delivery, tasks: z.array(task) });

const flowFields = {
  id: text,
  owner: text,
  external_id: text,
  current_conversation_id: text,
  created_at: time,
};
export const flow = z.looseObject(flowFields);
export const flowLink = z.looseObject({
  flow_id: text,
  external_id: text,
  into_flow_id: text,
  reason: text,
  actor: text,
  created_at: time,
});

const conversationFields = {
  id: text,
  owner: text,
  flow_id: text,
  created_at: time,
  by_status: z.partialRecord(z.enum(TASK_STATUSES), count),
  ...usage,
  duration_ms: maybe(z.number()),
  tasks: count,
};
export const conversation = z.looseObject(conversationFields);
export const wholeFlow = z.looseObject({
  ...flowFields,
  links: z.array(flowLink),
  conversations: z.array(conversation),
  tasks: z.array(task),
});
export const message = z.looseObject({
  role: z.enum(['user', 'assistant']),
  text,
  task_id: text,
  agent: text,
  status: z.enum(TASK_STATUSES),
  at: time,
}) satisfies z.ZodType<MessageView>;
export const conversationContext = conversation.extend({ messages: z.array(message) });

export const outgoing = z.looseObject({
  id: text,
  kind: text,
  provider: text,
  owner: text,
  delivery_id: maybe(text),
  place: z.record(text, maybe(text)),
  content: text,
  edits: maybe(text),
  status: z.enum(OUTGOING_STATUSES),
  reason: maybe(text),
  attempts: count,
  uncertain: z.boolean(),
  next_attempt_at: maybe(time),
  remote_id: maybe(text),
  created_at: time,
  settled_at: maybe(time),
});

export const auditLine = z.looseObject({
  id: count,
  at: time,
  actor_kind: z.enum(['cli', 'api', 'server', 'sender']),
  actor: text,
  what: text,
  owner: text,
  target: maybe(text),
  details: json,
  revision: maybe(text),
}) satisfies z.ZodType<AuditView>;

export const connection = z.looseObject({
  id: text,
  connector: text,
  webhook: text,
  webhook_id: maybe(text),
  kind: text,
  target: text,
  api_url: text,
  remote_id: maybe(text),
  url: text,
  events: words,
  is_adopted: z.boolean(),
  is_paused: z.boolean(),
  problem: maybe(text),
  created_at: time,
  pointed_at: maybe(time),
  checked_at: maybe(time),
});

export const command = z.looseObject({ id: text });
export const webhook = z.looseObject({
  webhook_id: maybe(text),
  provider: text,
  name: text,
  endpoint: text,
  enabled: z.boolean(),
  owner: text,
  labels: words,
  mode: z.enum(MODES),
  variants: z.array(z.looseObject({ name: text })),
  url: text,
  origin: z.enum(['built-in', 'static', 'dynamic']),
  file: maybe(text),
  line: maybe(count),
  has_secret: z.boolean(),
  secret_source: text,
  commands: z.array(command),
  created_at: maybe(time),
  updated_at: maybe(time),
  deliveries: z.partialRecord(z.enum(DELIVERY_STATUSES), count),
  total: count,
  last_delivery_id: maybe(text),
  last_received_at: maybe(time),
});

const byStatus = z.record(text, count);
export const status = z.looseObject({
  version: text,
  data_folder: maybe(text),
  project_file: maybe(text),
  revision: maybe(text),
  server: maybe(z.looseObject({ pid: count, started_at: time, management_url: text, queue_depth: count })),
  tunnel: maybe(z.looseObject({ driver: text, phase: text, reason: text })),
  webhooks: z.array(z.looseObject({ name: text, provider: text, endpoint: text, enabled: z.boolean() })),
  totals: z.looseObject({ webhooks: count, enabled: count, deliveries: count, by_status: byStatus }),
  tasks: byStatus,
  recent_deliveries: z.array(delivery.extend({ commands: words, task_ids: words })),
  problems: words,
});

export const schedule = z.looseObject({
  name: text,
  cron: text,
  state: z.enum(['on', 'paused', 'disabled']),
  next_due: maybe(time),
  last_due: maybe(time),
});
export const workspace = z.looseObject({
  id: text,
  conversation_id: text,
  flow_id: text,
  created_at: time,
  used_at: time,
});

/** RFC 9457. */
export const problem = z.looseObject({
  type: text.describe('Always about:blank: `code` tells problems apart.'),
  title: text,
  status: count,
  code: text.describe('Stable; for programs.'),
  detail: text.describe('What happened.'),
  fix: text.optional().describe('What to do.'),
  problems: z
    .array(z.looseObject({ message: text }))
    .optional()
    .describe('Each mistake in what was sent.'),
});

export const pageOf = (item: z.ZodType) =>
  z.looseObject({
    items: z.array(item),
    next_cursor: maybe(text).describe('For `?cursor=`; null on the last page.'),
  });

export const linked = z.looseObject({
  task_id: text,
  flow_id: text,
  external_id: text,
  joined: z.boolean(),
}) satisfies z.ZodType<LinkedView>;
export const attached = z.looseObject({ run_id: maybe(text), open_with: maybe(text) });
export const replayed = z.looseObject({
  replay_of: text,
  delivery_id: maybe(text),
  status: z.enum([...DELIVERY_STATUSES, 'refused']),
  reason: maybe(text),
  task_ids: words,
});
export const sent = z.looseObject({ to: text, status: maybe(count), error: maybe(text) });
export const pruned = z.looseObject({ deliveries: count, bytes: count, freed_bytes: count });
