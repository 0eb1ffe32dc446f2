import { actions } from '../actions/index.ts';
import type { App } from '../app.ts';
import { type DynamicWebhooks, openDynamic } from '../config/dynamic/index.ts';
import { prepareDataFolder } from '../config/locate.ts';
import { providers } from '../providers/index.ts';
import { lockFile } from '../store/file-lock.ts';
import type { Webhook } from '../types.ts';

/**
 * The JSON db of dynamic webhooks, for changes; the data folder is made if there is none. `fixed`: built-in and
 * static webhooks, whose names are taken.
 */
export async function openDb(app: App, fixed: readonly Webhook[]): Promise<DynamicWebhooks> {
  const { located, clock, ids } = app;
  await prepareDataFolder(located.dataFolder);
  return openDynamic({
    dataFolder: located.dataFolder,
    lock: lockFile,
    clock,
    ids,
    fixed,
    providers,
    actions: actions.map(({ name }) => name),
  });
}
