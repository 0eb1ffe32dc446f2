import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { git, repository } from '../agents/repository.ts';
import { type AgentEngine, isAlive, startAgents } from '../agents/support.ts';
import { makeImage, removeImage } from '../support/container-image.ts';
import { eventually } from '../support/eventually.ts';

const PROBE = ['--ro-bind', '/', '/', '--unshare-all', '--proc', '/proc', '--dev', '/dev', 'true'];
const IMAGE = `hookctl-sandbox-test:${process.pid}`;

/** Why this machine cannot run a sandbox; null when it can. docker and podman get an image of this machine's programs. */
function whyNot(use: string): string | null {
  if (use !== 'bwrap') return makeImage(use, IMAGE);
  const { status, stderr, error } = spawnSync('bwrap', PROBE, { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim());
}

/** The client of a container finds its daemon and its store by these. */
const CLIENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(?:DOCKER_|CONTAINERS?_|XDG_RUNTIME_DIR$)/.test(name)),
);

/** A container starts slowly where its storage copies the whole image. */
const PATIENCE_MS = 150_000;

interface StartOptions {
  readonly workspace?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly managementPort?: number;
  readonly prepare?: (folder: string) => void;
}

async function resultOf(engine: AgentEngine, script: string, externalId = 'x:1'): Promise<string> {
  const { id } = await engine.task(`A\nsh: ${script}`, { externalId });
  await engine.ended(id, PATIENCE_MS);
  const task = engine.context.store.task(id);
  return task?.result ?? task?.error ?? '';
}

/** A script of node inside, as one word of a shell. */
const node = (script: string) => `node -e '${script}'`;

function listenAt(place: string | number, answer: string): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => undefined).end(answer));
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    if (typeof place === 'string') server.listen(place, () => resolve(server));
    else server.listen(place, '127.0.0.1', () => resolve(server));
  });
}

const SECRETS = 32;
const marker = (number: number) => `PLANTED-${String(number).padStart(2, '0')}-x`;

