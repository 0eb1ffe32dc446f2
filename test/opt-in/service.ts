/**
 * `npm run test:service`: `hookctl service` in a real user manager of systemd. Where none runs (`systemctl --user`) and root may make
 * namespaces, one is started in namespaces of its own (mounts, processes, cgroups) with a bus beside it. Ends with `N passed, N failed,
 * N skipped`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { counts, must, step, until } from './steps.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Starts a bus and a user manager in new namespaces, and this program again beside them. systemd asks for /run/systemd/system. */
const MANAGER = `
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0 && chmod 700 /run/user/0
mount -t cgroup2 none /sys/fs/cgroup
group=/sys/fs/cgroup/hookctl-service-$OUTER; mkdir "$group" && echo $$ > "$group/cgroup.procs"
exec unshare --cgroup --mount sh -c '
umount /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
export XDG_RUNTIME_DIR=/run/user/0 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/0/bus
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --fork --nopidfile
/lib/systemd/systemd --user --unit=basic.target --log-target=null &
for i in $(seq 50); do systemctl --user is-system-running >/dev/null 2>&1 && break; sleep 0.1; done
"$@"' sh "$@"`;

const hasManager = () => spawnSync('systemctl', ['--user', 'show', '--property=Version']).status === 0;

/** hookctl installed from its package, at a path that a link leads to, as npm does it. */
function install(folder: string): string {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const version = JSON.parse(execFileSync('npm', ['pkg', 'get', 'version'], { cwd: ROOT, encoding: 'utf8' }));
  const archive = join(folder, `hookctl-${version}.tgz`);
  execFileSync('npm', ['install', '-g', '--silent', '--offline', '--prefix', join(folder, 'one'), archive]);
  execFileSync('cp', ['-r', join(folder, 'one'), join(folder, 'two')]);
  symlinkSync(join(folder, 'one'), join(folder, 'present'));
  return join(folder, 'present/bin/hookctl');
}

