import { describe, expect, test } from 'vitest';
import { SPEND_BY } from '../../../src/store/runs.ts';
import { STATS_BY } from '../../../src/store/stats.ts';
import type { Store, StoreReader } from '../../../src/store/store.ts';
import { freshStore as freshLocal } from '../../store/fixtures.ts';
import { NOW } from '../../store/records.ts';
import { WRITES } from '../../store/writes.ts';
import { fill } from './durability.ts';
import { freshStore } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

const GITHUB = { name: 'github', id: null };
const TIMES = { since: NOW - 1_000, until: NOW + 1_000 };
const LONG = { limit: 1_000 };
const SEARCH = {
  ...{ event: 'issues.*', externalId: 'github:octo/repo#1', sender: '@OctoCat', text: '"id"' },
  ...TIMES,
};

/** Each read, in every form of its SQL. A new method has to be added. */
const READS: Readonly<
  Record<Exclude<keyof StoreReader, 'close'>, (store: StoreReader) => readonly unknown[]>
> = {
  delivery: (store) => [store.delivery('dlv-1'), store.delivery('dlv-none')],
  deliveries: (store) => [
    store.deliveries(LONG),
    store.deliveries({ ...LONG, owner: 'operator', webhook: 'github', status: 'pending', after: '' }),
    store.deliveries({ settledSince: NOW, before: 'dlv-9' }),
    store.deliveries(SEARCH),
    ...['event', 'externalId', 'sender', 'text'].map((each) =>
      store.deliveries({ [each]: SEARCH[each as keyof typeof SEARCH] }),
    ),
  ],
  body: (store) => [Buffer.from(store.body('dlv-1') ?? []).toString(), store.body('dlv-none')],
  prunable: (store) => [
    store.prunable({ before: null }, 10),
    store.prunable({ before: NOW, samples: true }, 10),
  ],
  countPrunable: (store) => [store.countPrunable({ before: null }), store.countPrunable({ before: NOW })],
  receivedAtRank: (store) => [store.receivedAtRank(0), store.receivedAtRank(1_000)],
  countsByWebhook: (store) => [
    store.countsByWebhook(),
    store.countsByWebhook(['github']),
    store.countsByWebhook(undefined, 'operator'),
  ],
  pending: (store) => [store.pending(null, 10), store.pending('dlv-1', 1)],
  aliases: (store) => [store.aliases(['id:1', 'none'])],
  aliasesOf: (store) => [store.aliasesOf('flow-1')],
  linkOf: (store) => [store.linkOf('flow-9'), store.linkOf('flow-1')],
  linksInto: (store) => [store.linksInto('flow-1')],
  ticketsNamed: (store) => [store.ticketsNamed('PROJ-1', 'operator')],
  repairs: (store) => [store.repairs({}), store.repairs({ subject: 'x', sha: 'y', since: NOW })],
  held: (store) => [store.held({}), store.held({ deliveryId: 'dlv-1', waitGroup: 'one', flowId: 'flow-1' })],
  outgoing: (store) => [store.outgoing('out-1')],
  postsWithButtons: (store) => [store.postsWithButtons('task-1')],
  staleButtons: (store) => [store.staleButtons(10)],
  outbox: (store) => [
    store.outbox(LONG),
    store.outbox({ status: 'waiting', deliveryId: 'dlv-1', settledSince: NOW, before: 'out-9' }),
  ],
  idBefore: (store) => [store.idBefore('deliveries', undefined, 2), store.idBefore('tasks', 'task-3', 1)],
  count: (store) => [
    ...(['deliveries', 'tasks', 'flows', 'conversations', 'outbox', 'audit'] as const).map((list) =>
      store.count(list),
    ),
    store.count('deliveries', SEARCH),
    store.count('tasks', SEARCH),
    store.count('flows', { externalId: 'github:octo/repo#1' }),
  ],
  countsByOutgoingStatus: (store) => [
    store.countsByOutgoingStatus(),
    store.countsByOutgoingStatus('operator'),
  ],
  waitingOutgoing: (store) => [store.waitingOutgoing(10)],
  responsesBefore: (store) => [store.responsesBefore({ id: 'out-9', deliveryId: 'dlv-1' })],
  holderOf: (store) => [store.holderOf('@act:7'), store.holderOf('@act:none')],
  countSettled: (store) => [
    store.countSettled('github:octo/repo#1', { status: 'processed', since: 0, owner: 'operator' }),
    store.countSettled('github:octo/repo#1', {
      ...{ status: 'failed', since: 0, owner: 'operator', reason: 'it printed' },
    }),
  ],
  schedules: (store) => [store.schedules()],
  task: (store) => [store.task('task-1'), store.task('task-none')],
  tasks: (store) => [
    store.tasks(LONG),
    store.tasks({ status: 'queued', open: true, agent: 'planning', flowId: 'flow-1', after: '' }),
    store.tasks({ endedSince: NOW, updatedSince: NOW, deliveryId: 'dlv-1', owner: 'operator' }),
    store.tasks(SEARCH),
    ...['event', 'externalId', 'sender', 'text'].map((each) =>
      store.tasks({ [each]: SEARCH[each as keyof typeof SEARCH] }),
    ),
  ],
  transitions: (store) => [store.transitions('task-1')],
  dependents: (store) => [store.dependents('task-2')],
  flows: (store) => [
    store.flows(LONG),
    store.flows({ externalId: 'id:1' }),
    store.flows({ id: 'flow-1', owner: 'operator', before: 'flow-9' }),
  ],
  conversations: (store) => [
    store.conversations(LONG),
    store.conversations({ flowId: 'flow-1', owner: 'operator', before: 'conv-x' }),
  ],
  agentNames: (store) => [store.agentNames()],
  countsByTaskStatus: (store) => [store.countsByTaskStatus(), store.countsByTaskStatus('operator')],
  openQuestion: (store) => [store.openQuestion('flow-3')],
  projectable: (store) => [store.projectable(2)],
  prunableTrees: (store) => [
    store.prunableTrees({ before: NOW + 50, samples: false }, '', 10),
    store.prunableTrees({ before: NOW + 50, samples: true }, '', 10),
  ],
  tree: (store) => [store.tree('task-1')],
  selected: (store) => [
    store
      .selected({ statuses: ['failed', 'processed'], webhook: 'github', ...TIMES, after: 'dlv-0' }, 10)
      .map(({ body, ...row }) => [row, Buffer.from(body() ?? []).toString()]),
    store.selected({ statuses: [], until: NOW }, 10),
  ],
  countSelected: (store) => [store.countSelected({ statuses: ['failed'], until: NOW + 50 })],
  run: (store) => [store.run('run-1'), store.run('run-task-1')],
  runsOfTask: (store) => [store.runsOfTask('task-1')],
  openRuns: (store) => [store.openRuns(), store.openRuns('operator')],
  runsSince: (store) => [store.runsSince(NOW - 10, 10)],
  attachments: (store) => [store.attachments()],
  backlogs: (store) => [store.backlogs()],
  queuedTasks: (store) => [store.queuedTasks(['planning', 'x'], 10)],
  lastSession: (store) => [store.lastSession('conv-task-1', 'planning')],
  sessionFolder: (store) => [store.sessionFolder('session-1')],
  runOnBranch: (store) => [store.runOnBranch('hookctl-1')],
  sessionMeter: (store) => [store.sessionMeter('session-1')],
  pausedAgents: (store) => [store.pausedAgents(NOW)],
  spent: (store) => [
    store.spent(0),
    store.spent(0, { flowId: 'flow-1', agent: 'planning', owner: 'operator' }),
  ],
  costs: (store) => [store.costs(0), store.costs(0, 'operator')],
  spend: (store) => SPEND_BY.flatMap((by) => [store.spend(by, 0), store.spend(by, 0, 'operator')]),
  stats: (store) =>
    STATS_BY.flatMap((by) => [
      store.stats({ by, ...TIMES }),
      store.stats({ by, ...TIMES, webhook: 'github', owner: 'operator', stepMs: 100 }),
    ]),
  received: (store) => [store.received(0, 1_000), store.received(0, 1_000, 'operator')],
  settlings: (store) => [store.settlings(0, 10), store.settlings(0, 10, 'operator')],
  countsByOwner: (store) => [store.countsByOwner()],
  audit: (store) => [
    store.audit(LONG),
    store.audit({ what: 'webhook', since: NOW, owner: 'operator' }),
    store.audit({ before: 2 }),
  ],
  auditedNames: (store) => [store.auditedNames()],
  isConsumer: (store) => [store.isConsumer('ada'), store.isConsumer('none')],
  agentEvents: (store) => [
    store.agentEvents({ consumer: 'ada' }),
    store.agentEvents({ consumer: 'ada', agent: 'planning', conversationId: 'conv-task-1' }),
  ],
  eventsSince: (store) => [store.eventsSince(0)],
  newestTransition: (store) => [store.newestTransition()],
  connections: (store) => [store.connections()],
  connection: (store) => [store.connection('con-1')],
  // A number of each installation, the bytes on a disk, and the machines of a database are not the same everywhere.
  installationId: (store) => [store.installationId().length],
  logBytes: (store) => [store.logBytes() > 0],
  machines: (store) => [store.machines().length >= 0],
  taskCheck: (store) => [store.taskCheck('task-1')],
  unendedChecks: (store) => [store.unendedChecks(10)],
  sweeps: (store) => [store.sweeps()],
  arrivals: (store) => [store.arrivals(GITHUB, ['sender-1', 'x'], 0)],
  isKnown: (store) => [
    store.isKnown(GITHUB, { externalId: 'github:octo/repo#1', eventType: 'issues.opened', keys: [] }),
    store.isKnown(GITHUB, { externalId: null, eventType: null, keys: ['id:a'] }),
    store.isKnown(GITHUB, { externalId: 'github:octo/repo#1', eventType: null, keys: ['id:b'] }),
  ],
  pendingKeys: (store) => [store.pendingKeys(GITHUB)],
  answerTimes: (store) => [store.answerTimes(0)],
};

/** All that each read answers. */
export function answersOf(store: Store): Readonly<Record<string, readonly unknown[]>> {
  return Object.fromEntries(
    Object.entries(READS).map(([name, read]) => {
      try {
        return [name, read(store)];
      } catch (error) {
        // So that all reads are compared.
        return [name, [error]];
      }
    }),
  );
}

export function readsContract(implementation: Implementation): void {
  describe('all reads', () => {
    test('after something of each table was written, each read answers as that of the local store', async () => {
      const stores = [await freshLocal(), await freshStore(implementation)];
      for (const store of stores) await fill(store);
      const [local, other] = stores.map(answersOf);
      expect(other).toEqual(local);
    });

    test('after every method that writes, too', async () => {
      const stores = [await freshLocal(), await freshStore(implementation)];
      for (const store of stores) for (const write of Object.values(WRITES)) await write(store);
      const [local, other] = stores.map(answersOf);
      expect(other).toEqual(local);
    });
  });
}
