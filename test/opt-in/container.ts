/**
 * `npm run test:container`: the image of the Dockerfile built and run by docker or podman, and the CLI of the host beside it, which
 * reaches the server by the unix socket in the volume. Where neither works, `unshare` takes their place: the packed hookctl in
 * namespaces of its own (mounts, processes, network), with the same variables and command. Ends with `N passed, N failed, N skipped`.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Engine, engine } from './container-engine.ts';
import { counts, must, step, until } from './steps.ts';

const ROOT = join(import.meta.dirname, '../..');
const SECRET = 'a-secret-of-this-test';
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hookctl-container-')));
const [data, project] = [join(folder, 'data'), join(folder, 'project')];
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
/** Whose the volume is: never root's, so that hookctl is an ordinary user inside. 1000 is `node` of the image. */
const owner = uid === 0 ? { uid: 1000, gid: 1000 } : { uid, gid };

interface Running {
  /** Where the host reaches its ingress; null where it has a network of its own. */
  readonly url: string | null;
  /** As the manager of containers does: SIGTERM, and waits for the end. Its exit status. */
  stop(): number | null;
  start(): void;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** The steps that only a container has. */
async function inEngine(found: Engine): Promise<Running> {
  const name = `hookctl-test-${process.pid}`;
  const port = found.hasHostNetwork ? 8000 : await freePort();
  const must0 = (...args: readonly string[]) => {
    const { status, stdout, stderr } = found.run(...args);
    must(status === 0, `${found.name} ${args.join(' ')} ended with ${status}: ${stderr}${stdout}`);
    return stdout.trim();
  };
  const exec = (...args: readonly string[]) => must0('exec', name, ...args);
  const inspect = (format: string) => must0('inspect', '-f', format, name);
  await step('the Dockerfile builds as it is, with the packages of apt and npm', () => {
    must0('build', ...found.build, ...found.needed, '-t', 'hookctl-test', ROOT);
  });
  await step('the image: an ordinary user, a volume, a health check, SIGTERM to stop', () => {
    const [image] = JSON.parse(must0('image', 'inspect', 'hookctl-test'));
    const { User, Volumes, StopSignal, Healthcheck, ExposedPorts } = { ...image, ...image.Config };
    const seen = JSON.stringify({ User, Volumes, StopSignal, Healthcheck, ExposedPorts });
    must(User === 'node' && '/data' in Volumes && '8000/tcp' in ExposedPorts, seen);
    must(['SIGTERM', '15'].includes(String(StopSignal)) && Healthcheck.Test[0] === 'CMD', seen);
  });
  await step('as it is, without a folder of the host, it serves from its own volume', async () => {
    must0('run', '-d', '--init', '--name', name, ...found.needed, 'hookctl-test');
    await until('serve.json', () => found.run('exec', name, 'test', '-f', '/data/serve.json').status === 0);
    must(exec('id', '-u') === '1000', 'it is not the user node');
    exec('git', '--version');
    exec('test', '-s', '/etc/ssl/certs/ca-certificates.crt');
    must(JSON.parse(exec('hookctl', 'status', '--json')).server !== null, 'it finds no server');
    must(exec('stat', '-c', '%a', '/data/hookctl.db') === '600', 'others may read the store');
  });
  await step('an init is process 1: what outlives its parent leaves no zombie', async () => {
    must(exec('cat', '/proc/1/comm') !== 'node', 'node is process 1');
    exec('sh', '-c', '(sleep 0.1 &)');
    const states = () => exec('sh', '-c', 'cat /proc/[0-9]*/stat 2>/dev/null; true');
    await until('the end of the orphan', () => !/\((sleep)\)/.test(states()));
    must(!/\) Z /.test(states()), states());
  });
  found.run('rm', '-f', '-v', name);
  const user = found.isRootless ? ['--userns', 'keep-id'] : [];
  must0(
    ...['run', '-d', '--init', '--name', name, '--user', `${owner.uid}:${owner.gid}`, ...user],
    ...['-v', `${data}:/data`, '-v', `${project}:/project:ro`, ...found.needed],
    ...(found.hasHostNetwork ? [] : ['-p', `127.0.0.1:${port}:8000`]),
    ...['-e', 'HOME=/data/home', '-e', `GITHUB_WEBHOOK_SECRET=${SECRET}`, 'hookctl-test'],
  );
  await step('the health check finds it healthy', async () => {
    await until('the health', () =>
      found.name === 'podman'
        ? found.run('healthcheck', 'run', name).status === 0
        : inspect('{{.State.Health.Status}}') === 'healthy',
    );
  });
  return {
    url: `http://127.0.0.1:${port}`,
    stop() {
      must0('stop', '-t', '15', name);
      return Number(inspect('{{.State.ExitCode}}'));
    },
    start: () => void must0('start', name),
  };
}

