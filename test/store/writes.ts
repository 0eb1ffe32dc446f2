import type { Store, StoreReader } from '../../src/store/store.ts';
import type { TaskChange, TaskCreation } from '../../src/store/tasks.ts';
import type { Connection, Decision, NewOutgoing } from '../../src/types.ts';
import { tokenOf } from '../lib/tokens.ts';
import { NOW, newDelivery, outcome, taskInFlow } from './records.ts';

export const TOKEN = tokenOf('ghs_{d9}_eyJ{w40}.eyJ{w60}.{w43}');
export const PASSWORD = tokenOf('{w18}');
export const WORDS = `it printed ${TOKEN} and password=${PASSWORD}`;

export const item = (id: string, changes: Partial<NewOutgoing> = {}): NewOutgoing => ({
  id,
  kind: 'comment',
  place: { host: null },
  content: WORDS,
  edits: null,
  privateNetwork: false,
  ...changes,
});
const decision: Decision = {
  event: 0,
  eventType: 'issue_comment.created',
  command: 'analyze',
  fired: true,
  reason: WORDS,
  taskIds: [],
  error: WORDS,
};
const task = (id: string) =>
  taskInFlow(id, {
    task: {
      title: WORDS,
      prompt: WORDS,
      typed: WORDS,
      url: `https://x/?token=${TOKEN}`,
      sourceMetadata: { note: WORDS },
    },
  });
const spent = { costUsd: null, inputTokens: null, outputTokens: null };
const change = (changes: Partial<TaskChange>): TaskChange => ({
  taskId: 'task-1',
  event: 'complete',
  from: 'running',
  to: 'completed',
  isEnd: true,
  actor: WORDS,
  reason: WORDS,
  result: WORDS,
  error: WORDS,
  spent,
  reply: { deliveryId: 'dlv-1', item: item(`out-${changes.taskId}`), becomesTaskComment: true },
  at: NOW,
  ...changes,
});
const creation: TaskCreation = {
  task: { ...task('task-7').task },
  source: 'cli',
  actor: WORDS,
  owner: 'operator',
  parent: null,
  dependsOn: [],
  flowId: 'flow-7',
  externalId: 'cli:task-7',
  newConversationId: 'conv-7',
  startNewConversation: false,
  at: NOW,
};
const wait = (taskId: string) => ({
  id: `run-${taskId}`,
  task: {
    ...{ id: taskId, agent: 'planning', owner: 'operator', flowId: 'flow-1' },
    conversationId: 'conv-task-1',
  },
  runner: 'claude',
  state: 'waiting' as const,
  reason: WORDS,
  at: NOW,
});

const connection: Connection = {
  id: 'con-1',
  connector: 'github',
  webhook: 'github',
  webhookId: null,
  kind: 'repository',
  target: 'acme/api',
  apiUrl: 'https://api.github.com',
  remoteId: '1',
  url: 'https://hooks.example/webhooks/github?hookctl=0123456789abcdef',
  events: ['issues'],
  fingerprint: '0123456789abcdef',
  isAdopted: false,
  isPaused: false,
  problem: WORDS,
  createdAt: NOW,
  pointedAt: NOW,
  checkedAt: null,
};

type Write = Exclude<keyof Store, keyof StoreReader | 'problems' | 'shared' | 'indexed'>;

