import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { removeRunLogs } from '../../agents/scheduler/run-task.ts';
import { linkTask } from '../../deliveries/links/link-task.ts';
import { notFound } from '../../errors.ts';
import { suggestion } from '../../lib/suggest.ts';
import { findPage } from '../../store/search.ts';
import { type LinkedView, listedTasks, taskWithRuns } from '../../task-views.ts';
import { attachTask, detachTask } from '../../tasks/attach.ts';
import { commentOnTask } from '../../tasks/comments.ts';
import { createTask, type TaskRequest, type TaskSource } from '../../tasks/create.ts';
import { pruneTasks } from '../../tasks/prune.ts';
import { repairFiles } from '../../tasks/sync.ts';
import { changeTask, type TaskReport } from '../../tasks/transition.ts';
import { type JsonObject, OPERATOR, ownedName, TASK_STATUSES, type Task } from '../../types.ts';
import { isoOrNull, outgoingView, taskView } from '../../views.ts';
import { needs, ownerMade, requireOwn } from '../access/needs.ts';
import type { ApiEnv, ApiParts } from './route.ts';
import {
  actorOf,
  ownerAsking,
  ownerField,
  pageFields,
  parseQuery,
  readBody,
  searchFields,
  searchFilter,
} from './route.ts';

const ListQuery = z.strictObject({
  ...pageFields,
  ...searchFields,
  status: z.enum(TASK_STATUSES).optional(),
  agent: z.string().optional(),
  ...ownerField,
  flow_id: z.string().optional(),
  conversation_id: z.string().optional(),
  delivery_id: z.string().optional(),
});

const Id = z.string().min(1);
const Source = z.enum(['cli', 'api', 'mcp'] satisfies TaskSource[]).default('api');

/** Body of `POST /tasks`. */
export type TaskBody = z.input<typeof CreateBody>;
const CreateBody = z
  .strictObject({
    prompt: z.string(),
    title: z.string().optional(),
    agent: Id.optional(),
    parent_task_id: Id.optional(),
    depends_on: z.array(Id).readonly().optional(),
    external_id: Id.optional(),
    ...ownerField,
    url: z.string().optional(),
    metadata: z
      .looseObject({ new_conversation: z.boolean().optional() })
      .transform((value) => value as JsonObject)
      .optional(),
    requires_approval: z.boolean().optional(),
    sync_to_claude_tasks: z.boolean().optional(),
    source: Source,
  })
  .transform((body): { readonly request: TaskRequest; readonly source: TaskSource } => ({
    request: {
      prompt: body.prompt,
      title: body.title,
      agent: body.agent,
      parentId: body.parent_task_id,
      dependsOn: body.depends_on,
      externalId: body.external_id,
      owner: body.owner,
      url: body.url,
      metadata: body.metadata,
      requiresApproval: body.requires_approval,
      syncToClaudeTasks: body.sync_to_claude_tasks,
    },
    source: body.source,
  }));

/** What users and agents do to a task: each is a path below it. */
export const VERBS = ['start', 'complete', 'fail', 'cancel', 'approve', 'retry', 'ask', 'answer'] as const;
export type TaskVerb = (typeof VERBS)[number];

/** Body of `POST /tasks/:id/complete` and its neighbours; fields that the verb has no use for are ignored. */
export type ReportBody = z.input<typeof ReportBody>;
const ReportBody = z
  .strictObject({
    result: z.string().nullish(),
    error: z.string().nullish(),
    question: z.string().nullish(),
    answer: z.string().nullish(),
    cost_usd: z.number().min(0).nullish(),
    input_tokens: z.int().min(0).nullish(),
    output_tokens: z.int().min(0).nullish(),
    source: Source,
  })
  .transform(
    (body): TaskReport => ({
      actor: body.source,
      result: body.result ?? null,
      error: body.error ?? null,
      question: body.question ?? null,
      answer: body.answer ?? null,
      spent: {
        costUsd: body.cost_usd ?? null,
        inputTokens: body.input_tokens ?? null,
        outputTokens: body.output_tokens ?? null,
      },
    }),
  );