/** The steps of the Dockerfile on this machine's own files: pack, install, and its CMD with its ENV. */
function inNamespaces(program: string): Running {
  const inside = `mount --bind '${data}' /mnt && ip link set lo up 2>/dev/null; cd '${project}' && exec '${process.execPath}' '${program}' serve --host 0.0.0.0`;
  const env = {
    PATH: process.env.PATH,
    HOOKCTL_HOME: '/mnt',
    HOME: '/mnt/home',
    GITHUB_WEBHOOK_SECRET: SECRET,
  };
  const flags = ['--mount', '--pid', '--fork', '--mount-proc', '--net', '--kill-child=SIGTERM'];
  let child: ChildProcess;
  const start = () => {
    child = spawn('unshare', [...flags, 'sh', '-c', inside], {
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  };
  start();
  return {
    url: null,
    start,
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
  const archive = join(folder, `hookctl-${version}.tgz`);
  execFileSync('npm', [
    'install',
    '-g',
    '--silent',
    '--offline',
    '--prefix',
    join(folder, 'global'),
    archive,
  ]);
  return join(folder, 'global/bin/hookctl');
}

/** Steps of both: what the host does with the server in its volume. @param run the CLI of the host. */
async function fromHost(
  running: Running,
  run: (...args: readonly string[]) => { status: number | null; stdout: string; stderr: string },
) {
  const socket = join(data, 'management.sock');
  const ready = async () => {
    await until('the socket', () => existsSync(socket) && existsSync(join(data, 'serve.json')));
    await until('the status', () => {
      const { status, stdout } = run('status', '--json');
      return status === 0 && JSON.parse(stdout).server !== null;
    });
  };
  const listed = (): readonly { delivery_key: string; status: string }[] =>
    JSON.parse(run('delivery', 'list', '--json').stdout || '[]');
  await step('the server is ready, its socket in the volume, for its user alone', async () => {
    await ready();
    must((statSync(socket).mode & 0o077) === 0, 'others may open the socket');
  });
  await step('a change by the CLI of the host is in force inside', () => {
    const added = run('webhook', 'add', 'github', '--name', 'fromhost', '--json');
    must(added.status === 0, added.stderr);
    const asked = run('api', 'GET', '/api/webhooks');
    must(asked.stdout.includes('fromhost'), `${asked.stdout}${asked.stderr}`);
  });
  const person = { id: 583231, login: 'octocat', type: 'User' };
  const body = JSON.stringify({
    action: 'created',
    issue: { id: 1, number: 1, title: 'Login fails', user: person, state: 'open' },
    comment: { id: 2, body: '@agent analyze', user: person, author_association: 'OWNER' },
    repository: { id: 3, name: 'octo-repo', full_name: 'octo-org/octo-repo', private: true },
    sender: person,
  });
  const send = async (url: string) => {
    const headers = {
      'content-type': 'application/json',
      'x-github-event': 'issue_comment',
      'x-github-delivery': '4c2c1e5e-0000-4000-8000-000000000001',
      'x-hub-signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
    };
    return (await fetch(`${url}/webhooks/github`, { method: 'POST', headers, body })).status;
  };
  const { url } = running;
  if (url === null) counts.skipped += 2;
  else
    await step('a signed delivery of the host is stored before it is answered', async () => {
      must((await send(url)) === 202, 'it is not taken');
      must(listed().length === 1, JSON.stringify(listed()));
    });
  await step('it ends in order within 15 s, and leaves no socket', () => {
    const began = Date.now();
    const code = running.stop();
    must(code === 0, `it ended with ${code}`);
    must(Date.now() - began < 15_000, 'it was killed');
    must(!existsSync(socket), 'the socket is still there');
  });
  await step('started again it has what it had', async () => {
    running.start();
    await ready();
    const asked = run('api', 'GET', '/api/webhooks');
    must(asked.stdout.includes('fromhost'), `${asked.stdout}${asked.stderr}`);
  });
  if (url !== null)
    await step('and knows the delivery again', async () => {
      const answer = await until('the port', async () => await send(url).catch(() => false as const));
      must(answer === 200, `the answer is ${answer}`);
      must(listed().filter(({ status }) => status !== 'duplicate').length === 1, JSON.stringify(listed()));
    });
  running.stop();
}

for (const made of [data, project]) mkdirSync(made, { mode: 0o700 });
writeFileSync(join(project, 'webhooks.yml'), 'management: { socket: management.sock }\n');
const found = engine(folder, console.log);
try {
  const program = pack();
  const canUnshare = spawnSync('unshare', ['--mount', '--pid', '--fork', '--net', 'true']).status === 0;
  const how = found && [found.name, ...found.before, ...found.needed].join(' ');
  console.log(
    how !== null
      ? `with ${how}${found?.isRootless ? ', rootless' : ''}`
      : canUnshare
        ? 'neither docker nor podman can run a container here: the same steps by unshare'
        : 'neither docker, podman nor unshare works here',
  );
  if (found === null) counts.skipped += 5;
  else if (uid === 0) {
    chownSync(folder, owner.uid, owner.gid);
    for (const path of [data, project, join(project, 'webhooks.yml')]) chownSync(path, owner.uid, owner.gid);
  }
  const as = found !== null && uid === 0 ? owner : {};
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, HOME: folder, HOOKCTL_HOME: data };
  const running = found ? await inEngine(found) : canUnshare ? inNamespaces(program) : null;
  if (running === null) counts.skipped += 6;
  else
    await fromHost(running, (...args) =>
      spawnSync(process.execPath, [program, ...args], { ...as, cwd: project, env, encoding: 'utf8' }),
    );
} finally {
  found?.run('rm', '-f', '-v', `hookctl-test-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;
