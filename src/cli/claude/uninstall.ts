import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { say } from '../../lib/io.ts';
import { localSettings, uninstallSettings } from '../../tasks/claude/settings.ts';
import { examples, type Runner } from '../command.ts';
import { printJson } from '../print.ts';
import { claudePlace, noteInstalled, readInstalled } from './place.ts';

interface UninstallFlags extends AppFlags {
  readonly json?: boolean;
}

export function configureUninstall(command: Command, runner: Runner): void {
  command
    .description('Take out of .claude/settings.local.json what `claude install` put there, and nothing else.')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl claude uninstall'))
    .action((flags: UninstallFlags) => runner.run(command.optsWithGlobals(), (app) => uninstall(app, flags)));
}

async function uninstall(app: App, { json }: UninstallFlags): Promise<0> {
  const { projectFolder } = await claudePlace(app);
  const path = localSettings(projectFolder);
  const installed = (await readInstalled(app))[path];
  const { changed } = installed === undefined ? { changed: [] } : await uninstallSettings(path, installed);
  if (installed !== undefined) await noteInstalled(app, path, {});
  if (json === true) printJson(app.io, { path, changed });
  else if (changed.length === 0) say(app.io.out, `${path} holds nothing of hookctl`);
  else say(app.io.out, `${path} no longer sets ${changed.join(' and ')}`);
  return 0;
}
