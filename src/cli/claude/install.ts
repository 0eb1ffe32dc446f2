import { createHash } from 'node:crypto';
import { access, constants, mkdir, rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Option } from 'commander';
import { prepareDataFolder } from '../../config/project/locate.ts';
import { usageError } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { say } from '../../lib/io.ts';
import { commandLine } from '../../lib/shell-quote.ts';
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
import { patience } from '../kit/moment.ts';
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

/** How to start a command of hookctl: from the PATH, as a dependency of the project, or by its path. */
async function mcpCommand(
  { env }: Services,
  projectFolder: string,
  verb: readonly string[],
): Promise<McpCommand> {
  const entry = (command: string, ...args: readonly string[]): McpServerEntry => ({
    type: 'stdio',
    command,
    args: [...args, ...verb],
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
  readonly push?: boolean;
  readonly channel?: boolean;
  readonly ask?: string;
}

export const configureInstall: CliCommand = (command, runner) => {
  command
    .description(
      'Show hookctl’s tasks in every Claude Code session of this project (.claude/settings.local.json).',
    )
    .option('--mcp', 'also register the tools of `hookctl mcp` for the project (.mcp.json)')
    .option(
      '--push',
      'also tell open sessions of each new task, by a plugin that runs `hookctl claude watch`',
    )
    .option('--channel', 'register those tools as a channel, which pushes where Claude Code allows channels')
    .addOption(
      new Option('--ask <time>', 'with --channel: ask a person for so long what a session may do').argParser(
        (text) => `${patience(text) / 1_000}s`,
      ),
    )
    .option('--json', 'print one object')
    .examples('hookctl claude install', 'hookctl claude install --mcp --push')
    .action(runner.action(command, install));
};

async function install(app: Services, { json, mcp, push, channel, ask }: InstallFlags): Promise<0> {
  if (ask !== undefined && channel !== true) {
    throw usageError('--ask needs --channel', 'Claude Code asks only channels; runs have `askPermission`.');
  }
  const { projectFolder, list } = await claudePlace(app);
  const settings = await put(app, localSettings(projectFolder), wantedEnv(list));
  const asks = ask === undefined ? [] : ['--ask', ask];
  const verb = channel === true ? ['mcp', '--channel', ...asks] : ['mcp'];
  const isServed = mcp === true || channel === true;
  const server = isServed ? await mcpCommand(app, projectFolder, verb) : null;
  const tools = server === null ? null : await put(app, projectMcp(projectFolder), { hookctl: server.entry });
  const pushed = push === true ? await installPush(app, projectFolder) : null;
  if (json === true) {
    const more = { ...(tools !== null && { mcp: tools }), ...(pushed !== null && { push: pushed }) };
    printJson(app.io, { ...settings, list, ...more });
  } else {
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
    if (channel === true) {
      say(
        app.io.err,
        'Start sessions with: claude --dangerously-load-development-channels server:hookctl. Where Claude Code has channels switched off, nothing is pushed by them; --push does not need them.',
      );
    }
    if (pushed !== null) {
      say(app.io.out, `${pushed.plugin} is the plugin that tells sessions of new tasks`);
      say(
        app.io.err,
        'Each new task starts a turn in open sessions of this project, which costs what a turn costs.',
      );
    }
    say(app.io.err, 'Undo: hookctl claude uninstall');
  }
  return 0;
}

/**
 * Writes the plugin into the data folder and switches it on for this project, from a marketplace whose name no other project
 * has: Claude Code knows marketplaces by name alone. `hookctl mcp` uses a session's inbox where the plugin does not run.
 */
async function installPush(app: Services, projectFolder: string) {
  const { entry } = await mcpCommand(app, projectFolder, ['claude', 'watch']);
  const { dataFolder } = app.located;
  await prepareDataFolder(dataFolder);
  const market = marketName(dataFolder);
  const folder = join(dataFolder, 'claude-plugin');
  const plugin = { name: 'hookctl', description: 'Tells open sessions of new tasks', version: app.version };
  const monitor = {
    name: 'hookctl-tasks',
    description: 'New tasks of hookctl',
    command: commandLine(entry.command, ...entry.args),
  };
  const files: Readonly<Record<string, object>> = {
    '.claude-plugin/marketplace.json': {
      name: market,
      owner: { name: 'hookctl' },
      plugins: [{ name: plugin.name, description: plugin.description, source: './hookctl' }],
    },
    'hookctl/.claude-plugin/plugin.json': plugin,
    'hookctl/monitors/monitors.json': [monitor],
  };
  for (const [name, value] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFileAtomic(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  }
  const known = { [market]: { source: { source: 'directory', path: folder } } };
  await put(app, localSettings(projectFolder, 'extraKnownMarketplaces'), known);
  const enabled = await put(app, localSettings(projectFolder, 'enabledPlugins'), {
    [`hookctl@${market}`]: true,
  });
  await put(app, localSettings(projectFolder), { HOOKCTL_PUSH: '1' });
  return { plugin: folder, changed: enabled.changed };
}

function marketName(dataFolder: string): string {
  return `hookctl-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 6)}`;
}

/** Adds entries and records which, so that uninstall removes only those. */
async function put(app: Services, place: SettingsBlock, wanted: Entries) {
  const { changed, madeFolder } = await installEntries(place, wanted);
  const entries = Object.fromEntries(Object.entries(wanted).filter(([name]) => changed.includes(name)));
  if (changed.length > 0) await noteInstalled(app, recordKey(place), { entries, madeFolder });
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
  // The file goes with its last block, and its folder with the block for which the folder was made: `env`.
  for (const block of ['enabledPlugins', 'extraKnownMarketplaces'] as const) {
    await takeOut(app, localSettings(projectFolder, block));
  }
  await rm(join(app.located.dataFolder, 'claude-plugin'), { recursive: true, force: true });
  const settings = await takeOut(app, localSettings(projectFolder));
  const mcp = await takeOut(app, projectMcp(projectFolder));
  if (json === true) printJson(app.io, { ...settings, mcp });
  else for (const change of [settings, mcp]) say(app.io.out, lineOf(change));
  return 0;
}

async function takeOut(app: Services, place: SettingsBlock) {
  const key = recordKey(place);
  const installed = await readInstalled(app, key);
  const changed = installed === null ? [] : await uninstallEntries(place, installed);
  await forgetInstalled(app, key);
  return { path: place.path, changed };
}

/** By the path alone for the blocks of which a file has one. */
function recordKey({ path, block }: SettingsBlock): string {
  return block === 'env' || block === 'mcpServers' ? path : `${path}#${block}`;
}

function lineOf({ path, changed }: Awaited<ReturnType<typeof takeOut>>): string {
  return changed.length === 0
    ? `${path} holds nothing of hookctl`
    : `${path} no longer sets ${changed.join(' and ')}`;
}
