import { createHash } from 'node:crypto';
import { access, realpath } from 'node:fs/promises';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accountDefaults } from '../../config/accounts.ts';
import type { Configuration } from '../../config/index.ts';
import { failure, usageError } from '../../errors.ts';
import { findProgram } from '../../lib/process/find-program.ts';
import { programEnvironment, startProcess } from '../../lib/process/subprocess.ts';
import { PACKAGE_ROOT } from '../../package-root.ts';
import { secretVariables } from '../../server/agents.ts';
import type { Services } from '../../services.ts';
import { tunnelDrivers } from '../../tunnels/drivers/index.ts';
import { launchdPlist, MANAGERS, type Manager, type ServiceSpec, systemdUnit } from './units.ts';

interface Answer {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** The manager of this platform, or the one that was named. */
export function managerNamed(name: string | undefined): Manager {
  if (name === undefined) return process.platform === 'darwin' ? 'launchd' : 'systemd';
  const found = MANAGERS.find((each) => each === name);
  if (found !== undefined) return found;
  throw usageError(`there is no service manager ${name}`, `Known: ${MANAGERS.join(', ')}.`);
}

/** One of the manager's programs. Throws `program_missing`. */
export async function ask({ env }: Services, program: string, ...args: readonly string[]): Promise<Answer> {
  const lines: string[] = [];
  const running = await startProcess({
    ...{ program, args },
    env: programEnvironment(env, 'DBUS_SESSION_BUS_ADDRESS', 'XDG_DATA_HOME'),
    howToGet:
      'hookctl service needs systemd (Linux) or launchd (macOS). Elsewhere run it in a container: docs/service.md.',
    onLine: (line) => void lines.push(line),
  });
  const { code } = await running.ended;
  return { code, lines };
}

/** The same, for a call that has to succeed. Throws `service`. */
export async function must(app: Services, program: string, ...args: readonly string[]): Promise<Answer> {
  const answer = await ask(app, program, ...args);
  if (answer.code === 0) return answer;
  const said = answer.lines.filter((line) => line !== '').at(-1) ?? 'nothing';
  const isWithoutManager = /Failed to connect to bus|No medium found|Could not find domain/i.test(said);
  throw failure('service', `${[program, ...args].join(' ')} ended with status ${answer.code}: ${said}`, {
    fix: isWithoutManager
      ? 'No service manager of this user runs. Log in on a terminal or by ssh, not by su or sudo; or run hookctl in a container: docs/service.md.'
      : 'See what it printed: hookctl service logs',
  });
}

/** The same name for the same data folder, so that several projects have a service each. */
function serviceName({ located: { dataFolder } }: Services): string {
  const project = basename(dirname(dataFolder))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  const hash = createHash('sha256').update(dataFolder).digest('hex').slice(0, 6);
  return ['hookctl', project.slice(0, 30), hash].filter((part) => part !== '').join('-');
}

/** Where the manager looks for it. */
function unitFile({ env, home }: Services, manager: Manager, name: string): string {
  if (manager === 'launchd') return join(home, 'Library/LaunchAgents', `${name}.plist`);
  return join(env.XDG_CONFIG_HOME || join(home, '.config'), 'systemd/user', `${name}.service`);
}

export function unitText(manager: Manager, spec: ServiceSpec): string {
  return manager === 'systemd' ? systemdUnit(spec) : launchdPlist(spec);
}

export function envFileOf({ located: { dataFolder } }: Services): string {
  return join(dataFolder, 'service.env');
}

/** What the service is to run. Throws `service` where hookctl is only in a cache of npx. */
export async function specOf(
  app: Services,
  configuration: Configuration,
  args: readonly string[],
): Promise<ServiceSpec> {
  const { located, cwd, env } = app;
  const own = fileURLToPath(new URL('bin/hookctl.js', PACKAGE_ROOT));
  if (own.includes('/_npx/')) {
    throw failure('service', `${own} is in a cache of npx, which npm empties`, {
      fix: 'Install it first: npm install -g hookctl',
    });
  }
  const [node, program] = await Promise.all([
    stablePath('node', process.execPath, env.PATH),
    stablePath('hookctl', own, env.PATH),
  ]);
  return {
    ...{ name: serviceName(app), node, program, args },
    workingFolder: located.projectFile === null ? cwd : dirname(located.projectFile),
    envFile: envFileOf(app),
    path: await searchPath(app, configuration, [node, program]),
    dataFolder: located.dataFolder,
    logFile: join(located.dataFolder, 'service.log'),
  };
}

/** The path on the PATH that leads to a file: a link there stays when what it leads to is replaced by a newer version. */
async function stablePath(name: string, file: string, path: string | undefined): Promise<string> {
  const target = await realpath(file);
  for (const folder of (path ?? '').split(delimiter)) {
    const candidate = join(folder, name);
    if (folder.startsWith('/') && (await realpath(candidate).catch(() => null)) === target) return candidate;
  }
  return file;
}

const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Folders of the programs that hookctl starts. */
async function searchPath(
  { env, cwd }: Services,
  { agents, project }: Configuration,
  files: readonly string[],
): Promise<string> {
  const needs = project.tunnel == null ? undefined : tunnelDrivers[project.tunnel.use].needs;
  const names = [
    ...[...agents.byName.values()].map(({ runner, options }) => runner.program(options)),
    ...['claude', 'git', ...(needs === undefined ? [] : [needs.program])],
  ];
  const found = await Promise.all(names.map((name) => findProgram(name, cwd, env.PATH)));
  const folders = [...files, ...found.flatMap((file) => file ?? [])].map((file) => dirname(file));
  return [...new Set([...folders, ...USUAL_FOLDERS])].join(delimiter);
}

const PROXIES = /^(?:https?_proxy|all_proxy|no_proxy|ssl_cert_file|ssl_cert_dir|node_extra_ca_certs)$/i;
/** Logins and folders of agents' programs. */
const OF_AGENTS = /^(?:CLAUDE|ANTHROPIC|OPENAI|CODEX|GEMINI|GOOGLE|COPILOT|OPENCODE)_/;

/** Variables that serve reads: those that are set, and those that a webhook asks for. */
export function serviceVariables({ env }: Services, configuration: Configuration): readonly string[] {
  const { snapshot, project, agents, ownProviders } = configuration;
  const { tokenEnv, authtokenEnv } = (project.tunnel ?? {}) as { tokenEnv?: string; authtokenEnv?: string };
  const known = new Set([
    ...secretVariables(configuration, snapshot),
    ...[...accountDefaults(ownProviders).values()].flatMap(({ userEnv, baseUrlEnv }) => [
      userEnv,
      baseUrlEnv,
    ]),
    ...[...agents.byName.values()].flatMap(({ options }) => options.env),
    ...[tokenEnv, authtokenEnv],
  ]);
  const isSet = (name: string) => known.has(name) || PROXIES.test(name) || OF_AGENTS.test(name);
  const asked = snapshot.webhooks.flatMap(({ enabled, secretSource }) =>
    enabled ? (/^(\w+) is (?:not set|empty)/.exec(secretSource)?.[1] ?? []) : [],
  );
  return [
    ...new Set([...Object.keys(env).filter((name) => Boolean(env[name]) && isSet(name)), ...asked]),
  ].toSorted();
}

/** What the manager says about the service. */
export interface ServiceState {
  readonly name: string;
  readonly file: string;
  readonly installed: boolean;
  readonly active: boolean;
  /** Starts by itself: with the user's first login, or with the machine. */
  readonly enabled: boolean;
  /** `active (running)`, `failed`, … */
  readonly state: string;
  readonly pid: number | null;
  readonly restarts: number | null;
  /** Of the last end; null when it has not ended. */
  readonly lastStatus: number | null;
}

export async function stateOf(app: Services, manager: Manager): Promise<ServiceState> {
  const name = serviceName(app);
  const file = unitFile(app, manager, name);
  const installed = await access(file).then(
    () => true,
    () => false,
  );
  const common = { name, file, installed };
  const nothing = {
    ...common,
    active: false,
    enabled: false,
    state: 'not installed',
    pid: null,
    restarts: null,
    lastStatus: null,
  };
  if (!installed) return nothing;
  return manager === 'systemd' ? systemdState(app, common) : launchdState(app, common);
}

type Common = Pick<ServiceState, 'name' | 'file' | 'installed'>;

async function systemdState(app: Services, common: Common): Promise<ServiceState> {
  const properties = [
    'ActiveState',
    'SubState',
    'UnitFileState',
    'MainPID',
    'NRestarts',
    'ExecMainStatus',
    'ExecMainExitTimestampMonotonic',
  ];
  const { lines } = await must(
    app,
    'systemctl',
    '--user',
    'show',
    common.name,
    `--property=${properties.join(',')}`,
  );
  const values = new Map(lines.map((line) => line.split('=', 2) as [string, string]));
  const number = (key: string) => Number(values.get(key) ?? 0);
  const active = values.get('ActiveState') ?? 'unknown';
  return {
    ...common,
    active: active === 'active',
    enabled: values.get('UnitFileState') === 'enabled',
    state: `${active} (${values.get('SubState') ?? '-'})`,
    pid: number('MainPID') || null,
    restarts: number('NRestarts'),
    lastStatus: number('ExecMainExitTimestampMonotonic') > 0 ? number('ExecMainStatus') : null,
  };
}

async function launchdState(app: Services, common: Common): Promise<ServiceState> {
  const { code, lines } = await ask(app, 'launchctl', 'print', `${domain()}/${common.name}`);
  const value = (key: string) =>
    lines.map((line) => new RegExp(`^\\s*${key} = (.*)$`).exec(line)?.[1]).find(Boolean);
  const state = code === 0 ? (value('state') ?? 'unknown') : 'not loaded';
  const [pid, last] = [value('pid'), value('last exit code')].map((text) => Number.parseInt(text ?? '', 10));
  return {
    ...common,
    active: state === 'running',
    enabled: true,
    state,
    pid: Number.isNaN(pid) ? null : (pid ?? null),
    restarts: null,
    lastStatus: Number.isNaN(last) ? null : (last ?? null),
  };
}

/** The domain of this user's agents. */
export function domain(): string {
  return `gui/${process.getuid?.() ?? 0}`;
}
