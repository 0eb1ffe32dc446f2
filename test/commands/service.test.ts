import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchdPlist, type ServiceSpec, systemdUnit } from '../../src/cli/service/units.ts';
import { tellWith } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';

const PORTS = 'ingress: { port: 0 }\nmanagement: { port: 0 }\n';

/** A systemd of shell scripts: notes each call, and keeps what it was told in files. */
const SYSTEMCTL = `#!/bin/sh
echo "systemctl $*" >> "$STATE/calls"
case "$*" in
  *daemon-reload*) test ! -e "$STATE/nobus" || { echo 'Failed to connect to bus: No medium found' >&2; exit 1; } ;;
  *restart*) echo active > "$STATE/active" ;;
  *disable*) rm -f "$STATE/active" ;;
  *show*) if [ -e "$STATE/failed" ]; then printf 'ActiveState=failed\\nSubState=failed\\nMainPID=0\\nNRestarts=0\\nExecMainStatus=3\\nExecMainExitTimestampMonotonic=1\\n'
    elif [ -e "$STATE/active" ]; then printf 'ActiveState=active\\nSubState=running\\nMainPID=4711\\nNRestarts=2\\nExecMainStatus=0\\nExecMainExitTimestampMonotonic=0\\n'
    else printf 'ActiveState=inactive\\nSubState=dead\\nMainPID=0\\nNRestarts=0\\nExecMainStatus=0\\nExecMainExitTimestampMonotonic=1\\n'; fi ;;
esac
`;
const LOGINCTL = `#!/bin/sh
echo "loginctl $*" >> "$STATE/calls"
case "$*" in *show-user*) cat "$STATE/linger" ;; *enable-linger*) echo yes > "$STATE/linger" ;; *disable-linger*) echo no > "$STATE/linger" ;; esac
`;
const LAUNCHCTL = `#!/bin/sh
echo "launchctl $*" >> "$STATE/calls"
case "$1" in
  bootstrap|kickstart) echo active > "$STATE/active" ;;
  bootout) rm -f "$STATE/active" ;;
  print) test -e "$STATE/active" || exit 113; printf '\\tstate = running\\n\\tpid = 4711\\n\\tlast exit code = 0\\n' ;;
esac
`;

interface Scene {
  readonly sandbox: Sandbox;
  readonly state: string;
  readonly env: Record<string, string>;
  readonly calls: () => readonly string[];
  readonly run: (...args: readonly string[]) => ReturnType<typeof tellWith>;
}

async function scene(): Promise<Scene> {
  const sandbox = await sandboxForTest({
    files: { 'webhooks.yml': `${PORTS}webhooks: { jira: { secretEnv: MY_JIRA } }\n` },
  });
  const [bin, state] = [join(sandbox.root, 'bin'), join(sandbox.root, 'state')];
  for (const folder of [bin, state]) mkdirSync(folder);
  writeFileSync(join(state, 'linger'), 'no\n');
  const programs = {
    systemctl: SYSTEMCTL,
    loginctl: LOGINCTL,
    launchctl: LAUNCHCTL,
    journalctl: '#!/bin/sh\necho "journal: $*"\n',
  };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(bin, name), text.replaceAll('$STATE', state));
    chmodSync(join(bin, name), 0o755);
  }
  const env = {
    PATH: `${bin}:${sandbox.env.PATH}`,
    GITHUB_TOKEN: "it's a token",
    MY_JIRA: 'jira-secret-0123456789',
  };
  return {
    ...{ sandbox, state, env },
    calls: () => readFileSync(join(state, 'calls'), 'utf8').trim().split('\n'),
    run: (...args) => tellWith(sandbox, { env }, 'service', ...args),
  };
}

const nameOf = (text: string) => /hookctl-[a-z0-9-]*[0-9a-f]{6}/.exec(text)?.[0] ?? '';

