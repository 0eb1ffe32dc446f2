import { join } from 'node:path';

/** Where the store of a data folder lies. */
export function databasePath(dataFolder: string): string {
  return join(dataFolder, 'hookctl.db');
}
