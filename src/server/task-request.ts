import { z } from 'zod';
import type { TaskRequest, TaskSource } from '../tasks/create.ts';
import type { TaskReport } from '../tasks/transition.ts';
import type { JsonObject } from '../types.ts';

/** How tasks are asked for and reported on by JSON: the one place where these bodies are made and read. */

const ID = z.string().min(1);
const Source = z.enum(['cli', 'api', 'mcp'] satisfies TaskSource[]).default('api');

/** Body of `POST /api/tasks`. */
export const CreateBody = z.strictObject({
  prompt: z.string(),
  title: z.string().optional(),
  agent: z.string().min(1).optional(),
  parent_task_id: ID.optional(),
  depends_on: z.array(ID).optional(),
  external_id: ID.optional(),
  url: z.string().optional(),
  metadata: z
    .looseObject({ new_conversation: z.boolean().optional() })
    .transform((value) => value as JsonObject)
    .optional(),
  requires_approval: z.boolean().optional(),
  sync_to_claude_tasks: z.boolean().optional(),
  source: Source,
});

/** Body of `POST /api/tasks/:id/complete` and its neighbours; what does not belong to the event is not asked for. */
export const ReportBody = z.strictObject({
  result: z.string().nullish(),
  error: z.string().nullish(),
  question: z.string().nullish(),
  cost_usd: z.number().min(0).nullish(),
  input_tokens: z.int().min(0).nullish(),
  output_tokens: z.int().min(0).nullish(),
  source: Source,
});

/** Body of `POST /api/tasks/:id/comment`. */
export const CommentBody = z.strictObject({ text: z.string() });

/** Body of `POST /api/events/listen`. */
export const ListenBody = z.strictObject({ consumer: ID, since_task_id: ID.nullish() });

/** Body of `POST /api/events/ack`. */
export const AckBody = z.strictObject({ consumer: ID, event_id: ID });

export function toRequest(body: z.output<typeof CreateBody>): TaskRequest {
  return {
    prompt: body.prompt,
    title: body.title,
    agent: body.agent,
    parentId: body.parent_task_id,
    dependsOn: body.depends_on,
    externalId: body.external_id,
    url: body.url,
    metadata: body.metadata,
    requiresApproval: body.requires_approval,
    syncToClaudeTasks: body.sync_to_claude_tasks,
  };
}

export function fromRequest(request: TaskRequest, source: TaskSource): z.input<typeof CreateBody> {
  return {
    prompt: request.prompt,
    title: request.title,
    agent: request.agent,
    parent_task_id: request.parentId,
    depends_on: request.dependsOn === undefined ? undefined : [...request.dependsOn],
    external_id: request.externalId,
    url: request.url,
    metadata: request.metadata,
    requires_approval: request.requiresApproval,
    sync_to_claude_tasks: request.syncToClaudeTasks,
    source,
  };
}

export function toReport(body: z.output<typeof ReportBody>): TaskReport {
  return {
    actor: body.source,
    result: body.result ?? null,
    error: body.error ?? null,
    question: body.question ?? null,
    spent: {
      costUsd: body.cost_usd ?? null,
      inputTokens: body.input_tokens ?? null,
      outputTokens: body.output_tokens ?? null,
    },
  };
}

export function fromReport({
  actor,
  result,
  error,
  question,
  spent,
}: TaskReport): z.input<typeof ReportBody> {
  return {
    result: result ?? null,
    error: error ?? null,
    question: question ?? null,
    cost_usd: spent?.costUsd ?? null,
    input_tokens: spent?.inputTokens ?? null,
    output_tokens: spent?.outputTokens ?? null,
    source: actor === 'mcp' ? 'mcp' : 'cli',
  };
}
