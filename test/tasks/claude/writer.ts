/** A program of its own that writes into a list: `writer.ts <hookctl|claude> <config dir> <prefix> <count>`. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lock } from 'proper-lockfile';
import { openClaudeTasks } from '../../../src/tasks/claude/index.ts';
import { someTasks } from './support.ts';

const [kind, configDir = '', prefix = '', count = '0'] = process.argv.slice(2);

async function asHookctl(): Promise<void> {
  const form = { list: 'hookctl', listEnabled: true, recordEnabled: true, project: '/home/dev/shop' };
  const claude = await openClaudeTasks({ configDir, explicit: true, ...form, now: Date.now });
  const notes = await Promise.all(someTasks(prefix, Number(count)).map((task) => claude.project([task])));
  const failed = notes.flat().filter(({ unsynced }) => unsynced !== null);
  if (failed.length > 0) throw new Error(JSON.stringify(failed));
}

/** As Claude Code creates tasks: its retries, its way to a number, a plain write. */
async function asClaude(): Promise<void> {
  const folder = join(configDir, 'tasks', 'hookctl');
  for (let index = 0; index < Number(count); index += 1) {
    const release = await lock(join(folder, '.lock'), {
      retries: { retries: 30, minTimeout: 5, maxTimeout: 100 },
    });
    const taken = (await readdir(folder)).map((name) => Number.parseInt(name, 10)).filter(Number.isFinite);
    const mark = Number(await readFile(join(folder, '.highwatermark'), 'utf8').catch(() => '0'));
    const id = String(Math.max(mark, 0, ...taken) + 1);
    const task = {
      id,
      subject: `${prefix}-${index}`,
      description: '',
      status: 'pending',
      blocks: [],
      blockedBy: [],
    };
    await writeFile(join(folder, `${id}.json`), JSON.stringify(task, null, 2));
    await release();
  }
}

await (kind === 'hookctl' ? asHookctl() : asClaude());
