/**
 * `npm run test:container`: the image of the Dockerfile built and run by docker or podman, and the CLI of the host beside it, which
 * reaches the server by the unix socket in the volume. Where neither works, `unshare` takes their place: the packed hookctl in
 * namespaces of its own (mounts, processes, network), with the same variables and command. Ends with `N passed, N failed, N skipped`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { counts, must, step, until } from './steps.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-container-')));
const [data, project] = [join(folder, 'data'), join(folder, 'project')];

/** The first that can run containers here. */
function engine(): string | null {
  const works = (program: string) => spawnSync(program, ['info'], { timeout: 20_000 }).status === 0;
  return ['docker', 'podman'].find(works) ?? null;
}

interface Running {
  /** As the manager of containers does: SIGTERM, and waits for the end. */
  stop(): number | null;
}

const ids = ['-u', '-g'].map((flag) => execFileSync('id', [flag], { encoding: 'utf8' }).trim()).join(':');

function inEngine(program: string): Running | null {
  const built = spawnSync(program, ['build', '-t', 'hookctl-test', ROOT], {
    stdio: 'inherit',
    timeout: 900_000,
  });
  if (built.status !== 0) return null;
  const name = `hookctl-test-${process.pid}`;
  const mounts = ['-v', `${data}:/data`, '-v', `${project}:/project:ro`];
  execFileSync(program, [
    'run',
    '-d',
    '--init',
    '--name',
    name,
    '--user',
    ids,
    ...mounts,
    '-e',
    'HOME=/data/home',
    'hookctl-test',
  ]);
  return {
    stop() {
      execFileSync(program, ['stop', '-t', '15', name]);
      const code = execFileSync(program, ['inspect', '-f', '{{.State.ExitCode}}', name], {
        encoding: 'utf8',
      });
      execFileSync(program, ['rm', name]);
      return Number(code.trim());
    },
  };
}

/** The steps of the Dockerfile on this machine's own files: pack, install, and its CMD with its ENV. */
function inNamespaces(program: string): Running {
  const inside = `mount --bind '${data}' /mnt && ip link set lo up 2>/dev/null; cd '${project}' && exec '${process.execPath}' '${program}' serve --host 0.0.0.0`;
  const child: ChildProcess = spawn(
    'unshare',
    ['--mount', '--pid', '--fork', '--mount-proc', '--net', '--kill-child=SIGTERM', 'sh', '-c', inside],
    {
      env: { PATH: process.env.PATH, HOOKCTL_HOME: '/mnt', HOME: '/mnt/home' },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  return {
    stop() {
      const [inner = ''] = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).split('\n');
      process.kill(Number(inner), 'SIGTERM');
      for (let tries = 0; tries < 150 && existsSync(`/proc/${inner}`); tries += 1)
        spawnSync('sleep', ['0.1']);
      return existsSync(`/proc/${inner}`) ? null : 0;
    },
  };
}

function pack(): string {
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const version = JSON.parse(execFileSync('npm', ['pkg', 'get', 'version'], { cwd: ROOT, encoding: 'utf8' }));
  execFileSync('npm', [
    'install',
    '-g',
    '--silent',
    '--offline',
    '--prefix',
    join(folder, 'global'),
    join(folder, `hookctl-${version}.tgz`),
  ]);
  return join(folder, 'global/bin/hookctl');
}

/** The CLI of the host, on the volume. */
function hookctl(program: string, ...args: readonly string[]) {
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: folder, HOOKCTL_HOME: data };
  return spawnSync(process.execPath, [program, ...args], { cwd: project, env, encoding: 'utf8' });
}

for (const made of [data, project]) mkdirSync(made, { mode: 0o700 });
writeFileSync(join(project, 'webhooks.yml'), 'management: { socket: management.sock }\n');
try {
  const program = pack();
  const found = engine();
  const container = found === null ? null : inEngine(found);
  const canUnshare = spawnSync('unshare', ['--mount', '--pid', '--fork', '--net', 'true']).status === 0;
  console.log(
    container !== null
      ? `with ${found}`
      : canUnshare
        ? 'neither docker nor podman can build the image here: the same steps by unshare'
        : 'neither docker, podman nor unshare works here',
  );
  if (container === null) counts.skipped += 1;
  const running = container ?? (canUnshare ? inNamespaces(program) : null);
  if (running !== null) {
    await step('the server is ready, its socket in the volume, for its user alone', async () => {
      await until(
        'the socket',
        () => existsSync(join(data, 'management.sock')) && existsSync(join(data, 'serve.json')),
      );
      must((statSync(join(data, 'management.sock')).mode & 0o077) === 0, 'others may open the socket');
    });
    await step('the CLI of the host reaches it', async () => {
      await until('the status', () => {
        const { status, stdout } = hookctl(program, 'status', '--json');
        return status === 0 && JSON.parse(stdout).server !== null;
      });
    });
    await step('a change by the host is in force inside', () => {
      const added = hookctl(program, 'webhook', 'add', 'github', '--name', 'fromhost', '--json');
      must(added.status === 0, added.stderr);
      const listed = hookctl(program, 'api', 'GET', '/api/webhooks');
      must(listed.stdout.includes('fromhost'), `${listed.stdout}${listed.stderr}`);
    });
    await step('it ends in order, and leaves no socket', () => {
      const code = running.stop();
      must(code === 0, `it ended with ${code}`);
      must(!existsSync(join(data, 'management.sock')), 'the socket is still there');
    });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
