import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { say } from '../../lib/io.ts';
import { PACKAGE_ROOT } from '../../package-root.ts';
import type { Services } from '../../services.ts';
import {
  type Entries,
  installEntries,
  localSettings,
  projectMcp,
  type SettingsBlock,
  uninstallEntries,
  wantedEnv,
} from '../../tasks/claude/settings.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { claudePlace, forgetInstalled, noteInstalled, readInstalled } from './project.ts';

/** How Claude Code starts `hookctl mcp`. */
interface McpServerEntry {
  readonly type: 'stdio';
  readonly command: string;
  readonly args: readonly string[];
}

/** An entry for `.mcp.json`. */
interface McpCommand {
  readonly entry: McpServerEntry;
  /** Whether it works on every machine; false when it contains a path of this one. */
  readonly portable: boolean;
}

/** How to start hookctl: from the PATH, as a dependency of the project, or by its path. */
async function mcpCommand({ env }: Services, projectFolder: string): Promise<McpCommand> {
  const entry = (command: string, ...args: readonly string[]): McpServerEntry => ({
    type: 'stdio',
    command,
    args: [...args, 'mcp'],
  });
  if (await isOnPath('hookctl', env.PATH ?? '')) return { entry: entry('hookctl'), portable: true };
  if (await isProgram(join(projectFolder, 'node_modules/.bin/hookctl'))) {
    // `--no` keeps npx from downloading anything.
    return { entry: entry('npx', '--no', '--', 'hookctl'), portable: true };
  }
  const script = fileURLToPath(new URL('bin/hookctl.js', PACKAGE_ROOT));
  return { entry: entry('node', script), portable: false };
}

async function isOnPath(name: string, path: string): Promise<boolean> {
  const found = await Promise.all(
    path
      .split(delimiter)
      .filter((folder) => folder !== '')
      .map((folder) => isProgram(join(folder, name))),
  );
  return found.includes(true);
}

function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

interface InstallFlags extends JsonFlags {
  readonly mcp?: boolean;
}

export const configureInstall: CliCommand = (command, runner) => {
  command
    .description(
      'Show hookctl’s tasks in every Claude Code session of this project (.claude/settings.local.json).',
    )
    .option('--mcp', 'also register the tools of `hookctl mcp` for the project (.mcp.json)')
    .option('--json', 'print one object')
    .examples('hookctl claude install', 'hookctl claude install --mcp')
    .action(runner.action(command, install));
};

async function install(app: Services, { json, mcp }: InstallFlags): Promise<0> {
  const { projectFolder, list } = await claudePlace(app);
  const settings = await put(app, localSettings(projectFolder), wantedEnv(list));
  const server = mcp === true ? await mcpCommand(app, projectFolder) : null;
  const tools = server === null ? null : await put(app, projectMcp(projectFolder), { hookctl: server.entry });
  if (json === true) printJson(app.io, { ...settings, list, ...(tools !== null && { mcp: tools }) });
  else {
    told(app, settings, `New sessions in ${projectFolder} use the list ${list}.`);
    if (tools !== null && server !== null) {
      const { command, args } = server.entry;
      told(app, tools, `Claude Code asks once before it starts \`${[command, ...args].join(' ')}\`.`);
      if (!server.portable) {
        say(
          app.io.err,
          `It names a path of this machine: do not commit it, or install hookctl globally first.`,
        );
      }
    }
    say(app.io.err, 'Undo: hookctl claude uninstall');
  }
  return 0;
}

/** Adds entries and records which, so that uninstall removes only those. */
async function put(app: Services, place: SettingsBlock, wanted: Entries) {
  const { changed, madeFolder } = await installEntries(place, wanted);
  const entries = Object.fromEntries(Object.entries(wanted).filter(([name]) => changed.includes(name)));
  if (changed.length > 0) await noteInstalled(app, place.path, { entries, madeFolder });
  return { path: place.path, changed };
}

function told({ io }: Services, { path, changed }: Awaited<ReturnType<typeof put>>, effect: string): void {
  say(io.out, `${path} ${changed.length === 0 ? 'has it already' : `sets ${changed.join(' and ')}`}`);
  say(io.err, effect);
}

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