/** Ended tasks, or samples, of any age when `before` is null. */
const PruneBody = z.strictObject({
  before: z.iso.datetime({ offset: true }).nullable(),
  samples: z.boolean().default(false),
});
const LinkBody = z.strictObject({ to: z.string().min(1).max(2_000), source: Source });
const AttachBody = z.strictObject({ now: z.boolean().default(false) });
const CommentBody = z.strictObject({ text: z.string() });
const NoFields = z.strictObject({});
const ListenBody = z.strictObject({ consumer: Id, since_task_id: Id.nullish() });
const AckBody = z.strictObject({ consumer: Id, event_id: Id });

/** What its routes validate with. */
export const schemas = {
  ListQuery,
  CreateBody,
  ReportBody,
  PruneBody,
  LinkBody,
  AttachBody,
  CommentBody,
  ListenBody,
  AckBody,
};

/**
 * `GET|POST /tasks`, `GET /tasks/:id` (with history), `POST /tasks/:id/start|complete|fail|cancel|approve|retry|ask|answer`,
 * `POST /tasks/:id/link`, which joins its flow with that of a pull request or issue,
 * `POST /tasks/:id/attach|detach`, `POST /tasks/:id/comment`, which posts in the thread that the task came from, and `POST /tasks/prune`.
 */
export function taskRoutes(parts: ApiParts): Hono<ApiEnv> {
  const { context: tasks, outbox, dataFolder } = parts;
  const { store } = tasks;
  const moved = (task: Task) => {
    outbox.wake();
    parts.taskChanged(task);
    return taskView(task);
  };
  const routes = new Hono<ApiEnv>()
    .get('/tasks', needs('read'), async (context) => {
      const query = parseQuery(ListQuery, context);
      const { limit, cursor, status, agent, owner, flow_id, conversation_id, delivery_id, ...search } = query;
      const { rows, next } = await findPage({
        ...{ store, list: 'tasks', rows: store.tasks, limit },
        filter: {
          ...searchFilter(search),
          ...(cursor && { before: cursor }),
          ...(status && { status }),
          ...(agent && { agent }),
          ...(owner && { owner }),
          ...(flow_id && { flowId: flow_id }),
          ...(conversation_id && { conversationId: conversation_id }),
          ...(delivery_id && { deliveryId: delivery_id }),
        },
      });
      return context.json({ items: listedTasks(store, rows), next_cursor: next });
    })
    .post('/tasks', needs('tasks'), async (context) => {
      const { request, source } = await readBody(CreateBody, context);
      const { parentId, dependsOn = [] } = request;
      await requireOwn(context, 'task', [...(parentId === undefined ? [] : [parentId]), ...dependsOn]);
      const owner = ownerMade(context, request.owner);
      // A child has its parent's owner, which was looked at.
      const whose = parentId === undefined ? { ...request, owner } : request;
      const task = moved(await createTask(tasks, whose, source, dataFolder));
      const { id, agent, status } = task;
      context.set('change', { what: 'task.create', target: id, details: { agent, status } });
      context.header('location', `/api/tasks/${id}`);
      return context.json(task, 201);
    })
    .post('/tasks/prune', async (context) => {
      const body = await readBody(PruneBody, context);
      const limits = { before: body.before === null ? null : Date.parse(body.before), samples: body.samples };
      const pruned = await pruneTasks(tasks, limits, {
        cancel: async ({ id }) => {
          const why = { actor: 'prune', error: 'a sample, pruned' };
          moved(await changeTask(tasks, id, 'cancel', why, dataFolder));
        },
        removed: (runs) => removeRunLogs(dataFolder, runs),
      });
      const { tasks: count, cancelled } = pruned;
      const details = { before: isoOrNull(limits.before), samples: limits.samples, tasks: count, cancelled };
      context.set('change', { what: 'task.prune', target: null, details });
      return context.json(pruned);
    })
    .get('/tasks/:id', needs('read', 'task'), (context) => {
      const id = context.req.param('id');
      const task = store.task(id);
      if (task === null) throw notFound(`there is no task ${id}`);
      return context.json(taskWithRuns(store, task));
    })
    .post('/tasks/:id/link', needs('tasks', 'task'), async (context) => {
      const { to, source } = await readBody(LinkBody, context);
      const id = context.req.param('id');
      const linked = await linkTask(tasks, id, to, { actor: source, where: dataFolder });
      const { flowId, externalId, joined } = linked;
      context.set('change', { what: 'task.link', target: id, details: { external_id: externalId, joined } });
      return context.json({
        task_id: id,
        flow_id: flowId,
        external_id: externalId,
        joined,
      } satisfies LinkedView);
    })
    .post('/tasks/:id/attach', needs('tasks', 'task'), async (context) => {
      const { now } = await readBody(AttachBody, context);
      const id = context.req.param('id');
      const actor = actorOf(context).name;
      const attached = await attachTask(tasks, id, { actor, now, where: dataFolder });
      outbox.wake();
      parts.taskChanged(attached.task);
      context.set('change', { what: 'task.attach', target: id, details: { now } });
      return context.json({ run_id: attached.runId, open_with: attached.openWith } satisfies AttachedView);
    })
    .post('/tasks/:id/detach', needs('tasks', 'task'), async (context) => {
      await readBody(NoFields, context);
      const id = context.req.param('id');
      const task = moved(await detachTask(tasks, id, dataFolder));
      context.set('change', { what: 'task.detach', target: id, details: { status: task.status } });
      return context.json(task);
    })
    .post('/tasks/:id/comment', needs('tasks', 'task'), async (context) => {
      const { text } = await readBody(CommentBody, context);
      const id = context.req.param('id');
      const item = await commentOnTask(tasks, id, text, dataFolder);
      outbox.wake();
      context.set('change', { what: 'task.comment', target: id, details: { outgoing: item.id } });
      return context.json(outgoingView(item), 201);
    });
  for (const verb of VERBS) {
    routes.post(`/tasks/:id/${verb}`, needs('tasks', 'task'), async (context) => {
      const report = await readBody(ReportBody, context);
      const id = context.req.param('id');
      const task = moved(await changeTask(tasks, id, verb, report, dataFolder));
      context.set('change', { what: `task.${verb}`, target: id, details: { status: task.status } });
      return context.json(task);
    });
  }
  return routes;
}

