import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { prepareDataFolder } from '../../config/project/locate.ts';
import { ConfigError, failure, notFound } from '../../errors.ts';
import { writeFileAtomic } from '../../lib/files/atomic-file.ts';
import { say } from '../../lib/io.ts';
import { programEnvironment, startProcess } from '../../lib/process/subprocess.ts';
import { pause } from '../../lib/time.ts';
import type { Services } from '../../services.ts';
import { inspectConfiguration } from '../check.ts';
import type { CliCommand, JsonFlags } from '../kit/command.ts';
import { count } from '../kit/options.ts';
import { printJson, sayFacts } from '../kit/print.ts';
import {
  ask,
  domain,
  envFileOf,
  managerNamed,
  must,
  type ServiceState,
  serviceVariables,
  specOf,
  stateOf,
  unitText,
} from './managers.ts';
import { envFileText, type Manager } from './units.ts';

interface ServiceFlags extends JsonFlags {
  readonly manager?: string;
}

interface InstallFlags extends ServiceFlags {
  readonly print?: boolean;
  readonly linger?: boolean;
}

interface LogsFlags extends ServiceFlags {
  readonly follow?: boolean;
  readonly lines?: number;
}

const MANAGER = ['--manager <name>', 'systemd or launchd; default: that of this system'] as const;

export const configureInstall: CliCommand = (command, runner) => {
  command
    .description(
      'Run `hookctl serve` as a service of this user: started with the machine or the login, again after a crash, not after a mistake in the configuration.',
    )
    .argument('[serve-options...]', 'behind --: options of `hookctl serve`')
    .option('--print', 'only print the unit (systemd) or the agent (launchd)')
    .option('--linger', 'systemd: let it run without a login too; `uninstall` undoes that')
    .option(...MANAGER)
    .examples(
      'hookctl service install',
      'hookctl service install --linger -- --tunnel cloudflared',
      'hookctl service install --print',
    )
    .action(runner.action(command, install));
};

export const configureStatus: CliCommand = (command, runner) => {
  command
    .description('Show whether the service runs. Exit 1 when it does not, 4 when none is installed.')
    .option(...MANAGER)
    .option('--json', 'print one object')
    .examples('hookctl service status', 'hookctl service status --json | jq .active')
    .action(runner.action(command, status));
};

export const configureLogs: CliCommand = (command, runner) => {
  command
    .description('Print what the service printed.')
    .option('-f, --follow', 'go on with what comes, until Ctrl-C')
    .option('--lines <n>', 'newest lines; default 100', count)
    .option(...MANAGER)
    .examples('hookctl service logs', 'hookctl service logs --follow')
    .action(runner.action(command, logs));
};

export const configureRestart: CliCommand = (command, runner) => {
  command
    .description(
      'Stop the service in order, and start it again: after an upgrade, or a change of service.env.',
    )
    .option(...MANAGER)
    .examples('hookctl service restart')
    .action(runner.action(command, restart));
};

export const configureUninstall: CliCommand = (command, runner) => {
  command
    .description('Stop the service and remove it. The data folder stays.')
    .option(...MANAGER)
    .examples('hookctl service uninstall')
    .action(runner.action(command, uninstall));
};

/** How long a start may take until the server listens, in milliseconds. */
const START_MS = 30_000;
const LOOK_MS = 200;

async function install(app: Services, args: readonly string[], flags: InstallFlags): Promise<0> {
  const manager = managerNamed(flags.manager);
  const { configuration, problems } = await inspectConfiguration(app);
  // A service that ends at once with status 3 would help no one.
  if (configuration === null || problems.length > 0) throw new ConfigError(problems);
  const spec = await specOf(app, configuration, args);
  const text = unitText(manager, spec);
  if (flags.print === true) {
    app.io.out.write(text);
    return 0;
  }
  const before = await stateOf(app, manager);
  const holder = app.holder();
  if (holder !== null && !before.active) {
    throw failure(
      'in_use',
      `\`hookctl ${holder.command}\` (pid ${holder.pid}) works on ${app.located.dataFolder}`,
      {
        fix: `End it first: kill ${holder.pid}`,
      },
    );
  }
  // Where no manager runs, nothing is written.
  if (manager === 'systemd') await must(app, 'systemctl', '--user', 'daemon-reload');
  await prepareDataFolder(app.located.dataFolder);
  await writeEnvFile(app, serviceVariables(app, configuration));
  await mkdir(dirname(before.file), { recursive: true });
  await writeFile(before.file, text, { mode: 0o600 });
  if (manager === 'systemd') {
    await must(app, 'systemctl', '--user', 'daemon-reload');
    await linger(app, flags.linger === true);
    await must(app, 'systemctl', '--user', 'enable', before.name);
    await must(app, 'systemctl', '--user', 'restart', before.name);
  } else {
    if (before.installed) await ask(app, 'launchctl', 'bootout', `${domain()}/${before.name}`);
    await must(app, 'launchctl', 'bootstrap', domain(), before.file);
  }
  await app.audit({ what: 'service.install', target: before.file, details: { args } });
  say(app.io.err, `${before.file} is written; secrets: ${spec.envFile}`);
  const ready = await waitUntilReady(app, manager);
  say(app.io.out, `${before.name} runs: pid ${ready.pid ?? '-'}. See it: hookctl service status`);
  return 0;
}

/** What a person wrote there stays; what is new is added behind it. */
async function writeEnvFile(app: Services, names: readonly string[]): Promise<void> {
  const file = envFileOf(app);
  const kept = await readFile(file, 'utf8').catch(() => null);
  if (kept === null) return writeFileAtomic(file, envFileText(names, app.env));
  const missing = names.filter((name) => !new RegExp(`^#? ?${name}=`, 'm').test(kept));
  if (missing.length === 0) return;
  const more = envFileText(missing, app.env).split('\n').slice(2).join('\n');
  await writeFileAtomic(file, `${kept.trimEnd()}\n${more}`);
}

