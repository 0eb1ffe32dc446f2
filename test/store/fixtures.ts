import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore } from '../../src/store/local/index.ts';
import type { Store } from '../../src/store/store.ts';

export { NOW, newDelivery, outcome, taskInFlow } from './records.ts';

/** A path for a store in a folder that is removed when the test ends. */
export function storePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookctl-store-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'hookctl.db');
}

/** An open store that is closed when the test ends, in which what is accepted can be read at once. */
export async function freshStore(path = storePath(), options: Omit<Options, 'path'> = {}): Promise<Store> {
  const store = await openStore({ path, ...options });
  onTestFinished(() => store.close().catch(() => undefined));
  return readable(store);
}

type Options = Parameters<typeof openStore>[0];

/** A store whose `accept` resolves once the delivery can be read. */
export function readable(store: Store): Store {
  const accept: Store['accept'] = async (delivery) => {
    const accepted = await store.accept(delivery);
    await store.indexed();
    return accepted;
  };
  return Object.defineProperty({ ...store, accept }, 'problems', { get: () => store.problems });
}
