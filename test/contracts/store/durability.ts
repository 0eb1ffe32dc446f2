import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { OutgoingNote, Store } from '../../../src/store/store.ts';
import { readable } from '../../store/fixtures.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import {
  ATTACHMENT,
  change,
  comment,
  creation,
  everything,
  freshStore,
  idsOf,
  newHome,
  openHome,
  runEnd,
  runStart,
  withTasks,
} from './fixtures.ts';
import type { Implementation } from './implementations.ts';

/** Something of each table. */
export async function fill(store: Store): Promise<void> {
  const [one = null] = await withTasks(store, 'dlv-1', [
    ['task-1'],
    ['task-2', { flowId: 'flow-2', externalId: 'x:2' }],
    ['task-3', { flowId: 'flow-3', externalId: 'x:3', task: { status: 'waiting_answer' } }],
  ]);
  await store.startRun(runStart('run-1', one));
  await store.noteRun('run-1', { sessionId: 'session-1' });
  await store.endRun(
    runEnd('run-1', { task: { kind: 'change', change: change('task-1', { from: 'running' }) } }),
  );
  await store.createTask(creation('task-4', { dependsOn: ['task-2'] }));
  await store.accept(newDelivery('dlv-2', { dedupeKeys: ['id:a', '@seal:s'] }));
  const alias = { alias: 'id:1', flowId: 'flow-1', stable: true };
  await store.recordOutcome(
    outcome('dlv-2', {
      effects: [
        { kind: 'alias', alias },
        { kind: 'post', item: comment('out-1') },
        { kind: 'claim', key: '@act:7' },
      ],
    }),
  );
  await store.beginOutgoing('out-1');
  await store.accept(newDelivery('dlv-3', { dedupeKeys: ['id:b'] }));
  await store.noteAgents(['planning'], NOW);
  await store.joinEvents('ada', 'task-1', NOW);
  const [event] = store.agentEvents({ consumer: 'ada' });
  await store.ackEvent('ada', event?.id ?? '');
  await store.giveNotice({ scope: 'day', since: NOW, at: NOW + 1, reply: null });
  await store.recordAudit([
    {
      ...{
        at: NOW,
        actor: { kind: 'cli', name: 'ada' },
        what: 'webhook.add',
        owner: 'operator',
        target: null,
      },
      ...{ details: {}, revision: 'r1' },
    },
  ]);
}

/** What `fill` stored that is seen only by asking for more. */
export async function expectFilled(store: Store): Promise<void> {
  const again = async (id: string, key: string) =>
    (await store.accept(newDelivery(id, { senderDeliveryId: null, dedupeKeys: [key] }))).duplicateOf;
  expect(await again('dlv-4', '@seal:s')).toBe('dlv-2');
  expect(await again('dlv-5', '@act:7')).toBe('dlv-2');
  expect(await again('dlv-6', 'id:b')).toBe('dlv-3');
  expect(store.backlogs()).toEqual([{ agent: 'planning', tasks: 2 }]);
  expect(await store.giveNotice({ scope: 'day', since: NOW, at: NOW + 2, reply: null })).toBe(false);
}

const PROGRAM = fileURLToPath(new URL('./killed.ts', import.meta.url));

