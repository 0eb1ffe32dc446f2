import type { Command } from 'commander';
import type { App, AppFlags } from '../../app.ts';
import { say } from '../../lib/io.ts';
import { installSettings, localSettings, wantedEnv } from '../../tasks/claude/settings.ts';
import { examples, type Runner } from '../command.ts';
import { printJson } from '../print.ts';
import { claudePlace, noteInstalled, readInstalled } from './place.ts';

interface InstallFlags extends AppFlags {
  readonly json?: boolean;
}

export function configureInstall(command: Command, runner: Runner): void {
  command
    .description(
      'Let every Claude Code session of this project see hookctl’s tasks (.claude/settings.local.json).',
    )
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl claude install'))
    .action((flags: InstallFlags) => runner.run(command.optsWithGlobals(), (app) => install(app, flags)));
}

async function install(app: App, { json }: InstallFlags): Promise<0> {
  const { projectFolder, list } = await claudePlace(app);
  const wanted = wantedEnv(list);
  const path = localSettings(projectFolder);
  const { changed } = await installSettings(path, wanted);
  const before = (await readInstalled(app))[path] ?? {};
  const added = Object.fromEntries(Object.entries(wanted).filter(([name]) => changed.includes(name)));
  await noteInstalled(app, path, { ...before, ...added });
  if (json === true) printJson(app.io, { path, list, changed });
  else {
    const what = changed.length === 0 ? 'has it already' : `sets ${changed.join(' and ')}`;
    say(app.io.out, `${path} ${what}`);
    say(app.io.err, `New sessions in ${projectFolder} use the list ${list}. Undo: hookctl claude uninstall`);
  }
  return 0;
}