/** What each method that writes is given, in an order in which each finds what it changes. A new method has to be added. */
export const WRITES: Readonly<Record<Write, (store: Store) => Promise<unknown>>> = {
  accept: async (store) => {
    for (const id of ['dlv-1', 'dlv-2', 'dlv-3']) {
      await store.accept(newDelivery(id, { senderName: WORDS, eventType: WORDS }));
    }
    await store.accept(
      newDelivery('dlv-4', { status: 'ignored', settledAt: NOW, reason: WORDS, decisions: [decision] }),
    );
  },
  reject: (store) =>
    store.reject({
      id: 'dlv-5',
      webhook: 'github',
      webhookId: null,
      owner: 'operator',
      provider: 'github',
      reason: WORDS,
      senderDeliveryId: null,
      eventType: WORDS,
      size: 1,
      receivedAt: NOW,
    }),
  postpone: (store) => store.postpone('dlv-2', WORDS, NOW),
  recordOutcome: async (store) => {
    const tasks = ['task-1', 'task-2', 'task-3', 'task-4'].map(task);
    await store.recordOutcome(
      outcome('dlv-1', {
        tasks,
        reason: WORDS,
        decisions: [decision],
        outgoing: [item('out-1'), item('out-2')],
      }),
    );
    await store.recordOutcome(
      outcome('dlv-2', {
        status: 'failed',
        reason: WORDS,
        stops: [change({ taskId: 'task-4', from: 'queued', to: 'cancelled' })],
      }),
    );
    await store.recordOutcome(outcome('dlv-3', { answers: [{ taskId: 'task-3', prompt: WORDS }] }));
  },
  addConnection: (store) => store.addConnection(connection),
  changeConnection: (store) => store.changeConnection('con-1', { problem: WORDS }),
  forgetConnection: (store) => store.forgetConnection('con-2'),
  noteTaskCheck: (store) =>
    store.noteTaskCheck({
      ...{ id: 'task-1', host: 'github.com', owner: 'acme', repo: 'api', sha: 'abc', remoteId: null },
      ...{ shown: '', problem: WORDS, updatedAt: NOW },
    }),
  noteSweep: (store) =>
    store.noteSweep({
      ...{ connectionId: 'con-1', startedAt: NOW, endedAt: NOW, since: NOW, through: NOW },
      ...{ listed: 1, missing: 1, redelivered: 0, fetched: 0, problem: WORDS },
    }),
  noteAnswers: (store) => store.noteAnswers({ at: NOW, counts: { '5': 1 } }),
  requeue: (store) => store.requeue('dlv-2'),
  createTask: (store) => store.createTask(creation),
  noteSchedule: (store) => store.noteSchedule({ name: 'nightly', lastDue: NOW, paused: false }),
  noteTask: (store) =>
    store.noteTask({ taskId: 'task-2', event: 'reopen', actor: WORDS, reason: WORDS, at: NOW }),
  noteSync: (store) =>
    store.noteSync([{ taskId: 'task-2', claudeTaskId: 'claude-task-2', claudeList: null, unsynced: WORDS }]),
  changeTask: async (store) => {
    await store.changeTask(change({ taskId: 'task-2', from: 'queued', to: 'waiting_answer', isEnd: false }));
  },
  addComment: (store) => store.addComment(item('out-9'), 'dlv-1', NOW),
  addPost: (store) => store.addPost(item('out-10'), { provider: 'slack', owner: 'operator' }, NOW),
  beginOutgoing: (store) => store.beginOutgoing('out-1'),
  noteOutgoing: (store) =>
    store.noteOutgoing('out-1', {
      status: 'failed',
      reason: WORDS,
      uncertain: false,
      nextAttemptAt: NOW,
      remoteId: null,
      settledAt: NOW,
    }),
  retryOutgoing: (store) => store.retryOutgoing('out-1', NOW),
  dropOutgoing: (store) => store.dropOutgoing('out-2', NOW),
  joinFlows: (store) =>
    store.joinFlows(
      {
        flows: [
          { flowId: 'flow-1', externalId: 'github:octo/repo#1', newConversationId: 'conv-7' },
          { flowId: 'flow-9', externalId: 'github:octo/repo#9', newConversationId: 'conv-8' },
        ],
        reason: WORDS,
        actor: 'cli',
        isAsked: true,
        owner: 'operator',
      },
      NOW,
    ),
  holdDelivery: (store) =>
    store.holdDelivery(
      { deliveryId: 'dlv-1', flowId: 'flow-1', waitGroup: 'one', windowEndsAt: NOW, lastEndsAt: NOW },
      WORDS,
    ),
  unlinkFlow: (store) => store.unlinkFlow('flow-9'),
  noteWaiting: (store) => store.noteWaiting([wait('task-1'), wait('task-3')], []),
  attach: (store) =>
    store.attach({ conversationId: 'conv-1', taskId: 'task-1', actor: WORDS, atOnce: false, at: NOW }),
  detach: (store) => store.detach('conv-9'),
  startRun: (store) =>
    store.startRun({
      wait: wait('task-1'),
      folder: '/work',
      logPath: '/work/log',
      sessionKey: 'claude',
      reservedUsd: null,
      change: change({ from: 'queued', to: 'running', isEnd: false, reply: null }),
    }),
  noteRun: (store) =>
    store.noteRun('run-task-1', { commandLine: ['agent', `--token=${TOKEN}`], openWith: WORDS }),
  endRun: (store) =>
    store.endRun({
      id: 'run-task-1',
      state: 'completed',
      reason: WORDS,
      exitCode: 0,
      signal: null,
      usage: { ...spent, turns: 1 },
      denials: [WORDS],
      at: NOW,
      task: { kind: 'change', change: change({}) },
    }),
  giveNotice: (store) =>
    store.giveNotice({
      scope: 'day',
      since: 0,
      at: NOW,
      reply: { item: item('out-10'), deliveryId: 'dlv-1' },
    }),
  recordAudit: (store) =>
    store.recordAudit([
      {
        at: NOW,
        actor: { kind: 'cli', name: WORDS },
        what: 'webhook.edit',
        owner: 'operator',
        target: WORDS,
        details: { note: WORDS, password: PASSWORD, deep: [{ authorization: PASSWORD }] },
        revision: null,
      },
    ]),
  joinEvents: (store) => store.joinEvents('agent', null, NOW),
  ackEvent: (store) => store.ackEvent('agent', 'evt-1'),
  noteAgents: (store) => store.noteAgents(['planning'], NOW),
  releaseBacklog: (store) => store.releaseBacklog('planning'),
  probe: (store) => store.probe(),
  sweepLog: (store) => store.sweepLog(),
  removeBodies: (store) => store.removeBodies(['dlv-4'], NOW),
  pruneTrees: (store) => store.pruneTrees([], { before: 0, samples: false }, NOW),
  forgetDeliveries: (store) => store.forgetDeliveries(0, 10),
};