test('service: systemd runs it, without secrets in the unit, and forgets it again', async () => {
  const { sandbox, state, calls, run } = await scene();
  const none = await run('status', '--manager', 'systemd');
  expect([none.code, none.stderr]).toEqual([4, expect.stringContaining('hookctl service install')]);

  const printed = await run('install', '--manager', 'systemd', '--print', '--', '--tunnel', 'cloudflared');
  expect([printed.code, existsSync(join(state, 'calls'))]).toEqual([0, false]);
  expect(printed.stdout).toContain('RestartPreventExitStatus=2 3');

  // The server that the manager starts is this one.
  writeFileSync(join(state, 'active'), '');
  mkdirSync(join(sandbox.home, '.config/systemd/user'), { recursive: true });
  await serveHere(sandbox, ['--json'], { env: { ...sandbox.env, MY_JIRA: 'jira-secret-0123456789' } });
  const file = join(
    sandbox.home,
    '.config/systemd/user',
    `${nameOf((await run('install', '--manager', 'launchd', '--print')).stdout)}.service`,
  );
  writeFileSync(file, '');
  const installed = await run('install', '--manager', 'systemd', '--linger');
  expect([installed.code, installed.stdout], installed.stderr).toEqual([
    0,
    expect.stringContaining('pid 4711'),
  ]);
  expect(installed.stderr).toContain('undoes that');
  const unit = readFileSync(file, 'utf8');
  expect(unit).not.toContain('jira-secret');
  const secrets = join(sandbox.dataFolder, 'service.env');
  expect(statSync(secrets).mode & 0o777).toBe(0o600);
  const shown = execFileSync(
    process.execPath,
    [`--env-file=${secrets}`, '-p', 'process.env.MY_JIRA + "|" + process.env.GITHUB_TOKEN'],
    { env: {} },
  );
  expect(shown.toString().trim()).toBe("jira-secret-0123456789|it's a token");

  const status = await run('status', '--manager', 'systemd', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({
    active: true,
    state: 'active (running)',
    pid: 4711,
    restarts: 2,
  });
  const logs = await run('logs', '--manager', 'systemd', '--lines', '5');
  expect(logs.stdout).toContain('-n 5');
  expect((await run('restart', '--manager', 'systemd')).code).toBe(0);

  const removed = await run('uninstall', '--manager', 'systemd');
  expect([removed.code, existsSync(file)]).toEqual([0, false]);
  const words = calls().map((call) => call.replace(/hookctl-\S+/, 'NAME'));
  expect(words).toEqual(
    expect.arrayContaining([
      'systemctl --user enable NAME',
      'systemctl --user restart NAME',
      'loginctl enable-linger tester',
      'systemctl --user disable --now NAME',
      'loginctl disable-linger tester',
    ]),
  );
});

test('service: uninstall leaves the lingering that install did not switch on', async () => {
  const { sandbox, state, calls, run } = await scene();
  writeFileSync(join(state, 'linger'), 'yes\n');
  writeFileSync(join(state, 'active'), '');
  await serveHere(sandbox);
  const name = nameOf((await run('install', '--manager', 'launchd', '--print')).stdout);
  const folder = join(sandbox.home, '.config/systemd/user');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.service`), '');
  expect((await run('install', '--manager', 'systemd', '--linger')).code).toBe(0);
  expect((await run('uninstall', '--manager', 'systemd')).code).toBe(0);
  expect(calls().filter((call) => call.includes('able-linger'))).toEqual([]);
});

test('service: a mistake, a server that runs and a missing manager are refused before anything is written', async () => {
  const { sandbox, state, run } = await scene();
  writeFileSync(join(state, 'nobus'), '');
  const without = await run('install', '--manager', 'systemd');
  expect([without.code, without.stderr]).toEqual([
    1,
    expect.stringContaining('No service manager of this user runs'),
  ]);
  expect(existsSync(join(sandbox.home, '.config/systemd'))).toBe(false);
  const server = await serveHere(sandbox);
  const running = await run('install', '--manager', 'systemd');
  expect([running.code, running.stderr]).toEqual([
    1,
    expect.stringMatching(/works on .*\n.*End it first: kill/),
  ]);
  await server.stop();
  await sandbox.write('webhooks.yml', 'ingres: 1\n');
  const mistaken = await run('install', '--manager', 'systemd');
  expect([mistaken.code, mistaken.stderr]).toEqual([3, expect.stringContaining('ingres')]);
});

test('service: launchd runs it', async () => {
  const { sandbox, state, calls, run } = await scene();
  writeFileSync(join(state, 'active'), '');
  await serveHere(sandbox);
  const name = nameOf((await run('install', '--manager', 'launchd', '--print')).stdout);
  const folder = join(sandbox.home, 'Library/LaunchAgents');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.plist`), '');
  const installed = await run('install', '--manager', 'launchd');
  expect([installed.code, installed.stdout], installed.stderr).toEqual([
    0,
    expect.stringContaining('pid 4711'),
  ]);
  expect((await run('restart', '--manager', 'launchd')).code).toBe(0);
  expect((await run('uninstall', '--manager', 'launchd')).code).toBe(0);
  expect(existsSync(join(folder, `${name}.plist`))).toBe(false);
  expect(calls().map((call) => call.split(' ')[1])).toEqual(
    expect.arrayContaining(['bootout', 'bootstrap', 'kickstart', 'print']),
  );
});

