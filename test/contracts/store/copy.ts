import { describe, expect, test } from 'vitest';
import { openStore } from '../../../src/store/local/index.ts';
import { addressOf } from '../../../src/store/postgres/client.ts';
import { copyStore } from '../../../src/store/postgres/copy.ts';
import { newDelivery, readable, storePath } from '../../store/fixtures.ts';
import { WRITES } from '../../store/writes.ts';
import { fill } from './durability.ts';
import { newHome, openHome } from './fixtures.ts';
import type { Implementation } from './implementations.ts';
import { answersOf } from './reads.ts';

/** Copies between a data folder and a database. */
export function copyContract(implementation: Implementation): void {
  describe('copies', () => {
    test.each([
      ['something of each table', fill],
      [
        'what every method wrote',
        async (store: Parameters<typeof fill>[0]) => {
          for (const write of Object.values(WRITES)) await write(store);
        },
      ],
    ])('%s is the same in a database, and in a folder again', async (_, write) => {
      const [path, back] = [storePath(), storePath()];
      const store = readable(await openStore({ path }));
      await write(store);
      const before = answersOf(store);
      await store.close();
      const home = newHome(implementation);
      const address = addressOf(home.address);
      const told: number[] = [];
      const there = await copyStore({
        path,
        address,
        to: 'database',
        told: (_table, rows) => told.push(rows),
      });
      expect(told.at(-1)).toBe(there.rows);
      const again = await copyStore({ path: back, address, to: 'folder', told: () => undefined });
      expect(again).toEqual(there);
      const copied = readable(await openHome(home));
      expect(answersOf(copied)).toEqual(before);
      // Keys of pending deliveries are held there, too.
      const repeated = newDelivery('dlv-zz', { dedupeKeys: ['id:b'], senderDeliveryId: null });
      expect((await copied.accept(repeated)).duplicateOf).toBe(write === fill ? 'dlv-3' : null);
      const folder = await openStore({ path: back });
      expect(answersOf(folder)).toEqual(before);
      await folder.close();
      const inUse = copyStore({ path: back, address, to: 'database', told: () => undefined });
      await expect(inUse).rejects.toMatchObject({ code: 'in_use' });
      await copied.close();
      const full = copyStore({ path: back, address, to: 'database', told: () => undefined });
      await expect(full).rejects.toMatchObject({ code: 'exists' });
    });
  });
}
