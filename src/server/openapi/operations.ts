import { z } from 'zod';
import { schemas as audit } from '../api/audit.ts';
import { schemas as connections } from '../api/connect/connections.ts';
import { schemas as githubApps } from '../api/connect/github-app.ts';
import { schemas as deliveries } from '../api/deliveries.ts';
import { schemas as flows } from '../api/flows.ts';
import { schemas as outbox } from '../api/outbox.ts';
import { schemas as recover } from '../api/recover.ts';
import { StatusQuery } from '../api/route.ts';
import { type TaskVerb, schemas as tasks, VERBS } from '../api/tasks.ts';
import { schemas as workspaces } from '../api/workspaces.ts';
import { schemas as reads } from '../dashboard/reads.ts';
import { schemas as live } from '../live/routes.ts';
import * as answers from './answers.ts';
import type { Operation } from './operation.ts';
import * as reports from './report-answers.ts';
import { ofTokens } from './token-operations.ts';
import { ofWebhooks } from './webhook-operations.ts';

const none = z.strictObject({});
const anything = z.looseObject({});
const { pageOf } = answers;
const taskId = 'task-01jd9x3k2a7f3kq2';

const ofDeliveries: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/deliveries', summary: 'Deliveries, newest first' },
    ...{ query: deliveries.ListQuery, answer: pageOf(answers.delivery) },
  },
  {
    ...{ method: 'get', path: '/deliveries/:id', summary: 'A delivery with headers and bytes' },
    ...{ answer: answers.wholeDelivery, errors: [404] },
  },
  {
    ...{
      method: 'post',
      path: '/deliveries/:id/retry',
      summary: 'Work off a failed or ignored delivery again',
    },
    ...{ answer: answers.dispatched, errors: [404, 409] },
  },
  {
    ...{
      method: 'post',
      path: '/deliveries/:id/replay',
      summary: 'Process the bytes again, as a new delivery',
    },
    ...{ body: deliveries.Replay, example: { replies: false } },
    ...{ status: 201, answer: answers.dispatched, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/deliveries/:id/send', summary: 'Send its request to another URL' },
    ...{ body: deliveries.Send, example: { to: 'http://localhost:3000/hook', resign: true } },
    ...{ answer: answers.sent, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/deliveries/replay', summary: 'Process many again' },
    ...{ body: deliveries.ReplayMany, example: { ids: ['dlv-01jd9x3k2a7f3kq2'] } },
    ...{ status: 201, answer: z.strictObject({ items: z.array(answers.replayed) }) },
  },
  {
    ...{ method: 'post', path: '/deliveries/prune', summary: 'Remove bodies of settled deliveries' },
    ...{ body: deliveries.Prune, example: { before: '2026-01-31T00:00:00Z' }, answer: answers.pruned },
  },
  {
    ...{ method: 'post', path: '/replays', summary: 'Process the bytes of a file' },
    ...{ body: deliveries.ReplayFile, example: { webhook: 'github', headers: {}, body_base64: 'e30=' } },
    ...{ status: 201, answer: answers.dispatched, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/recover', summary: 'Take in what senders sent and never arrived' },
    ...{ body: recover.Recover, example: { dry_run: true } },
    ...{ answer: z.strictObject({ sweeps: z.array(anything) }), errors: [404] },
  },
];

const EXAMPLES: Partial<Record<TaskVerb, object>> = {
  complete: { result: 'Done.' },
  ask: { question: 'May the old format go?' },
  answer: { answer: 'Yes.' },
};

const ofTasks: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/tasks', summary: 'Tasks, newest first' },
    ...{ query: tasks.ListQuery, answer: pageOf(answers.listedTask) },
  },
  {
    ...{ method: 'post', path: '/tasks', summary: 'Make a task' },
    ...{ body: tasks.CreateBody, example: { prompt: 'Find out why the login fails', agent: 'planning' } },
    ...{ status: 201, answer: answers.task, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/tasks/prune', summary: 'Remove ended tasks' },
    ...{ body: tasks.PruneBody, example: { before: '2026-01-31T00:00:00Z' }, answer: anything },
  },
  {
    ...{ method: 'get', path: '/tasks/:id', summary: 'A task with its history and runs' },
    ...{ answer: answers.wholeTask, errors: [404] },
  },
  ...VERBS.map(
    (verb): Operation => ({
      ...{ method: 'post', path: `/tasks/:id/${verb}`, summary: `Step of a task: ${verb}` },
      ...{ body: tasks.ReportBody, example: EXAMPLES[verb] ?? {} },
      ...{ answer: answers.task, errors: [404, 409] },
    }),
  ),
  {
    ...{
      method: 'post',
      path: '/tasks/:id/link',
      summary: 'Join its flow with that of a pull request or issue',
    },
    ...{ body: tasks.LinkBody, example: { to: 'github:acme/shop#12' } },
    ...{ answer: answers.linked, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/tasks/:id/attach', summary: 'Take over the session of a task' },
    ...{ body: tasks.AttachBody, example: { now: false } },
    ...{ answer: answers.attached, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/tasks/:id/detach', summary: 'Give the session back' },
    ...{ body: none, answer: answers.task, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/tasks/:id/comment', summary: 'Post in the thread that the task came from' },
    ...{ body: tasks.CommentBody, example: { text: 'On it.' } },
    ...{ status: 201, answer: answers.outgoing, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/sync', summary: "Compare Claude's list with the store" },
    answer: anything,
  },
  {
    ...{ method: 'post', path: '/agents/:name/release', summary: 'Let run what was queued for a new agent' },
    ...{ body: none, answer: z.strictObject({ agent: z.string(), tasks: z.int() }), errors: [404] },
  },
  {
    ...{ method: 'post', path: '/events/listen', summary: 'Wait for events of tasks, under a name' },
    ...{ body: tasks.ListenBody, example: { consumer: 'my-agent', since_task_id: taskId }, answer: none },
  },
  {
    ...{ method: 'post', path: '/events/ack', summary: 'Take an event off the list' },
    ...{ body: tasks.AckBody, example: { consumer: 'my-agent', event_id: 'evt-12' } },
    answer: z.strictObject({ known: z.boolean() }),
  },
  {
    ...{ method: 'get', path: '/schedules', summary: 'Schedules of webhooks.yml' },
    answer: pageOf(answers.schedule),
  },
  ...(['pause', 'resume'] as const).map(
    (verb): Operation => ({
      ...{ method: 'post', path: `/schedules/:name/${verb}`, summary: `${verb} a schedule` },
      ...{ answer: answers.schedule, errors: [404] },
    }),
  ),
  {
    ...{ method: 'post', path: '/schedules/:name/run', summary: 'Make its task now' },
    ...{ status: 201, answer: answers.task, errors: [404] },
  },
  {
    ...{ method: 'get', path: '/runs', summary: 'Runs that go on, wait or are held' },
    ...{ query: reads.OwnerQuery, answer: pageOf(answers.agentRun) },
  },
  { method: 'get', path: '/runs/:id', summary: 'A run', answer: answers.agentRun, errors: [404] },
  {
    ...{ method: 'get', path: '/runs/:id/log', summary: 'What the agent said and did, from a position on' },
    ...{ query: reads.LogQuery, answer: reports.runLog, errors: [404] },
  },
  {
    ...{ method: 'get', path: '/spend', summary: 'What runs cost' },
    ...{ query: reads.SpendQuery, answer: reports.spending },
  },
  {
    ...{ method: 'get', path: '/stats', summary: 'Rates, success, times and cost by group and step of time' },
    ...{ query: reads.StatsQuery, answer: reports.stats },
  },
  {
    ...{ method: 'get', path: '/budgets', summary: 'Spend against the budgets' },
    ...{ query: reads.OwnerQuery, answer: pageOf(reports.budget) },
  },
];

const ofFlows: readonly Operation[] = [
  {
    ...{ method: 'get', path: '/flows', summary: 'Flows, newest first' },
    ...{ query: flows.FlowQuery, answer: pageOf(answers.flow) },
  },
  {
    ...{ method: 'get', path: '/flows/:id', summary: 'A flow with its conversations and tasks' },
    ...{ answer: answers.wholeFlow, errors: [404] },
  },
  {
    ...{ method: 'post', path: '/flows/:id/unlink', summary: 'Take back that it goes on in another flow' },
    ...{ body: none, answer: answers.flowLink, errors: [404, 409] },
  },
  {
    ...{ method: 'get', path: '/conversations', summary: 'Conversations, newest first' },
    ...{ query: flows.ConversationQuery, answer: pageOf(answers.conversation) },
  },
  {
    ...{ method: 'get', path: '/conversations/:id', summary: 'A conversation' },
    ...{ answer: answers.conversation, errors: [404] },
  },
  {
    ...{ method: 'get', path: '/conversations/:id/metrics', summary: 'Its totals' },
    ...{ answer: answers.conversation, errors: [404] },
  },
  {
    ...{ method: 'get', path: '/conversations/:id/messages', summary: 'What was said in it, oldest first' },
    ...{ query: flows.MessageQuery, answer: pageOf(answers.message), errors: [404] },
  },
  {
    ...{
      method: 'get',
      path: '/conversations/:id/context',
      summary: 'Its last messages, for an agent that joins',
    },
    ...{ query: flows.ContextQuery, answer: answers.conversationContext, errors: [404] },
  },
];

const ofTheRest: readonly Operation[] = [
  {
    method: 'get',
    path: '/status',
    summary: 'The server, webhooks, tasks and problems',
    query: StatusQuery,
    answer: answers.status,
  },
  {
    ...{ method: 'get', path: '/events', summary: 'What happens, as server-sent events' },
    ...{ query: live.EventQuery, answer: z.string() },
  },
  {
    ...{ method: 'get', path: '/openapi.json', summary: 'This document' },
    answer: anything,
  },
  {
    ...{ method: 'get', path: '/traffic', summary: 'Deliveries, times and costs by step of time' },
    ...{ query: reads.TrafficQuery, answer: reports.traffic },
  },
  {
    ...{ method: 'get', path: '/outbox', summary: 'Replies and forwards, newest first' },
    ...{ query: outbox.ListQuery, answer: pageOf(answers.outgoing) },
  },
  ...(['retry', 'drop'] as const).map(
    (verb): Operation => ({
      ...{ method: 'post', path: `/outbox/:id/${verb}` },
      summary: verb === 'retry' ? 'Send it again' : 'Give it up',
      ...{ answer: answers.outgoing, errors: [404, 409] },
    }),
  ),
  {
    ...{ method: 'get', path: '/audit', summary: 'Who changed what, newest first' },
    ...{ query: audit.ListQuery, answer: pageOf(answers.auditLine) },
  },
  {
    ...{ method: 'get', path: '/connections', summary: 'Hooks at senders' },
    answer: pageOf(answers.connection),
  },
  {
    ...{ method: 'post', path: '/connections', summary: 'Make a hook at a sender' },
    ...{ body: connections.Order, example: { connector: 'github', target: 'acme/api', dry_run: true } },
    ...{ answer: anything, errors: [404, 409] },
  },
  {
    ...{ method: 'post', path: '/connections/check', summary: 'Look at all hooks, and mend them' },
    ...{ body: connections.Check, example: { fix: false } },
    answer: z.strictObject({ connections: z.array(anything), orphans: z.array(anything) }),
  },
  {
    ...{ method: 'get', path: '/connections/:id', summary: 'A hook, and what last came from it' },
    ...{ query: connections.Arrived, answer: answers.connection, errors: [404] },
  },
  {
    ...{ method: 'post', path: '/connections/:id/ping', summary: 'Have the sender send a test event' },
    ...{ answer: anything, errors: [404, 409] },
  },
  {
    ...{ method: 'delete', path: '/connections/:id', summary: 'Remove a hook' },
    ...{ status: 204, answer: null, errors: [404, 409] },
  },
  {
    ...{ method: 'get', path: '/github-apps', summary: "hookctl's GitHub Apps" },
    answer: z.strictObject({ items: z.array(anything) }),
  },
  {
    ...{
      method: 'post',
      path: '/github-apps/registration',
      summary: 'Open the page on which a person makes an App',
    },
    ...{ body: githubApps.Order, example: { organisation: 'acme' } },
    ...{ status: 201, answer: anything, errors: [404, 409] },
  },
  {
    ...{ method: 'get', path: '/github-apps/registration', summary: 'How far that is' },
    ...{ answer: anything, errors: [404] },
  },
  {
    ...{ method: 'get', path: '/workspaces', summary: 'Checkouts of agents' },
    answer: pageOf(answers.workspace),
  },
  {
    ...{ method: 'post', path: '/workspaces/prune', summary: 'Remove those that no one needs' },
    ...{ body: workspaces.PruneBody, example: { any_age: false } },
    answer: z.strictObject({ removed: z.array(answers.workspace), kept: z.array(answers.workspace) }),
  },
  {
    ...{ method: 'post', path: '/workspaces/:id/remove', summary: 'Remove one' },
    ...{ body: workspaces.RemoveBody, example: { force: false } },
    ...{ answer: answers.workspace, errors: [404, 409] },
  },
];

/** Every operation of the management API. */
export const operations: readonly Operation[] = [
  ...ofTheRest,
  ...ofDeliveries,
  ...ofTasks,
  ...ofFlows,
  ...ofWebhooks,
  ...ofTokens,
];
