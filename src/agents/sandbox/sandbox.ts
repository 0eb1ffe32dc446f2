import { execFile } from 'node:child_process';
import { mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { isWithin } from '../../lib/files/within.ts';
import { findProgram } from '../../lib/process/find-program.ts';
import { type Environment, programEnvironment } from '../../lib/process/subprocess.ts';
import { escapeInvisibleLine } from '../../lib/text/escape-invisible.ts';
import type { Issue } from '../../types.ts';
import type { Sandbox } from '../runner.ts';
import { createGit } from '../workspace/git.ts';
import type { Workspace } from '../workspace/record.ts';
import { bwrapCommand, containerCommand, type Mount, type SandboxPlan } from './command-lines.ts';
import type { SandboxSettings } from './settings.ts';
import { openSockets } from './sockets.ts';

interface SandboxOptions {
  /** Of the run, or of what runs: part of the names of folders and containers. */
  readonly name: string;
  readonly settings: SandboxSettings;
  readonly workspaces: readonly Workspace[];
  /** Folder for files of the run alone; null when it has none. */
  readonly scratch: string | null;
  /** Home of the agent; made when it is missing. */
  readonly home: string;
  readonly managementPort: number | null;
  readonly env: Environment;
  readonly projectFolder: string;
  readonly note: (text: string) => void;
}

/**
 * A sandbox around the checkouts of a run: what is not named is not there. Its own home stays from run to run, so that sessions can
 * be resumed. `close` ends what runs in it.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { name, settings, workspaces, scratch, home, managementPort, env, projectFolder, note } = options;
  await mkdir(home, { recursive: true, mode: 0o700 });
  const sockets = await openSockets({ name, settings, managementPort, env, note });
  const { use, mounts } = settings;
  const plan: SandboxPlan = {
    ...{
      settings,
      managementPort,
      home,
      projectFolder,
      hostEnv: env,
      name: `hookctl-${name}`,
      sockets: sockets.folder,
    },
    mounts: [
      ...mounts.map(({ path, write }): Mount => ({ path, as: write ? 'write' : 'read' })),
      { path: home, as: 'write' },
      ...(await Promise.all(workspaces.map((each) => checkoutMounts(each, env, sockets.folder)))).flat(),
      ...(scratch === null ? [] : [{ path: scratch, as: 'write' } as const]),
    ],
  };
  return {
    enter: (command) => (use === 'bwrap' ? bwrapCommand(plan, command) : containerCommand(plan, command)),
    env: { ...env, HOME: home, CLAUDE_CONFIG_DIR: join(home, '.claude') },
    terminate: sockets.terminate,
    async close() {
      await sockets.close();
      // The program inside ends with its socket; a container whose client was killed may be left.
      if (use !== 'bwrap') await runQuietly(use, ['rm', '--force', plan.name], env);
    },
  };
}

/**
 * The checkout, and the part of its repository that git needs. Of a worktree's repository only what a commit writes can be
 * written, and what decides where git reads its configuration is read-only, because git outside reads it, too.
 */
async function checkoutMounts(
  { id, use, path, repository }: Workspace,
  env: Environment,
  folder: string,
): Promise<readonly Mount[]> {
  const git = createGit(env);
  const shared = (await git(repository, 'rev-parse', '--git-common-dir')).trim();
  const common = await realpath(isAbsolute(shared) ? shared : join(repository, shared));
  if (use === 'clone') {
    return [
      { path: join(common, 'objects'), as: 'read' },
      { path, as: 'write' },
    ];
  }
  const own = await realpath((await git(path, 'rev-parse', '--absolute-git-dir')).trim());
  const config = join(folder, `git-config-${id.slice(-6)}`);
  await writeFile(config, withoutSecrets(await readFile(join(common, 'config'), 'utf8')), { mode: 0o644 });
  const within = (names: readonly string[]) => existing(names.map((name) => join(common, name)));
  return [
    { path: common, as: 'hidden' },
    ...(await within(['HEAD', 'packed-refs', 'shallow', 'info', 'hooks', 'refs'])).map(readOnly),
    ...(await within(['objects', 'refs/heads', 'logs'])).map((each): Mount => ({ path: each, as: 'write' })),
    { path: join(common, 'config'), as: 'read', from: config },
    { path: own, as: 'write' },
    ...['commondir', 'gitdir'].map((name) => readOnly(join(own, name))),
    { path: join(own, 'config.worktree'), as: 'null' },
    { path, as: 'write' },
    { path: join(path, '.git'), as: 'read' },
  ];
}

function readOnly(path: string): Mount {
  return { path, as: 'read' };
}

/** A repository's configuration without what opens something: passwords in addresses, extra headers. */
function withoutSecrets(config: string): string {
  return config
    .split('\n')
    .filter((line) => !/^\s*(?:extraheader|password|sslkey)\s*=/i.test(line))
    .map((line) => line.replace(/(\w:\/\/)[^/@\s"]+@/g, '$1'))
    .join('\n');
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        () => [path],
        () => [],
      ),
    ),
  );
  return found.flat();
}

/** Settings of a sandbox that make no sense together. */
export function sandboxIssues(settings: SandboxSettings, use: string, dataFolder: string): readonly Issue[] {
  const { image, network, hosts, mounts } = settings;
  const issue = (field: string, message: string, fix: string): Issue => ({
    path: ['sandbox', field],
    message,
    fix,
  });
  return [
    ...(use === 'shared'
      ? [
          {
            path: ['workspace'],
            message:
              'in the shared folder an agent could change webhooks.yml and hooks that run outside of its sandbox',
            fix: 'Write workspace: clone.',
          },
        ]
      : []),
    ...(settings.use !== 'bwrap' && image === undefined
      ? [issue('image', `${settings.use} needs an image`, 'Name one that has node and the agent in it.')]
      : []),
    ...(network === 'proxy' && hosts.length === 0
      ? [
          issue(
            'hosts',
            'the proxy lets nothing through',
            'List the hosts of its model and packages, or write network: none.',
          ),
        ]
      : []),
    ...(network === 'none' && hosts.length > 0
      ? [issue('network', 'hosts are listed, but there is no network', 'Write network: proxy.')]
      : []),
    ...mounts.flatMap(({ path }) =>
      isWithin(path, dataFolder) || isWithin(dataFolder, path)
        ? [
            issue(
              'mounts',
              `${path} shows the agent the secrets in ${dataFolder}`,
              'Mount something narrower.',
            ),
          ]
        : [],
    ),
  ];
}

/** How long a daemon may take to answer. */
const PATIENCE_MS = 10_000;

/** What the machine lacks for a sandbox, by trying it; null when it has everything. */
export async function sandboxLacks(
  { use, image }: SandboxSettings,
  env: Environment,
): Promise<{ readonly message: string; readonly fix: string } | null> {
  if ((await findProgram(use, '/', env.PATH)) === null) {
    const name = use === 'bwrap' ? 'bubblewrap' : use;
    return {
      message: `there is no program ${use} for its sandbox`,
      fix: `Install ${name}, or choose another sandbox.`,
    };
  }
  const probe =
    use === 'bwrap'
      ? [
          '--ro-bind',
          '/',
          '/',
          '--unshare-all',
          '--cap-drop',
          'ALL',
          '--proc',
          '/proc',
          '--dev',
          '/dev',
          'true',
        ]
      : ['version', '--format', '{{.Server.Version}}'];
  const broken = await runQuietly(use, probe, env);
  if (broken !== null) {
    const fix =
      use === 'bwrap'
        ? 'User namespaces must be allowed for it (kernel.unprivileged_userns_clone, AppArmor), or choose docker or podman.'
        : `Start it, and let your user use it: ${use} version`;
    return { message: `${use} does not work here: ${broken}`, fix };
  }
  if (use === 'bwrap' || image === undefined) return null;
  const absent = await runQuietly(use, ['image', 'inspect', image], env);
  return absent === null
    ? null
    : { message: `${use} has no image ${image}`, fix: `Type: ${use} pull ${image}` };
}

/** Null when it ended with 0, otherwise its last words. */
async function runQuietly(
  program: string,
  args: readonly string[],
  env: Environment,
): Promise<string | null> {
  const more = Object.keys(env).filter((name) => /^(?:DOCKER_|CONTAINERS?_|XDG_RUNTIME_DIR$)/.test(name));
  const options = { env: programEnvironment(env, ...more), timeout: PATIENCE_MS };
  return promisify(execFile)(program, [...args], options).then(
    () => null,
    (error: { readonly stderr?: string }) =>
      escapeInvisibleLine(error.stderr?.trim().split('\n').at(-1) || String(error)),
  );
}
