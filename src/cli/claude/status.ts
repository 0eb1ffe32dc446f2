import { say } from '../../lib/io.ts';
import type { Services } from '../../services.ts';
import { sessionCommand } from '../../tasks/claude/index.ts';
import { localSettings, projectMcp, readEntries, wantedEnv } from '../../tasks/claude/settings.ts';
import { inspectList, taskTools } from '../../tasks/claude/status.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { printJson, sayFacts } from '../kit/print.ts';
import { claudePlace } from './project.ts';

export const configureStatus: CliCommand = (command, runner) => {
  command
    .description('Show the task list, whether it can be written, and how a session uses it.')
    .option('--json', 'print one object')
    .examples('hookctl claude status', 'hookctl claude status --json | jq .problem')
    .action(runner.action(command, status));
};

/** Exits with 1 when hookctl cannot write tasks to the list. */
async function status(app: Services, { json }: JsonFlags): Promise<0 | 1> {
  const view = await claudeView(app);
  if (json === true) printJson(app.io, view);
  else print(app, view);
  return view.problem === null ? 0 : 1;
}

/** The task list, and whether this machine's Claude Code shows it. */
export async function claudeView(app: Services) {
  const { projectFolder, list, enabled, configDir } = await claudePlace(app);
  const settings = localSettings(projectFolder);
  const mcp = projectMcp(projectFolder);
  const [state, tools, env, servers] = await Promise.all([
    inspectList(configDir, list),
    taskTools(app.env),
    readEntries(settings),
    readEntries(mcp),
  ]);
  const missing = Object.entries(wantedEnv(list)).filter(([name, value]) => env[name] !== value);
  return {
    enabled,
    list,
    list_folder: state.path,
    exists: state.exists,
    problem: enabled ? state.problem : 'switched off: claudeTasks in webhooks.yml',
    claude_version: tools.version,
    task_tools: tools.tools,
    note: tools.note,
    settings_file: settings.path,
    installed: missing.length === 0,
    mcp_file: mcp.path,
    mcp_installed: 'hookctl' in servers,
    session_command: sessionCommand(list),
  };
}

function print({ io }: Services, view: Awaited<ReturnType<typeof claudeView>>): void {
  sayFacts(io.out, [
    ['list', view.list],
    ['folder', `${view.list_folder}${view.exists ? '' : ' (not made yet)'}`],
    ['writable', view.problem === null ? 'yes' : `no: ${view.problem}`],
    ['claude code', `${view.claude_version ?? 'not found'}: ${view.note}`],
    ['this project', view.installed ? `uses the list (${view.settings_file})` : 'is not pointed at the list'],
    [
      'tools (mcp)',
      view.mcp_installed ? `registered (${view.mcp_file})` : 'not registered: hookctl claude install --mcp',
    ],
  ]);
  if (view.installed) return;
  say(io.err, `One session: ${view.session_command}`);
  say(io.err, 'Every session of this project: hookctl claude install');
}
