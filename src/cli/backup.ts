import { resolve } from 'node:path';
import { say } from '../lib/io.ts';
import type { Services } from '../services.ts';
import type { CliCommand, JsonFlags } from './kit/command.ts';
import { bytes, printJson } from './kit/print.ts';
import { requireLocalStore } from './kit/stored.ts';

export const configureBackup: CliCommand = (command, runner) => {
  command
    .description(
      'Copy everything that hookctl keeps into a new folder, also while it serves: deliveries with their bytes, tasks, webhooks, secrets.',
    )
    .argument('<folder>', 'a folder that does not exist yet')
    .option('--json', 'print what the backup holds, with checksums, as JSON')
    .examples('hookctl backup ~/hookctl-backup-2026-01-31')
    .action(runner.action(command, run));
};

async function run(app: Services, folder: string, { json = false }: JsonFlags): Promise<0> {
  requireLocalStore(app, 'backup');
  const { backUp } = await import('../store/local/backup.ts');
  const target = resolve(app.cwd, folder);
  const { dataFolder } = app.located;
  const made = await backUp({ dataFolder, target, version: app.version, now: app.clock.now() });
  const size = made.files.reduce((sum, file) => sum + file.bytes, 0);
  await app.audit({ what: 'backup.create', target, details: { files: made.files.length, bytes: size } });
  if (json) printJson(app.io, { folder: target, ...made });
  else say(app.io.out, `${target}: ${made.files.length} files, ${bytes(size)}`);
  say(app.io.err, 'It holds secrets: keep it where only you can read.');
  return 0;
}