/** What `task attach` opens. */
export interface AttachedView {
  /** The run that is about to end; null when none goes on. */
  readonly run_id: string | null;
  /** The line that opens the session; null while the run has not said it. */
  readonly open_with: string | null;
}

/** What `sync` found: Claude's directory, after everything in it was compared with the store. */
export interface SyncView {
  /** Null when nothing can be written. */
  readonly list_folder: string | null;
  /** Why nothing can be written; null when all is well. */
  readonly off: string | null;
  readonly tasks: number;
  readonly unsynced: readonly { readonly task_id: string; readonly reason: string }[];
}

/** What `task release` let run. */
export interface ReleasedView {
  readonly agent: string;
  readonly tasks: number;
}

/**
 * `POST /sync`, which compares Claude's directory with the store, `POST /agents/:name/release`, which lets the tasks run
 * that were queued before an agent was configured, and `POST /events/listen|ack` for agents that wait for events.
 */
export function agentRoutes({ context: tasks }: ApiParts): Hono<ApiEnv> {
  const { store, clock } = tasks;
  return new Hono<ApiEnv>()
    .post('/sync', async (context) => {
      const { state, tasks: compared, unsynced } = await repairFiles(tasks);
      context.set('change', null);
      return context.json({
        list_folder: state.on ? state.listDir : null,
        off: state.on ? null : state.reason,
        tasks: compared,
        unsynced: unsynced.map(({ taskId, reason }) => ({ task_id: taskId, reason })),
      } satisfies SyncView);
    })
    .post('/agents/:name/release', async (context) => {
      await readBody(NoFields, context);
      const agent = context.req.param('name');
      const backlogs = store.backlogs();
      const count = backlogs.find((backlog) => backlog.agent === agent)?.tasks ?? 0;
      if (count === 0 || !(await store.releaseBacklog(agent))) {
        const held = backlogs.map((backlog) => backlog.agent);
        const fix = held.length === 0 ? undefined : suggestion(agent, held);
        throw notFound(`no tasks of ${agent} wait for a release`, fix);
      }
      context.set('change', { what: 'task.release', target: agent, details: { tasks: count } });
      return context.json({ agent, tasks: count } satisfies ReleasedView);
    })
    .post('/events/listen', needs('tasks'), async (context) => {
      const { consumer, since_task_id: sinceTask } = await readBody(ListenBody, context);
      await requireOwn(context, 'task', sinceTask == null ? [] : [sinceTask]);
      await store.joinEvents(ownedConsumer(context, consumer), sinceTask ?? null, clock.now());
      context.set('change', null);
      return context.json({});
    })
    .post('/events/ack', needs('tasks'), async (context) => {
      const { consumer, event_id: id } = await readBody(AckBody, context);
      const name = ownedConsumer(context, consumer);
      const owner = ownerAsking(context);
      const isMine =
        owner === undefined || store.agentEvents({ consumer: name, owner }).some((each) => each.id === id);
      const known = isMine && (await store.ackEvent(name, id));
      context.set('change', null);
      return context.json({ known });
    });
}

