import type { Command } from 'commander';
import { say } from '../../lib/io.ts';
import type { ServiceFlags, Services } from '../../services.ts';
import {
  type Entries,
  installEntries,
  localSettings,
  projectMcp,
  type SettingsBlock,
  wantedEnv,
} from '../../tasks/claude/settings.ts';
import { examples, type Runner } from '../kit/command.ts';
import { printJson } from '../kit/print.ts';
import { mcpCommand } from './mcp-command.ts';
import { claudePlace, noteInstalled } from './place.ts';

interface InstallFlags extends ServiceFlags {
  readonly mcp?: boolean;
  readonly json?: boolean;
}

export function configureInstall(command: Command, runner: Runner): void {
  command
    .description(
      'Let every Claude Code session of this project see hookctl’s tasks (.claude/settings.local.json).',
    )
    .option('--mcp', 'also register the tools of `hookctl mcp` for the project (.mcp.json)')
    .option('--json', 'print one object')
    .addHelpText('after', examples('hookctl claude install', 'hookctl claude install --mcp'))
    .action((flags: InstallFlags) => runner.run(command.optsWithGlobals(), (app) => install(app, flags)));
}

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

/** Adds entries and notes what was added, so that no more than that is taken out again. */
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