const SPEC: ServiceSpec = {
  name: 'hookctl-a-000000',
  node: '/opt/my node/bin/node',
  program: '/opt/lib/100%/$x/hookctl.js',
  workingFolder: '/home/ada/my "shop"',
  envFile: '/home/ada/service.env',
  path: '/usr/bin:/bin',
  dataFolder: '/home/ada/a & b',
  args: ['--tunnel', 'cloudflared'],
  logFile: '/home/ada/service.log',
};

test.skipIf(spawnSync('systemd-analyze', ['--version']).error !== undefined)(
  'service: systemd’s own verifier takes the unit',
  async () => {
    const sandbox = await sandboxForTest();
    const file = join(sandbox.root, 'hookctl-a.service');
    const program = join(sandbox.root, 'a 100% $x program');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(
      file,
      systemdUnit({ ...SPEC, node: process.execPath, program, workingFolder: sandbox.root }),
    );
    const env = { ...process.env, XDG_RUNTIME_DIR: sandbox.root };
    const verified = spawnSync(
      'systemd-analyze',
      ['verify', '--user', '--recursive-errors=no', '--man=no', file],
      { env, encoding: 'utf8' },
    );
    expect([verified.status, verified.stderr]).toEqual([0, '']);
  },
);

test('service: both forms keep unusual paths as they are', () => {
  const unit = systemdUnit(SPEC);
  expect(unit).toContain(
    '"/opt/my node/bin/node" "--env-file-if-exists=/home/ada/service.env" "/opt/lib/100%%/$$x/hookctl.js" "serve"',
  );
  expect(Number(/TimeoutStopSec=(\d+)/.exec(unit)?.[1])).toBeGreaterThan(9.5);
  expect(launchdPlist(SPEC)).toContain('<string>/home/ada/a &amp; b</string>');
});

test('service: the shell of the launchd agent passes SIGTERM on and makes 0 of final statuses', async () => {
  const sandbox = await sandboxForTest();
  const words = (script: string) => {
    const plist = launchdPlist({ ...SPEC, node: '/bin/sh', args: [] });
    const [, wrapper = ''] = /<string>-c<\/string>\s*<string>([\s\S]*?)<\/string>/.exec(plist) ?? [];
    const text = wrapper.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
    return ['-c', text, 'hookctl-service', '/bin/sh', '-c', script];
  };
  const status = (script: string) => spawnSync('/bin/sh', words(script)).status;
  expect([0, 1, 2, 3, 4].map((code) => status(`exit ${code}`))).toEqual([0, 1, 0, 0, 4]);
  const done = join(sandbox.root, 'done');
  const slow = `trap 'echo ended > ${done}; exit 0' TERM; kill -TERM $PPID; while :; do sleep 0.05; done`;
  expect(status(slow)).toBe(0);
  expect(readFileSync(done, 'utf8')).toBe('ended\n');
});