describe.each(['bwrap', 'podman', 'docker'])('%s', (use) => {
  const lacks = whyNot(use);
  const sandboxed = (title: string, run: () => Promise<void>) =>
    test(title, async ({ skip }) => (lacks === null ? run() : skip(`${use} does not work here: ${lacks}`)));
  afterAll(() => {
    if (use !== 'bwrap') removeImage(use, IMAGE);
  });

  function start(
    settings = '',
    { workspace = 'clone', env = {}, managementPort, prepare }: StartOptions = {},
  ) {
    const image = use === 'bwrap' ? '' : `, image: "${IMAGE}"`;
    return startAgents({
      yaml: `agents:
  brain:
    { use: command, program: ./sh-agent, cwd: code, concurrency: 2, timeout: 120s, env: [GIVEN],
      workspace: ${workspace}, sandbox: { use: ${use}${image}${settings} } }\n`,
      env: Object.assign(env, { ...CLIENT, GIVEN: 'given' }),
      ...(managementPort !== undefined && { managementPort }),
      prepare(folder) {
        repository(folder);
        prepare?.(folder);
      },
    });
  }

  for (const workspace of ['clone', 'worktree']) {
    sandboxed(`${workspace}: of ${SECRETS} planted secrets none can be read inside`, async () => {
      let count = 0;
      const next = () => marker(++count);
      const home: Record<string, string> = {};
      for (const name of `.ssh/id_ed25519 .aws/credentials .netrc .git-credentials .npmrc .config/gh/hosts.yml .docker/config.json
        .claude/.credentials.json .codex/auth.json .bash_history`.split(/\s+/))
        home[name] = next();
      const env: Record<string, string> = {};
      for (const name of `GITHUB_TOKEN AWS_SECRET_ACCESS_KEY NPM_TOKEN SLACK_BOT_TOKEN GITHUB_WEBHOOK_SECRET DATABASE_URL`.split(
        ' ',
      ))
        env[name] = next();
      const abstract = `\0hookctl-test-${process.pid}-${workspace}`;
      await listenAt(abstract, next());
      const tcp = (await listenAt(0, next())).address() as AddressInfo;
      const files: string[] = [];
      const plant = (path: string) => {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, next());
        files.push(path);
      };
      const engine = await start('', {
        workspace,
        env,
        prepare(folder) {
          env.HOME = join(folder, '../home');
          for (const [name, text] of Object.entries(home)) {
            const path = join(folder, '../home', name);
            mkdirSync(dirname(path), { recursive: true });
            writeFileSync(path, text);
            files.push(path);
          }
          for (const name of ['token', 'secret', 'runs/old.log', 'webhooks.json.bak', 'claude/mcp.json'])
            plant(join(folder, '.hookctl', name));
          for (const name of ['.env', 'notes.txt', 'code/.env', 'code/.git/hookctl-secret'])
            plant(join(folder, name));
          appendFileSync(join(folder, 'webhooks.yml'), `# ${next()}\n`);
          files.push(join(folder, 'webhooks.yml'));
          git(join(folder, 'code'), 'remote', 'add', 'origin', `https://user:${next()}@example.invalid/o/r`);
          files.push(join(folder, 'code/.git/config'));
        },
      });
      // Another conversation's checkout, with a file that is in no commit.
      const other = await engine.ended(
        (await engine.task('Other\nsh: true', { externalId: 'x:2' })).id,
        PATIENCE_MS,
      );
      plant(join(other.folder ?? '', 'draft'));
      plant(join(engine.workspaces.list()[0]?.path ?? '', '../beside'));
      const socket = join(engine.folder, 'agent.sock');
      await listenAt(socket, next());
      expect(count).toBe(SECRETS);

      const targets = [
        `{path:"${socket}"}`,
        `{path:"\\0${abstract.slice(1)}"}`,
        `{port:${tcp.port},host:"127.0.0.1"}`,
      ];
      const sockets = node(
        `for (const to of [${targets.join(',')}]) require("net").connect(to).on("data",d=>console.log(String(d))).on("error",e=>console.log("no",e.code))`,
      );
      const said = await resultOf(
        engine,
        [
          'echo begin',
          'env',
          'cat /proc/*/environ | tr "\\0" "\\n"',
          ...files.map((path) => `cat "${path}" 2>/dev/null`),
          'git config --list; git stash list; git -C .. status',
          `grep -rah PLANTED /tmp /run /etc /root /home /var ${engine.folder} ${join(engine.folder, '..')} 2>/dev/null | head -c 20000`,
          sockets,
          'echo end',
        ].join('; '),
      );
      expect(said).toContain('begin');
      expect(said).toContain('GIVEN=given');
      expect(said).toMatch(/no \w+\n[\s\S]*end/);
      const seen = Array.from({ length: SECRETS }, (_, index) => marker(index + 1)).filter((each) =>
        said.includes(each),
      );
      expect(seen).toEqual([]);
    });

    sandboxed(`${workspace}: git commits inside, and cannot change what git outside would run`, async () => {
      const engine = await start('', { workspace });
      const code = join(engine.folder, 'code');
      const said = await resultOf(
        engine,
        `echo x > new; git add new; git -c user.name=A -c user.email=a@b commit -qm New && git log -1 --format=%s;
         touch /etc/x /usr/x /x 2>&1 | grep -c Read-only; echo leaked > ${code}/README; true`.replace(
          /\n\s*/g,
          ' ',
        ),
      );
      expect(said).toContain('New\n3\n');
      expect(readFileSync(join(code, 'README'), 'utf8')).toBe('one\n');
      const branch = engine.workspaces.list()[0]?.branch ?? '';
      expect(git(code, 'log', '-1', '--format=%s', branch)).toBe('New');
      const config = readFileSync(join(code, '.git/config'), 'utf8');
      await resultOf(
        engine,
        `git config core.fsmonitor evil; d=$(git rev-parse --git-common-dir); echo evil > $d/hooks/post-checkout; rm -f .git/config.worktree; true`,
        'x:2',
      );
      expect(readFileSync(join(code, '.git/config'), 'utf8')).toBe(config);
      expect(existsSync(join(code, '.git/hooks/post-checkout'))).toBe(false);
    });
  }

  sandboxed('network none has no way out; its home stays from run to run', async () => {
    const engine = await start();
    const { port } = (await listenAt(0, 'reached')).address() as AddressInfo;
    const connect = (to: string) =>
      node(`require("net").connect(${to}).on("data",console.log).on("error",e=>console.log(e.code))`);
    const said = await resultOf(
      engine,
      `echo kept > $HOME/kept; ls /sys 2>&1 | head -1; ${connect(`${port},"127.0.0.1"`)}; ${connect('443,"192.0.2.1"')}`,
    );
    expect(said).toContain('ECONNREFUSED\nENETUNREACH');
    expect(await resultOf(engine, 'cat $HOME/kept', 'x:2')).toContain('kept');
  });

  sandboxed('network proxy leads to the listed hosts alone, and says which it refused', async () => {
    const web = createHttpServer((_, response) => response.end('reached'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', () => resolve()));
    onTestFinished(() => void web.close());
    const { port } = web.address() as AddressInfo;
    const other = (await listenAt(0, 'HTTP/1.1 200 OK\r\n\r\nreached')).address() as AddressInfo;
    const engine = await start(`, network: proxy, hosts: ["127.0.0.1:${port}", example.invalid]`);
    const tunnel = (to: string) =>
      node(
        `require("http").request({port:3128,method:"CONNECT",path:"${to}"}).on("connect",(r,s)=>{console.log("${to}",r.statusCode);if(r.statusCode===200)s.end("GET / HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n");s.on("data",d=>console.log(String(d).split("\\r\\n\\r\\n").pop()));s.resume()}).end()`,
      );
    const plain = (to: string) =>
      node(
        `require("http").get({port:3128,path:"http://${to}/"},r=>{console.log("plain",r.statusCode);r.pipe(process.stdout)})`,
      );
    const hosts = [
      `127.0.0.1:${port}`,
      `127.0.0.1:${other.port}`,
      'example.com:443',
      'example.invalid:443',
      'localhost:22',
    ];
    const { id } = await engine.task(
      `A\nsh: echo $HTTPS_PROXY; ${hosts.map(tunnel).join('; ')}; ${plain(`127.0.0.1:${port}`)}; ${plain(`127.0.0.1:${other.port}`)}; ${node(`fetch("http://127.0.0.1:${port}/").then(r=>r.text()).then(t=>console.log("direct",t))`)}`,
    );
    const run = await engine.ended(id, PATIENCE_MS);
    const said = engine.context.store.task(id)?.result ?? '';
    expect(said).toContain('http://127.0.0.1:3128');
    expect(said).toContain(`127.0.0.1:${port} 200\nreached`);
    for (const refused of hosts.slice(1)) expect(said).toContain(`${refused} 403`);
    expect(said).toMatch(/plain 200\nreached[\s\S]*plain 403/);
    expect(said).toContain('direct reached');
    const log = readFileSync(run.logPath ?? '', 'utf8');
    expect(log).toContain('the sandbox refused example.com:443: it is not in sandbox.hosts');
    expect(log).toContain('the sandbox refused example.invalid:443: its name leads nowhere');
  });

  sandboxed('hookctl’s own tools are reached through a socket', async () => {
    const web = createHttpServer((request, response) => response.end(`tools ${request.headers.host}`));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', () => resolve()));
    onTestFinished(() => void web.close());
    const { port } = web.address() as AddressInfo;
    const engine = await start('', { managementPort: port });
    const ask = node(`fetch("http://127.0.0.1:${port}/mcp").then(r=>r.text()).then(console.log)`);
    expect(await resultOf(engine, ask)).toContain(`tools 127.0.0.1:${port}`);
  });

  sandboxed('git asks for credentials of the listed hosts alone', async () => {
    const env: Record<string, string> = {};
    const engine = await start(', credentials: [git.example]', {
      env,
      prepare(folder) {
        env.HOME = join(folder, '..');
        writeFileSync(
          join(folder, '..', '.gitconfig'),
          `[credential]\n\thelper = store --file=${folder}/passwords\n`,
        );
        writeFileSync(
          join(folder, 'passwords'),
          'https://me:pass-1@git.example\nhttps://me:pass-2@other.example\n',
        );
      },
    });
    const fill = (host: string) =>
      `printf "protocol=https\\nhost=${host}\\n\\n" | GIT_TERMINAL_PROMPT=0 git credential fill 2>&1 | grep -c pass-`;
    const said = await resultOf(
      engine,
      `${fill('git.example')}; ${fill('other.example')}; git ls-remote --get-url git@git.example:o/r`,
    );
    expect(said).toContain('1\n0\n');
    expect(said).toContain('https://git.example/o/r');
  });

  sandboxed('a cancelled run ends in order inside, and nothing of it is left', async () => {
    const engine = await start();
    const script = `trap "echo ending > ended; exit 9" TERM; (setsid sleep 300 &) ; echo $$ > started; while true; do sleep 0.05; done`;
    const task = await engine.task(`A\nsh: ${script}`);
    const path = await eventually('the run to begin', () => {
      const found = engine.workspaces.list()[0]?.path;
      return found !== undefined && existsSync(join(found, 'started')) ? found : null;
    });
    const { pid, id: runId } = engine.context.store.runsOfTask(task.id)[0] ?? { pid: null, id: '' };
    const { changeTask } = await import('../../src/tasks/transition.ts');
    await changeTask(engine.context, task.id, 'cancel', { actor: 'cli' }, engine.folder);
    engine.scheduler.wake();
    expect((await engine.ended(task.id, PATIENCE_MS)).state).toBe('cancelled');
    expect(readFileSync(join(path, 'ended'), 'utf8')).toBe('ending\n');
    expect(isAlive(pid ?? 0)).toBe(false);
    if (use === 'bwrap') return;
    const left = spawnSync(use, ['ps', '--all', '--quiet', '--filter', `name=hookctl-${runId}`]);
    expect(String(left.stdout)).toBe('');
  });

  sandboxed('beyond its memory or its processes the run is ended and says why', async () => {
    const engine = await start(', memory: 300MB, processes: 20');
    expect(
      await resultOf(
        engine,
        `${node('const all=[];setInterval(()=>all.push(Buffer.alloc(2e7,1)),20)')}; echo status $?`,
      ),
      // The kernel may be first where a container has a limit of its own.
    ).toMatch(/more than 300 MB of memory: the run is ended|status 137/);
    expect(await resultOf(engine, 'for i in $(seq 40); do sleep 60 & done; wait', 'x:2')).toContain(
      'more than 20 processes: the run is ended',
    );
  });
});