async function inManager(): Promise<void> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-service-')));
  const [data, project, bin] = [join(folder, 'data'), join(folder, 'project'), join(folder, 'present/bin')];
  mkdirSync(project);
  const config = join(project, 'webhooks.yml');
  // The home is that of the manager: nothing is written into its Claude Code.
  const valid = `ingress: { port: 38917 }
management: { socket: management.sock }
webhooks: { github: { syncToClaudeTasks: false } }
`;
  writeFileSync(config, valid);
  const program = install(folder);
  const env = {
    ...process.env,
    ...{ HOOKCTL_HOME: data, GITHUB_TOKEN: 'a-token-for-nothing' },
    PATH: [bin, dirname(process.execPath), process.env.PATH].join(':'),
  };
  const hookctl = (...args: readonly string[]) =>
    spawnSync(process.execPath, [program, ...args], { cwd: project, env, encoding: 'utf8' });
  const ok = (...args: readonly string[]) => {
    const { status, stdout, stderr } = hookctl(...args);
    must(status === 0, `hookctl ${args.join(' ')} ended with ${status}: ${stderr}`);
    return stdout;
  };
  const state = () => JSON.parse(hookctl('service', 'status', '--json').stdout || '{}');
  try {
    await step('install: enabled, started and ready, secrets in a file alone', () => {
      ok('service', 'install');
      const { active, pid, file } = state();
      must(active && existsSync(`/proc/${pid}`), 'it does not run');
      must(!readFileSync(file, 'utf8').includes('a-token-for-nothing'), 'the unit holds a secret');
      must(
        readFileSync(join(data, 'service.env'), 'utf8').includes('a-token-for-nothing'),
        'service.env lacks it',
      );
      must(
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${bin}/hookctl`),
        'not by the link that stays',
      );
      const enabled = spawnSync('systemctl', ['--user', 'is-enabled', state().name], { encoding: 'utf8' });
      must(enabled.stdout.trim() === 'enabled', enabled.stdout + enabled.stderr);
    });
    await step('it receives: a signed sample makes a task', () => {
      must(
        ok('trigger', 'github', 'issue_comment.created', '--text', '@agent analyze').includes('task'),
        'no task',
      );
    });
    await step('kill -9: it starts again by itself, and has what it received', async () => {
      const { pid } = state();
      process.kill(pid, 'SIGKILL');
      await until('a new process', () => state().active && state().pid !== pid);
      await until('the server', () => hookctl('api', 'GET', '/api/webhooks').status === 0);
      must(
        ok('task', 'list').includes('analyze') || ok('task', 'list').includes('Analyze'),
        'the task is gone',
      );
      must(state().restarts === 1, `${state().restarts} restarts`);
    });
    await step(
      'restart after an upgrade: the link leads to another version, and the unit is the same',
      async () => {
        const before = readFileSync(state().file, 'utf8');
        execFileSync('ln', ['-sfn', join(folder, 'two'), join(folder, 'present')]);
        rmSync(join(folder, 'one'), { recursive: true });
        const { pid } = state();
        ok('service', 'restart');
        must(state().active && state().pid !== pid, 'it is the same process');
        must(readFileSync(state().file, 'utf8') === before, 'the unit changed');
      },
    );
    // The journal belongs to the system, not to the manager.
    if (existsSync('/run/systemd/journal/socket'))
      await step('logs: what serve printed', () =>
        must(ok('service', 'logs').includes('Ready on'), 'no line'),
      );
    else counts.skipped += 1;
    await step('a stop is in order, within TimeoutStopSec', async () => {
      const { name } = state();
      const began = Date.now();
      must(spawnSync('systemctl', ['--user', 'stop', name]).status === 0, 'systemctl stop failed');
      must(Date.now() - began < 15_000, 'it was killed');
      must(!state().active && !existsSync(join(data, 'management.sock')), JSON.stringify(state()));
    });
    await step('a mistake in the configuration is status 3, and is not tried again', async () => {
      writeFileSync(config, 'ingres: { port: 1 }\n');
      const { name, restarts } = state();
      spawnSync('systemctl', ['--user', 'start', name]);
      const failed = await until('the end', () => {
        const now = state();
        return now.last_status === 3 && now;
      });
      await pause(6_500);
      must(state().state === failed.state && state().restarts === (restarts ?? 0), JSON.stringify(state()));
      must(hookctl('service', 'status').stdout.includes('not started again'), 'status does not say why');
      must(hookctl('service', 'install').status === 3, 'install takes it');
    });
    await step('mended and restarted it runs, by the link', () => {
      writeFileSync(config, valid);
      ok('service', 'restart');
      must(state().active, 'it does not run');
    });
    await step('doctor finds the service', () => {
      const { findings } = JSON.parse(hookctl('doctor', '--offline', '--json').stdout);
      const found = findings.filter(({ check }: { check: string }) => check === 'service');
      must(
        found.length > 0 && found.every(({ state }: { state: string }) => state === 'ok'),
        JSON.stringify(found),
      );
    });
    await step('uninstall: no process, no unit, the data stays', async () => {
      const { pid, file } = state();
      ok('service', 'uninstall');
      await until('the end', () => !existsSync(`/proc/${pid}`));
      must(!existsSync(file), 'the unit is still there');
      must(hookctl('service', 'status').status === 4, 'status is not 4');
      must(existsSync(join(data, 'service.env')), 'the data is gone');
    });
  } finally {
    hookctl('service', 'uninstall');
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

if (process.env.HOOKCTL_TEST_MANAGER === 'here' || hasManager()) await inManager();
else {
  const config = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-units-')));
  const env = {
    ...process.env,
    OUTER: String(process.pid),
    HOOKCTL_TEST_MANAGER: 'here',
    XDG_CONFIG_HOME: config,
  };
  const flags = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const canRun = ['systemctl', 'dbus-daemon', 'unshare'].every(
    (name) => spawnSync('which', [name]).status === 0,
  );
  const isAllowed =
    canRun && spawnSync('unshare', [...flags, 'mount', '-t', 'tmpfs', 'tmpfs', '/run']).status === 0;
  if (isAllowed) {
    console.log('no user manager of systemd runs here: one is started in namespaces of its own');
    const args = [...flags, 'sh', '-c', MANAGER, 'sh', process.execPath, import.meta.filename];
    process.exitCode = spawnSync('unshare', args, { env, stdio: 'inherit' }).status ?? 1;
  } else {
    console.log(
      'no user manager of systemd runs here, and none can be started\n0 passed, 0 failed, 10 skipped',
    );
  }
  const groups = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].map((root) =>
    join(root, `hookctl-service-${process.pid}`),
  );
  for (const group of groups.filter(existsSync))
    spawnSync('find', [group, '-depth', '-type', 'd', '-exec', 'rmdir', '{}', ';']);
  rmSync(config, { recursive: true, force: true });
}
