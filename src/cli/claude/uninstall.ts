import type { Command } from 'commander';
import { say } from '../../lib/io.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import {
  localSettings,
  projectMcp,
  type SettingsBlock,
  uninstallEntries,
} from '../../tasks/claude/settings.ts';
import { examples, type Runner } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { claudePlace, forgetInstalled, readInstalled } from './project.ts';

interface UninstallFlags extends ServiceFlags {
  readonly json?: boolean;
}

export function configureUninstall(command: Command, runner: Runner): void {
  command
    .description(
      'Take out of .claude/settings.local.json and .mcp.json what `claude install` put there, and nothing else.',
    )
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl claude uninstall'))
    .action((flags: UninstallFlags) => runner.run(command.optsWithGlobals(), (app) => uninstall(app, flags)));
}

async function uninstall(app: Services, { json }: UninstallFlags): Promise<0> {
  const { projectFolder } = await claudePlace(app);
  const settings = await takeOut(app, localSettings(projectFolder));
  const mcp = await takeOut(app, projectMcp(projectFolder));
  if (json === true) printJson(app.io, { ...settings, mcp });
  else for (const change of [settings, mcp]) say(app.io.out, lineOf(change));
  return 0;
}

async function takeOut(app: Services, place: SettingsBlock) {
  const installed = await readInstalled(app, place.path);
  const changed = installed === null ? [] : await uninstallEntries(place, installed);
  await forgetInstalled(app, place.path);
  return { path: place.path, changed };
}

function lineOf({ path, changed }: Awaited<ReturnType<typeof takeOut>>): string {
  return changed.length === 0
    ? `${path} holds nothing of hookctl`
    : `${path} no longer sets ${changed.join(' and ')}`;
}
