import { join } from 'node:path';
import { actions } from '../../src/actions/index.ts';
import { loadConfiguration } from '../../src/config/index.ts';
import { ConfigError } from '../../src/errors.ts';
import type { Loaded } from './support.ts';

/** Loads each folder named on the command line and prints what came of it, as JSON. */
async function describe(folder: string): Promise<Loaded> {
  const located = { projectFile: join(folder, 'webhooks.yml'), dataFolder: join(folder, '.hookctl') };
  try {
    const { snapshot, notices } = await loadConfiguration({
      located,
      env: {},
      actions,
      createMissing: true,
      runModules: true,
    });
    // One built-in webhook: how many there are is not what these tests are about.
    const shown = snapshot.webhooks.filter(
      ({ name, origin }) => origin.kind !== 'built-in' || name === 'github',
    );
    const webhooks = shown.map(({ name, endpoint, origin, commands }) => ({
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
