import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import {
  localSettings,
  projectMcp,
  type SettingsBlock,
  uninstallEntries,
} from '../../tasks/claude/settings.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { claudePlace, forgetInstalled, readInstalled } from './project.ts';

export const configureUninstall: CliCommand = (command, runner) => {
  command
    .description('Remove the entries of `claude install` from .claude/settings.local.json and .mcp.json.')
    .option('--json', 'print one object')
    .examples('hookctl claude uninstall')
    .action(runner.action(command, uninstall));
};

async function uninstall(app: Services, { json }: JsonFlags): Promise<0> {
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
