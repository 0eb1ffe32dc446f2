import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addressOf } from '../../../src/store/postgres/client.ts';
import { openPostgres, sharedDocument } from '../../../src/store/postgres/index.ts';
import type { SharedStore } from '../../../src/store/shared.ts';
import type { Store } from '../../../src/store/store.ts';
import { NOW, newDelivery, outcome, taskInFlow } from '../../store/records.ts';
import { idsOf, newHome, runEnd, runStart, withTasks } from './fixtures.ts';
import type { Implementation } from './implementations.ts';

/** What machines that share a store do for each other. */
export function machinesContract(implementation: Implementation): void {
  function pair() {
    const { address } = newHome(implementation);
    return {
      async machine(folder: string): Promise<Store & { readonly shared: SharedStore }> {
        const store = await openPostgres({ address: addressOf(address), folder });
        onTestFinished(() => store.close().catch(() => undefined));
        if (store.shared === null) throw new Error('it is not shared');
        return store as Store & { readonly shared: SharedStore };
      },
      async ask(text: string) {
        const client = new pg.Client({ connectionString: address });
        await client.connect();
        await client.query(`set search_path to "${addressOf(address).schema}"; ${text}`);
        await client.end();
      },
      address,
    };
  }

  describe('machines', () => {
    test('a delivery waits for earlier ones of its thread that another machine has, and no other one records its end', async () => {
      const { machine } = pair();
      const [one, two] = [await machine('/one'), await machine('/two')];
      await one.accept(newDelivery('dlv-9'));
      await two.accept(newDelivery('dlv-1'));
      await two.accept(newDelivery('dlv-2', { externalId: 'github:octo/repo#2' }));
      const turns = (store: typeof one) => ['dlv-9', 'dlv-1', 'dlv-2'].map((id) => store.shared.turnOf(id));
      expect(turns(one)).toEqual(['now', 'elsewhere', 'elsewhere']);
      expect(turns(two)).toEqual(['elsewhere', 'later', 'now']);
      expect(await two.recordOutcome(outcome('dlv-9', { tasks: [taskInFlow('task-1')] }))).toEqual([]);
      await two.postpone('dlv-9', 'no answer', NOW);
      expect(one.delivery('dlv-9')).toMatchObject({ status: 'pending', attempts: 0 });
      await one.recordOutcome(outcome('dlv-9'));
      expect(turns(two)).toEqual(['elsewhere', 'now', 'now']);
    });

    test('a repeated delivery is a duplicate on each machine, also at the same moment', async () => {
      const { machine } = pair();
      const stores = [await machine('/one'), await machine('/two'), await machine('/three')];
      for (let round = 0; round < 10; round += 1) {
        const taken = await Promise.all(
          stores.map((store, index) =>
            store.accept(
              newDelivery(`dlv-${round}-${index}`, { dedupeKeys: [`id:${round}`, `body:${round}`] }),
            ),
          ),
        );
        expect(taken.filter(({ status }) => status === 'pending')).toHaveLength(1);
        expect(new Set(taken.map(({ duplicateOf }) => duplicateOf)).size).toBe(2);
      }
    });

    test('what a machine leaves is taken over by one other, and one outbox is sent by one machine', async () => {
      const { machine } = pair();
      const [one, two, three] = [await machine('/one'), await machine('/two'), await machine('/three')];
      for (const id of ['dlv-2', 'dlv-1']) await one.accept(newDelivery(id));
      await one.addPost({ ...POST, id: 'out-1' }, { provider: 'slack', owner: 'operator' }, NOW);
      expect([one, two].map((store) => idsOf(store.waitingOutgoing(9)))).toEqual([['out-1'], []]);
      expect(one.machines().map(({ waiting }) => waiting)).toEqual([2, 0, 0]);
      await one.close();
      const beats = [await two.shared.beat(), await three.shared.beat()];
      expect(beats.map(({ taken }) => idsOf(taken))).toEqual([['dlv-2', 'dlv-1'], []]);
      await two.accept(newDelivery('dlv-3'));
      expect([...two.shared.turnsOf(['dlv-2', 'dlv-1', 'dlv-3']).values()]).toEqual([
        'now',
        'later',
        'later',
      ]);
      expect(two.machines()).toHaveLength(2);
      expect([two, three].map((store) => idsOf(store.waitingOutgoing(9)))).toEqual([['out-1'], []]);
    });

    test('a machine that gave no sign for too long records nothing, learns it, and goes on as a new one', async () => {
      const { machine, ask } = pair();
      const [one, two] = [await machine('/one'), await machine('/two')];
      await one.accept(newDelivery('dlv-1'));
      let lost = 0;
      one.shared.onLost(() => {
        lost += 1;
      });
      const mine = one.machines()[0]?.id;
      await ask(`delete from machines where id = '${mine}'`);
      expect(idsOf((await two.shared.beat()).taken)).toEqual(['dlv-1']);
      await expect(one.recordOutcome(outcome('dlv-1'))).rejects.toMatchObject({ code: 'store_write' });
      expect(lost).toBe(1);
      expect(await one.recordOutcome(outcome('dlv-1', { tasks: [taskInFlow('task-1')] }))).toEqual([]);
      expect(one.shared.turnOf('dlv-1')).toBe('elsewhere');
      await two.recordOutcome(outcome('dlv-1'));
      expect(one.delivery('dlv-1')?.status).toBe('processed');
    });

    test('a server that is started again in its folder takes over at once what it was killed with', async () => {
      const { machine } = pair();
      const one = await machine('/one');
      await one.accept(newDelivery('dlv-1'));
      const again = await machine('/one');
      expect(again.shared.turnOf('dlv-1')).toBe('now');
      expect(again.machines()).toHaveLength(1);
    });

    test('of a run the machine is known; one that is gone is said, and its session begins anew elsewhere', async () => {
      const { machine } = pair();
      const [one, two] = [await machine('/one'), await machine('/two')];
      const [task = null] = await withTasks(one, 'dlv-1', [['task-1']]);
      await one.startRun(runStart('run-1', task));
      await one.noteRun('run-1', { sessionId: 'session-1' });
      expect([one, two].map((store) => store.shared.ownerOfRun('run-1'))).toEqual(['mine', 'other']);
      await two.noteRun('run-1', { sessionId: 'session-x' });
      expect(await two.endRun(runEnd('run-1'))).toBeNull();
      expect(one.run('run-1')).toMatchObject({ state: 'running', sessionId: 'session-1' });
      const conversation = task?.conversationId ?? '';
      const sessions = [one, two].map((store) => store.lastSession(conversation, 'planning'));
      expect(sessions).toEqual(['session-1', null]);
      expect(one.shared.sessionElsewhere(conversation, 'planning')).toBeNull();
      const elsewhere = two.shared.sessionElsewhere(conversation, 'planning');
      expect(elsewhere?.silentMs).toBeLessThan(60_000);
      await one.close();
      expect(two.shared.ownerOfRun('run-1')).toBe('gone');
      expect((await two.shared.beat()).hasLeftRuns).toBe(true);
      await two.endRun(runEnd('run-1', { state: 'interrupted' }));
      expect(two.run('run-1')?.state).toBe('interrupted');
    });

    test('a file of all machines: the newest content comes to each copy, and of two changes at once one is refused', async () => {
      const { machine, address } = pair();
      await machine('/one');
      const folder = mkdtempSync(join(tmpdir(), 'hookctl-document-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const files = ['one.json', 'two.json'].map((name) => join(folder, name));
      const [one, two] = files.map((file) => sharedDocument(addressOf(address), 'webhooks.json', file));
      if (one === undefined || two === undefined) throw new Error('there are no copies');
      const texts = () => files.map((file) => readFileSync(file, 'utf8'));
      await one.pull();
      writeFileSync(files[0] ?? '', 'first');
      writeFileSync(files[1] ?? '', 'own');
      await one.offer();
      await two.pull();
      expect([texts(), readFileSync(`${files[1]}.replaced`, 'utf8')]).toEqual([['first', 'first'], 'own']);
      await two.push(Buffer.from('second'));
      await expect(one.push(Buffer.from('third'))).rejects.toMatchObject({ code: 'busy' });
      await one.pull();
      expect([texts()[0], one.version()]).toEqual(['second', 2]);
    });
  });
}

const POST = {
  ...{ kind: 'comment' as const, place: { host: null }, content: 'text', edits: null, privateNetwork: false },
};
