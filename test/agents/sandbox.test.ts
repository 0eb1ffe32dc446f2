import { expect, test } from 'vitest';
import { containerCommand, type SandboxPlan } from '../../src/agents/sandbox/command-lines.ts';
import { sandboxIssues, sandboxLacks } from '../../src/agents/sandbox/sandbox.ts';
import { sandboxSchema } from '../../src/agents/sandbox/settings.ts';
import { repository } from './repository.ts';
import { startAgents } from './support.ts';

test('docker and podman get the same room: no network, no capabilities, read-only, secrets in no argument', async () => {
  const settings = sandboxSchema.parse({
    use: 'docker',
    image: 'agents:1',
    network: 'proxy',
    hosts: ['api.example'],
    memory: '2GB',
  });
  const plan: SandboxPlan = {
    ...{ settings, sockets: '/tmp/s', managementPort: 8001, home: '/w/homes/brain', name: 'hookctl-run-1' },
    ...{
      hostEnv: { PATH: '/usr/bin', HOME: '/root', DOCKER_HOST: 'unix:///d.sock', OTHER: 'x' },
      projectFolder: '/p',
    },
    mounts: [
      { path: '/w/one/code', as: 'write' },
      { path: '/p/code/.git/objects', as: 'read' },
    ],
  };
  const env = {
    PATH: '/home/me/bin',
    HOME: '/home/me',
    ANTHROPIC_API_KEY: 'sk-secret',
    CODEX_HOME: '/root/.codex',
  };
  const made = await containerCommand(plan, { program: 'claude', args: ['-p'], env, folder: '/w/one/code' });
  const line = made.args.join(' ');
  expect(made.program).toBe('docker');
  for (const part of [
    'run --rm --interactive --name hookctl-run-1 --network none --read-only',
    '--cap-drop ALL --security-opt no-new-privileges',
    `--memory ${2 * 1024 ** 3} --memory-swap ${2 * 1024 ** 3} --pids-limit 4000`,
    '--volume /w/one/code:/w/one/code --volume /p/code/.git/objects:/p/code/.git/objects:ro',
    '--volume /tmp/s:/run/hookctl:ro --workdir /w/one/code',
    '--env HOME=/w/homes/brain --env ANTHROPIC_API_KEY',
    '--entrypoint node agents:1 /run/hookctl/inside.mjs',
  ])
    expect(line).toContain(part);
  expect(line).not.toContain('sk-secret');
  expect(made.env).toMatchObject({
    ANTHROPIC_API_KEY: 'sk-secret',
    DOCKER_HOST: 'unix:///d.sock',
    PATH: '/usr/bin',
  });
  expect(made.env).not.toHaveProperty('OTHER');
  expect(line).not.toContain('CODEX_HOME');
  const podman = await containerCommand(
    { ...plan, settings: { ...settings, use: 'podman' } },
    { program: 'claude', args: [], env, folder: '/' },
  );
  // Root is root there anyway, and podman refuses to keep its id.
  expect(podman.args.includes('keep-id')).toBe(process.getuid?.() !== 0);
});

test('settings that make no sense together are refused, each with its field', () => {
  const issues = (settings: object, use = 'clone') =>
    sandboxIssues(sandboxSchema.parse({ use: 'bwrap', ...settings }), use, '/p/.hookctl').map(({ path }) =>
      path.join('.'),
    );
  expect(issues({})).toEqual([]);
  expect(issues({}, 'shared')).toEqual(['workspace']);
  expect(issues({ use: 'docker' })).toEqual(['sandbox.image']);
  expect(issues({ network: 'proxy' })).toEqual(['sandbox.hosts']);
  expect(issues({ hosts: ['api.example'] })).toEqual(['sandbox.network']);
  expect(issues({ mounts: ['/p', '/p/.hookctl/runs', '/q'] })).toEqual(['sandbox.mounts', 'sandbox.mounts']);
});

test('what the machine lacks is said, and tasks wait for it', async () => {
  const settings = sandboxSchema.parse('podman');
  expect((await sandboxLacks(settings, { PATH: '/nowhere' }))?.message).toBe(
    'there is no program podman for its sandbox',
  );
  const engine = await startAgents({
    yaml: 'agents: { brain: { use: command, program: ./sh-agent, cwd: code, sandbox: { use: podman, image: none } } }\n',
    env: { PATH: '/nowhere' },
    prepare: repository,
  });
  expect(engine.configuration.agents.missing.map(({ message }) => message)).toEqual([
    'there is no program podman for its sandbox, so its tasks wait',
  ]);
  const task = await engine.task('A');
  const { store } = engine.context;
  await expect
    .poll(() => store.runsOfTask(task.id)[0]?.reason)
    .toBe('there is no program podman for its sandbox');
});
