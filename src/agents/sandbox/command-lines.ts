import { lstat, readlink, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failure } from '../../errors.ts';
import { findProgram } from '../../lib/process/find-program.ts';
import type { CommandLine } from '../runner.ts';
import { INSIDE_FOLDER, insideArguments, PROXY_PORT } from './inside.ts';
import { loopbackPorts, type SandboxSettings } from './settings.ts';

/** A path that is seen inside at the same place. */
export interface Mount {
  readonly path: string;
  /** `hidden`: an empty folder is seen there instead; `null`: an empty file. */
  readonly as: 'read' | 'write' | 'hidden' | 'null';
  /** What is seen there; default the path itself. */
  readonly from?: string;
}

/** Everything that a command line of a sandbox is made of. */
export interface SandboxPlan {
  readonly settings: SandboxSettings;
  /** In the order in which they are laid over each other. */
  readonly mounts: readonly Mount[];
  readonly sockets: string;
  readonly managementPort: number | null;
  /** Home of the agent. */
  readonly home: string;
  /** Name of the container. */
  readonly name: string;
  /** hookctl's own environment, for the client of a container. */
  readonly hostEnv: Readonly<Record<string, string | undefined>>;
  readonly projectFolder: string;
}

/** Files of /etc that programs need to find names and trust servers; the rest of it is the machine's own affair. */
const ETC =
  `passwd group nsswitch.conf resolv.conf hosts host.conf localtime ssl ca-certificates pki alternatives ld.so.cache
  ld.so.conf ld.so.conf.d mime.types gitconfig`.split(/\s+/);

/** Variables that lead into the machine, or that the sandbox sets itself. */
const NOT_INSIDE = /^(?:.*_proxy|XDG_.*|SSH_AUTH_SOCK|TMPDIR|DBUS_.*)$/i;

function environmentInside(plan: SandboxPlan, env: CommandLine['env']): CommandLine['env'] {
  const { settings, home } = plan;
  const proxy = `http://127.0.0.1:${PROXY_PORT}`;
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'http_proxy', 'https_proxy'];
  const own = {
    ...(settings.network === 'proxy' && {
      ...Object.fromEntries(names.map((name) => [name, proxy])),
      ...{ NO_PROXY: '127.0.0.1,localhost', no_proxy: '127.0.0.1,localhost', NODE_USE_ENV_PROXY: '1' },
    }),
    ...gitVariables(settings.credentials, env),
  };
  const kept = Object.entries(env).filter(
    ([name, value]) => !NOT_INSIDE.test(name) && (name === 'PATH' || !leadsHome(plan, value)),
  );
  return { ...Object.fromEntries(kept), HOME: home, ...own };
}

/** Whether a value is a path in the user's home that is not there inside, such as that of a program's own folder. */
function leadsHome({ hostEnv, mounts }: SandboxPlan, value: string | undefined): boolean {
  const { HOME: userHome = '' } = hostEnv;
  if (userHome === '' || value?.startsWith(`${userHome}/`) !== true) return false;
  return !mounts.some(({ path, as }) => as !== 'hidden' && (value === path || value.startsWith(`${path}/`)));
}

/** How `hookctl git-credential` ends in a setting of git: its program is not there inside. */
const APP_HELPER = / git-credential$/;

/**
 * Git asks hookctl for credentials, over https also where an address says ssh: there is no key inside. Settings that the run brings
 * come after these: those of hookctl's GitHub App take their hosts out of them.
 */