/** Without lingering a user's services end with the last login. */
async function linger(app: Services, isWanted: boolean): Promise<void> {
  const { user, io } = app;
  const { code, lines } = await ask(app, 'loginctl', 'show-user', user, '--property=Linger', '--value');
  if (code === 0 && lines[0] === 'yes') return;
  if (!isWanted) {
    say(
      io.err,
      'It ends with your last login, and starts with the next. To let it run all the time: hookctl service install --linger',
    );
    return;
  }
  await must(app, 'loginctl', 'enable-linger', user);
  await writeFileAtomic(noteFile(app), JSON.stringify({ linger: true }));
  say(io.err, `Services of ${user} run without a login now; \`hookctl service uninstall\` undoes that.`);
}

/** What `install` changed beside the unit. */
function noteFile({ located: { dataFolder } }: Services): string {
  return join(dataFolder, 'service.json');
}

/** Resolves when the server listens. Throws `service` when it ended before. */
async function waitUntilReady(app: Services, manager: Manager): Promise<ServiceState> {
  const never = new AbortController().signal;
  for (const deadline = performance.now() + START_MS; ; await pause(LOOK_MS, never)) {
    const state = await stateOf(app, manager);
    if (state.active && app.holder()?.server != null) return state;
    const isOver = !state.active && state.lastStatus !== null && state.lastStatus !== 0;
    if (!isOver && performance.now() < deadline) continue;
    const why =
      state.lastStatus === null ? 'it does not listen yet' : `it ended with status ${state.lastStatus}`;
    throw failure('service', `${state.name} is ${state.state}: ${why}`, {
      fix: 'See why: hookctl service logs',
    });
  }
}

/** Throws `not_found` when no service is installed. */
async function installed(app: Services, { manager: name }: ServiceFlags) {
  const manager = managerNamed(name);
  const state = await stateOf(app, manager);
  if (state.installed) return { manager, state };
  throw notFound(`${app.located.dataFolder} has no service`, 'Make it: hookctl service install');
}

async function status(app: Services, flags: ServiceFlags): Promise<0 | 1> {
  const { state } = await installed(app, flags);
  const { name, file, active, pid, restarts, lastStatus } = state;
  if (flags.json === true) {
    printJson(app.io, { name, file, active, state: state.state, pid, restarts, last_status: lastStatus });
  } else {
    sayFacts(app.io.out, [
      ['service', name],
      ['state', state.state],
      ['pid', pid === null ? null : String(pid)],
      ['restarts', restarts === null ? null : String(restarts)],
      ['last status', lastStatus === null ? null : statusText(lastStatus)],
      ['file', file],
      ['secrets', envFileOf(app)],
    ]);
  }
  return active ? 0 : 1;
}

function statusText(code: number): string {
  if (code === 3)
    return '3: the configuration has mistakes, so that it is not started again; see hookctl check';
  return code === 2 ? '2: an option of `serve` is wrong; see hookctl service logs' : String(code);
}

async function logs(app: Services, flags: LogsFlags): Promise<0> {
  const { manager, state } = await installed(app, flags);
  const lines = String(flags.lines ?? 100);
  const follow = flags.follow === true ? ['-f'] : [];
  const [program = '', ...args] =
    manager === 'systemd'
      ? ['journalctl', '--user', '--no-pager', '-o', 'cat', '-u', state.name, '-n', lines, ...follow]
      : ['tail', '-n', lines, ...follow, join(app.located.dataFolder, 'service.log')];
  const running = await startProcess({
    ...{ program, args, env: programEnvironment(app.env) },
    howToGet: 'It comes with the system.',
    onLine: (line, stream) => say(stream === 'stdout' ? app.io.out : app.io.err, line),
  });
  if (flags.follow === true) void app.signals.next().then(running.stop);
  await running.ended;
  return 0;
}

async function restart(app: Services, flags: ServiceFlags): Promise<0> {
  const { manager, state } = await installed(app, flags);
  if (manager === 'systemd') await must(app, 'systemctl', '--user', 'restart', state.name);
  else await must(app, 'launchctl', 'kickstart', '-k', `${domain()}/${state.name}`);
  const ready = await waitUntilReady(app, manager);
  say(app.io.out, `${state.name} runs: pid ${ready.pid ?? '-'}`);
  return 0;
}

async function uninstall(app: Services, flags: ServiceFlags): Promise<0> {
  const { manager, state } = await installed(app, flags);
  if (manager === 'systemd') await must(app, 'systemctl', '--user', 'disable', '--now', state.name);
  else await ask(app, 'launchctl', 'bootout', `${domain()}/${state.name}`);
  await rm(state.file, { force: true });
  if (manager === 'systemd') {
    await must(app, 'systemctl', '--user', 'daemon-reload');
    // Whether a unit that failed is still shown.
    await ask(app, 'systemctl', '--user', 'reset-failed', state.name);
  }
  const note = await readFile(noteFile(app), 'utf8').catch(() => '{}');
  if ((JSON.parse(note) as { linger?: boolean }).linger === true) {
    await must(app, 'loginctl', 'disable-linger', app.user);
    await rm(noteFile(app), { force: true });
    say(app.io.err, `Services of ${app.user} end with the last login again.`);
  }
  await app.audit({ what: 'service.uninstall', target: state.file, details: {} });
  say(
    app.io.out,
    `${state.name} is removed. What it received stays in ${app.located.dataFolder}, secrets in ${envFileOf(app)}.`,
  );
  return 0;
}
