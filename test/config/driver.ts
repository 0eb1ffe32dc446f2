import { join } from 'node:path';
import { actions } from '../../src/actions/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { ConfigError } from '../../src/errors.ts';
import { github } from '../../src/providers/github/index.ts';
import type { Loaded } from './support.ts';

/** Loads each folder named on the command line and prints what came of it, as JSON. */
async function describe(folder: string): Promise<Loaded> {
  const located = { projectFile: join(folder, 'webhooks.yml'), dataFolder: join(folder, '.hookctl') };
  try {
    const { snapshot, notices } = await loadConfiguration({
      located,
      env: {},
      // One built-in webhook: how many there are is not what these tests are about.
      providers: [github],
      actions,
      createMissing: true,
      runModules: true,
    });
    const webhooks = snapshot.webhooks.map(({ name, endpoint, origin, commands }) => ({
      name,
      endpoint,
      origin,
      commands: commands.map(({ id }) => id),
    }));
    return { problems: [], webhooks, notices };
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems, webhooks: [], notices: [] };
    throw error;
  }
}

const loaded: Loaded[] = [];
for (const folder of process.argv.slice(2)) loaded.push(await describe(folder));
process.stdout.write(JSON.stringify(loaded));
