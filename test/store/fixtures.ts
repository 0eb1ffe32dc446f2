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

/** An open store that is closed when the test ends. */
export async function freshStore(path = storePath()): Promise<Store> {
  const store = await openStore({ path });
  onTestFinished(() => store.close().catch(() => undefined));
  return store;
}