export function durabilityContract(implementation: Implementation): void {
  describe('many at once', () => {
    test('200 deliveries at once are all stored, each readable as soon as it is indexed', async () => {
      const store = await freshStore(implementation);
      const ids = Array.from({ length: 200 }, (_, index) => `dlv-${String(index).padStart(3, '0')}`);
      const seen = await Promise.all(
        ids.map(async (id) => {
          await store.accept(newDelivery(id));
          return store.delivery(id)?.id;
        }),
      );
      expect(seen).toEqual(ids);
    });

    test('50 accepts and outcomes at once in one flow make one flow, one conversation, 50 tasks', async () => {
      const store = await openHome(newHome(implementation));
      const numbers = Array.from({ length: 50 }, (_, index) => index);
      const made = await Promise.all(
        numbers.map(async (number) => {
          await store.accept(newDelivery(`dlv-${number}`));
          const tasks = await store.recordOutcome(
            outcome(`dlv-${number}`, { tasks: [taskInFlow(`task-${number}`)] }),
          );
          // What resolved can be read.
          expect(store.task(`task-${number}`)).toEqual(tasks[0]);
          expect(store.delivery(`dlv-${number}`)?.status).toBe('processed');
          return tasks;
        }),
      );
      expect(new Set(made.flat().map((task) => task.conversationId)).size).toBe(1);
      expect([store.count('flows'), store.count('conversations'), store.count('tasks')]).toEqual([1, 1, 50]);
      expect(store.pending(null, 100)).toEqual([]);
    });

    test('of writes at once, one that rejects leaves nothing behind and the others are done', async () => {
      const store = await freshStore(implementation);
      await store.accept(newDelivery('dlv-1'));
      await withTasks(store, 'dlv-2', [['task-1'], ['task-2']]);
      const taken = taskInFlow('task-9', { flowId: 'flow-9', newConversationId: 'conv-task-1' });
      const results = await Promise.allSettled([
        store.changeTask(change('task-1')),
        store.recordOutcome(outcome('dlv-1', { tasks: [taken], outgoing: [comment('out-1')] })),
        store.createTask(creation('task-3', { newConversationId: 'conv-task-1' })),
        store.changeTask(change('task-2', { at: 1.5 })),
        store.createTask(creation('task-4')),
        store.accept(newDelivery('dlv-3')),
      ]);
      const codes = results.map((result) => (result.status === 'rejected' ? result.reason.code : null));
      expect(codes).toEqual([null, 'store_write', 'store_write', 'store_write', null, null]);
      expect(store.tasks({ after: '' }).map(({ id, status }) => [id, status])).toEqual([
        ['task-1', 'completed'],
        ['task-2', 'queued'],
        ['task-4', 'queued'],
      ]);
      expect(idsOf(store.flows()).toSorted()).toEqual(['flow-1', 'flow-typed']);
      expect([store.outbox(), idsOf(store.pending(null, 9))]).toEqual([[], ['dlv-1', 'dlv-3']]);
      expect(store.transitions('task-2').map(({ event }) => event)).toEqual(['create']);
    });

    test('writes of one caller are done in their order', async () => {
      const store = await freshStore(implementation);
      await withTasks(store, 'dlv-1', [['task-1']]);
      const back = { event: 'release', from: 'running', to: 'queued', isEnd: false } as const;
      const start = { event: 'start', to: 'running', isEnd: false } as const;
      const steps = Array.from({ length: 40 }, (_, index) =>
        store.changeTask(change('task-1', { ...(index % 2 === 0 ? start : back), at: NOW + index })),
      );
      expect((await Promise.all(steps)).every((task) => task !== null)).toBe(true);
      expect(
        store
          .transitions('task-1')
          .slice(1)
          .map(({ at }) => at - NOW),
      ).toEqual([...steps.keys()]);
    });
  });

  describe('close', () => {
    test('finishes what waits', async () => {
      const home = newHome(implementation);
      const store = await openHome(home);
      const accepted = ['dlv-1', 'dlv-2'].map((id) => store.accept(newDelivery(id)));
      const typed = store.createTask(creation('task-1'));
      await store.close();
      expect((await Promise.all(accepted)).map((result) => result.status)).toEqual(['pending', 'pending']);
      expect((await typed)?.id).toBe('task-1');
      const again = await openHome(home);
      expect([idsOf(again.pending(null, 9)), idsOf(again.tasks())]).toEqual([['dlv-1', 'dlv-2'], ['task-1']]);
    });

    test('then every write rejects; while it closes each is done or rejects so', async () => {
      const store = await freshStore(implementation);
      const [task = null] = await withTasks(store, 'dlv-1', [['task-1']]);
      const filter = { before: NOW, samples: false };
      const note = { taskId: 'task-1', claudeTaskId: null, claudeList: null, unsynced: null };
      const sent: OutgoingNote = {
        ...{ status: 'sent' as const, reason: null, uncertain: false, nextAttemptAt: NOW },
        ...{ remoteId: null, settledAt: NOW },
      };
      const refused = {
        ...{ id: 'dlv-9', webhook: 'github', webhookId: null, provider: 'github', reason: 'x' },
        ...{ owner: 'operator', senderDeliveryId: null, eventType: null, size: 0, receivedAt: NOW },
      };
      const writes = {
        accept: () => store.accept(newDelivery('dlv-2')),
        reject: () => store.reject(refused),
        recordOutcome: () => store.recordOutcome(outcome('dlv-1')),
        postpone: () => store.postpone('dlv-1', 'x', NOW),
        requeue: () => store.requeue('dlv-1'),
        addComment: () => store.addComment(comment('out-1'), 'dlv-1', NOW),
        addPost: () => store.addPost(comment('out-2'), { provider: 'slack', owner: 'operator' }, NOW),
        beginOutgoing: () => store.beginOutgoing('out-1'),
        noteOutgoing: () => store.noteOutgoing('out-1', sent),
        retryOutgoing: () => store.retryOutgoing('out-1', NOW),
        dropOutgoing: () => store.dropOutgoing('out-1', NOW),
        removeBodies: () => store.removeBodies(['dlv-1'], NOW),
        forgetDeliveries: () => store.forgetDeliveries(NOW, 1),
        sweepLog: () => store.sweepLog(),
        recordAudit: () => store.recordAudit([]),
        probe: () => store.probe(),
        createTask: () => store.createTask(creation('task-2')),
        changeTask: () => store.changeTask(change('task-1')),
        pruneTrees: () => store.pruneTrees([], filter, NOW),
        noteTask: () => store.noteTask({ ...change('task-1') }),
        noteSync: () => store.noteSync([note]),
        joinEvents: () => store.joinEvents('ada', null, NOW),
        ackEvent: () => store.ackEvent('ada', 'evt-1'),
        noteAgents: () => store.noteAgents([], NOW),
        releaseBacklog: () => store.releaseBacklog('planning'),
        noteWaiting: () => store.noteWaiting([], []),
        attach: () => store.attach(ATTACHMENT),
        detach: () => store.detach('conv-1'),
        startRun: () => store.startRun(runStart('run-1', task)),
        noteRun: () => store.noteRun('run-1', {}),
        endRun: () => store.endRun(runEnd('run-1')),
        giveNotice: () => store.giveNotice({ scope: 'day', since: NOW, at: NOW, reply: null }),
      };
      const codes = () =>
        Promise.all(
          Object.entries(writes).map(async ([name, write]) => [
            name,
            await write().then(
              () => 'done',
              (error) => error.code,
            ),
          ]),
        );
      const stopped = Object.keys(writes).map((name) => [name, 'store_stopped']);
      const closing = store.close();
      const meanwhile = await codes();
      expect(meanwhile.filter(([, code]) => code !== 'done' && code !== 'store_stopped')).toEqual([]);
      await closing;
      expect(await codes()).toEqual(stopped);
    });
  });

  describe('durability', () => {
    test('what was answered is there after a restart', async () => {
      const home = newHome(implementation);
      const store = readable(await openHome(home));
      await fill(store);
      const before = everything(store);
      expect(store.problems).toEqual([]);
      await store.probe();
      await store.close();
      const again = await openHome(home);
      expect(everything(again)).toEqual(before);
      expect(again.problems).toEqual([]);
      await expectFilled(again);
    });

    test('what was answered is there after the process was killed', async () => {
      const home = newHome(implementation);
      const child = spawn(process.execPath, [PROGRAM, implementation.name, home.address], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const answered: string[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        answered.push(line);
        if (answered.length === 40) child.kill('SIGKILL');
      }
      if (child.signalCode === null) await once(child, 'exit');
      expect([child.signalCode, answered.length >= 40]).toEqual(['SIGKILL', true]);

      const store = await openHome(home);
      const found = answered.map((line) => {
        const [what, number] = line.split(' ');
        const body = Buffer.from(store.body(`dlv-${number}`) ?? []).toString();
        switch (what) {
          case 'accepted':
            return `${body === `{"id":"dlv-${number}"}` ? 'accepted' : 'lost'} ${number}`;
          case 'settled':
            return `${store.delivery(`dlv-${number}`)?.status === 'processed' ? 'settled' : 'lost'} ${number}`;
          default:
            return `${store.task(`task-${number}`)?.result ?? 'lost'} ${number}`;
        }
      });
      expect(found).toEqual(answered);
      const kinds = new Set(answered.map((line) => line.split(' ')[0]));
      expect([...kinds].toSorted()).toEqual(['accepted', 'changed', 'settled']);
    });
  });

  describe('migrations', () => {
    /** What is read of a filled store after its schema was brought from this version to the current one. */
    async function migrated(fromVersion: number, injected?: string) {
      const home = newHome(implementation);
      const store = readable(await openHome(home));
      await fill(store);
      const before = everything(store);
      await store.close();
      const copy = await implementation.migratedCopy(home, fromVersion, injected);
      onTestFinished(() => copy.destroy());
      const after = await openHome(copy);
      return { before, after: everything(after), store: after };
    }

    test.each([
      ...implementation.earlierVersions.map(
        (version) => [`of version ${version}`, version, undefined] as const,
      ),
      [
        'with one more table and index',
        implementation.earlierVersions.length + 1,
        'create table injected (text text) strict; create index injected_by_name on flows (external_id)',
      ] as const,
    ])('a filled store %s is read as it was, once it was migrated', async (_, version, injected) => {
      const { before, after, store } = await migrated(version, injected);
      expect(after).toEqual(before);
      await expectFilled(store);
    });

    test('a migration that loses something is noticed', async () => {
      const current = implementation.earlierVersions.length + 1;
      const { before, after } = await migrated(current, "update tasks set title = '' where id = 'task-2'");
      expect(after).not.toEqual(before);
    });
  });
}