/** Each owner's listeners have names of their own. */
function ownedConsumer(context: Context<ApiEnv>, consumer: string): string {
  return ownedName(ownerAsking(context) ?? OPERATOR, consumer);
}

/** `GET /schedules`, `POST /schedules/:name/pause|resume|run`: `run` makes a task now, whatever is due. */
export function scheduleRoutes(parts: ApiParts): Hono<ApiEnv> {
  const { context: tasks, schedules, schedulesChanged } = parts;
  const { store, clock } = tasks;
  const code = () => import('../../tasks/schedules.ts');
  const stateOf = (name: string) => store.schedules().find((state) => state.name === name);
  const named = (name: string) => {
    const found = schedules.find((schedule) => schedule.name === name);
    if (found !== undefined) return found;
    throw notFound(
      `there is no schedule ${name} in webhooks.yml`,
      suggestion(
        name,
        schedules.map((schedule) => schedule.name),
      ),
    );
  };
  const routes = new Hono<ApiEnv>().get('/schedules', async (context) => {
    const { scheduleView } = await code();
    return context.json({
      items: schedules.map((schedule) => scheduleView(schedule, stateOf(schedule.name), clock.now())),
      next_cursor: null,
    });
  });
  for (const verb of ['pause', 'resume'] as const)
    routes.post(`/schedules/:name/${verb}`, async (context) => {
      const schedule = named(context.req.param('name'));
      const { name } = schedule;
      const now = clock.now();
      const lastDue = stateOf(name)?.lastDue ?? null;
      // What came due during the pause is not missed.
      await store.noteSchedule({
        name,
        paused: verb === 'pause',
        lastDue: verb === 'resume' ? Math.max(now, lastDue ?? 0) : lastDue,
      });
      schedulesChanged();
      context.set('change', { what: `schedule.${verb}`, target: name, details: {} });
      const { scheduleView } = await code();
      return context.json(scheduleView(schedule, stateOf(name), now));
    });
  return routes.post('/schedules/:name/run', async (context) => {
    const schedule = named(context.req.param('name'));
    const { scheduledTask } = await code();
    const task = await scheduledTask(tasks, schedule, null);
    parts.taskChanged(task);
    context.set('change', { what: 'schedule.run', target: schedule.name, details: { task: task.id } });
    return context.json(taskView(task), 201);
  });
}