function gitVariables(hosts: readonly string[], env: CommandLine['env']): CommandLine['env'] {
  const helper = ['credential.helper', `!node ${INSIDE_FOLDER}/credential.mjs`] as const;
  const addresses = hosts.flatMap((host) => [
    [`url.https://${host}/.insteadOf`, `git@${host}:`] as const,
    [`url.https://${host}/.insteadOf`, `ssh://git@${host}/`] as const,
  ]);
  const brought = Array.from({ length: Number(env.GIT_CONFIG_COUNT ?? 0) || 0 }, (_, index) => {
    const value = env[`GIT_CONFIG_VALUE_${index}`] ?? '';
    const inside = APP_HELPER.test(value) ? `!node ${INSIDE_FOLDER}/app-credential.mjs` : value;
    return [env[`GIT_CONFIG_KEY_${index}`] ?? '', inside] as const;
  });
  const all = [...(hosts.length === 0 ? [] : [helper, ...addresses]), ...brought];
  const entries = all.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${index}`, key],
    [`GIT_CONFIG_VALUE_${index}`, value],
  ]);
  return all.length === 0 ? {} : { GIT_CONFIG_COUNT: String(all.length), ...Object.fromEntries(entries) };
}

function portsOf({ settings, managementPort }: SandboxPlan): readonly (readonly [number, string])[] {
  return [
    ...(settings.network === 'proxy' ? [[PROXY_PORT, 'proxy.sock'] as const] : []),
    ...(managementPort === null ? [] : [[managementPort, 'management.sock'] as const]),
    ...loopbackPorts(settings).map((port) => [port, `port-${port}.sock`] as const),
  ];
}

/** The command line of bubblewrap. Throws `program_missing`. */
export async function bwrapCommand(plan: SandboxPlan, inner: CommandLine): Promise<CommandLine> {
  const { settings, mounts, sockets } = plan;
  const env = environmentInside(plan, inner.env);
  const node = process.execPath;
  const args = [
    ...['--unshare-all', '--die-with-parent', '--new-session', '--cap-drop', 'ALL'],
    ...['--proc', '/proc', '--dev', '/dev', '--ro-bind', '/usr', '/usr', ...(await systemFolders())],
    ...ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...['--ro-bind-try', '/nix/store', '/nix/store', '--tmpfs', '/tmp', '--tmpfs', '/run'],
    ...(node.startsWith('/usr/') ? [] : ['--ro-bind', node, node]),
    ...(await programMounts(inner, plan.projectFolder)),
    ...mounts.flatMap(bwrapMount),
    ...['--ro-bind', sockets, INSIDE_FOLDER, '--remount-ro', '/', '--chdir', inner.folder, '--', node],
    ...insideArguments(
      { ports: portsOf(plan), memory: settings.memory, processes: settings.processes },
      inner.program,
      inner.args,
    ),
  ];
  const path = [env.PATH, dirname(node)].filter((part) => part !== undefined && part !== '').join(':');
  return { program: 'bwrap', args, env: { ...env, PATH: path }, folder: '/' };
}

function bwrapMount({ path, as, from = path }: Mount): readonly string[] {
  switch (as) {
    case 'read':
      return ['--ro-bind', from, path];
    case 'write':
      return ['--bind', from, path];
    case 'hidden':
      return ['--tmpfs', path];
    case 'null':
      return ['--ro-bind', '/dev/null', path];
    default:
      return as satisfies never;
  }
}

/** `/bin`, `/lib` and their like: links into /usr on most systems, folders on others. */
async function systemFolders(): Promise<readonly string[]> {
  const found = await Promise.all(
    ['/bin', '/sbin', '/lib', '/lib32', '/lib64'].map(async (path) => {
      const stats = await lstat(path).catch(() => null);
      if (stats === null) return [];
      return stats.isSymbolicLink() ? ['--symlink', await readlink(path), path] : ['--ro-bind', path, path];
    }),
  );
  return found.flat();
}

/** The agent's own program, where it is not below /usr: with the packages around it, when it came from npm. */
async function programMounts(
  { program, env }: CommandLine,
  projectFolder: string,
): Promise<readonly string[]> {
  const path = await findProgram(program, projectFolder, env.PATH);
  if (path === null) {
    throw failure('program_missing', `there is no program ${program}`, {
      fix: 'Install it, or name it by its path.',
    });
  }
  if (path.startsWith('/usr/') || /^\/s?bin\//.test(path)) return [];
  const real = await realpath(path);
  const packages = /^(.*?\/node_modules)\//.exec(real)?.[1] ?? real;
  const own = packages.startsWith('/usr/') ? [] : ['--ro-bind', packages, packages];
  // The link itself may be among the packages.
  return path === real || path.startsWith(`${packages}/`) ? own : [...own, '--symlink', real, path];
}

/** Threads that a process may have on average. */
const THREADS = 4;

/** The command line of docker or podman, which know the same options. */
export async function containerCommand(plan: SandboxPlan, inner: CommandLine): Promise<CommandLine> {
  const { settings, mounts, sockets, name, home, hostEnv } = plan;
  const { PATH: _, ...env } = environmentInside(plan, inner.env);
  const program: readonly Mount[] = inner.program.includes('/') ? [{ path: inner.program, as: 'read' }] : [];
  const volumes = [...mounts, ...program].flatMap(({ path, as, from = path }) => {
    if (as === 'hidden') return ['--tmpfs', path];
    return ['--volume', `${as === 'null' ? '/dev/null' : from}:${path}${as === 'write' ? '' : ':ro'}`];
  });
  const limits = { ports: portsOf(plan), memory: settings.memory, processes: settings.processes };
  const memory = String(settings.memory);
  const args = [
    ...['run', '--rm', '--interactive', '--name', name, '--network', 'none', '--read-only', '--init=false'],
    ...['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--tmpfs', '/tmp'],
    ...['--memory', memory, '--memory-swap', memory],
    // Threads count there, too; processes are counted inside.
    ...['--pids-limit', String(settings.processes * THREADS)],
    ...userOptions(settings.use),
    ...volumes,
    ...['--volume', `${sockets}:${INSIDE_FOLDER}:ro`, '--workdir', inner.folder],
    // Values of variables come from the client's environment: a command line is read by everybody.
    ...Object.keys(env).flatMap((each) => (each === 'HOME' ? ['--env', `HOME=${home}`] : ['--env', each])),
    ...['--entrypoint', 'node', settings.image ?? '', ...insideArguments(limits, inner.program, inner.args)],
  ];
  const client = Object.entries(hostEnv).filter(([key]) =>
    /^(?:PATH|HOME|DOCKER_.*|CONTAINERS?_.*|XDG_RUNTIME_DIR)$/.test(key),
  );
  return { program: settings.use, args, env: { ...env, ...Object.fromEntries(client) }, folder: '/' };
}

/** Files that are made belong to the user. podman refuses to keep the id of root, which is root there anyway. */
function userOptions(use: SandboxSettings['use'], uid = process.getuid?.()): readonly string[] {
  if (uid === undefined) return [];
  if (use === 'podman') return uid === 0 ? [] : ['--userns', 'keep-id'];
  return ['--user', `${uid}:${process.getgid?.() ?? 0}`];
}
