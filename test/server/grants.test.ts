import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { tell } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { readStore, type Server, serverForTest, startHumanServe } from '../support/server.ts';

const PROGRAM = '/bin/true';
const hook = (options: string) => `
import { defineWebhook } from 'hookctl';
export default defineWebhook({ name: 'deploy', provider: 'github', commands: [
  { trigger: 'push', action: 'run', options: ${options} }, { name: 'look' },
] });
`;
/** What was allowed at the last start, or at the last reload that changed it. */
const allowed = (sandbox: Sandbox) =>
  readStore(sandbox, (reader) => reader.audit().find(({ details }) => 'allowed' in details))?.details.allowed;
const granted = (server: Server) => server.lines()[0]?.granted;

test('permissions: a start says what may run, post or start an agent that could not before, once', async () => {
  const sandbox = await sandboxForTest({
    files: {
      'webhooks.yml': 'static: ./hooks/*.ts\n',
      'hooks/deploy.ts': hook(`{ program: '${PROGRAM}', args: ['--token', 'not-to-be-told'] }`),
    },
  });
  const first = await serverForTest(sandbox);
  expect(granted(first)).toEqual([
    { target: 'slack/help', says: 'posts (respond)' },
    { target: 'deploy/trigger:1', says: `runs ${PROGRAM}` },
  ]);
  await first.stop();
  const again = await serverForTest(sandbox);
  expect(granted(again)).toEqual([]);
  await again.stop();

  // Other arguments are another thing that runs.
  await sandbox.write('hooks/deploy.ts', hook(`{ program: '${PROGRAM}', args: ['--all'] }`));
  await sandbox.write(
    'webhooks.yml',
    'static: ./hooks/*.ts\nagents: { planning: { use: command, program: /bin/true } }\n',
  );
  const human = await startHumanServe(sandbox);
  expect(human.stderr()).toContain(`new since the last start: deploy/trigger:1 runs ${PROGRAM}`);
  expect(human.stderr()).toContain('new since the last start: agent planning starts command');
  human.child.kill();
  await human.ended;

  await sandbox.write(
    'hooks/deploy.ts',
    hook(`{ program: '${PROGRAM}', args: ['--all'] }`)
      .replace("'run'", "'create_task'")
      .replace(/options: .*} }/, '}'),
  );
  const last = await serverForTest(sandbox);
  expect(granted(last)).toEqual([]);
  expect(allowed(sandbox)).toEqual([
    'slack/help posts (respond)',
    expect.stringMatching(/^agent planning starts command \[[0-9a-f]{16}\]$/),
  ]);
  expect(readStore(sandbox, (reader) => JSON.stringify(reader.audit({ limit: 500 })))).not.toContain(
    'not-to-be-told',
  );
});

test('permissions: a reload says it, too', async () => {
  const sandbox = await sandboxForTest();
  const server = await serverForTest(sandbox);
  await tell(sandbox, 'webhook', 'add', 'github', '--name', 'triage');
  const urls = JSON.stringify(['https://user:pass-word@hooks.example.com/secret-path']);
  const command = ['--trigger', 'push', '--action', 'forward', '--option', `urls=${urls}`];
  const { code, stderr } = await tell(sandbox, 'webhook', 'command', 'add', 'triage', ...command);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const line = await eventually('the line', () => server.lines().find(({ of }) => of === 'grants'));
  const says = 'forwards to hooks.example.com';
  expect(line).toMatchObject({
    state: 'added',
    granted: [{ target: expect.stringMatching(/^triage\/cmd-/), says }],
  });
  const recorded = expect.stringMatching(new RegExp(`^triage/cmd-\\S+ ${says} \\[[0-9a-f]{16}\\]$`));
  await eventually('its line', () => String(allowed(sandbox)).includes('triage'));
  expect(allowed(sandbox)).toEqual(['slack/help posts (respond)', recorded]);
  expect(JSON.stringify(line)).not.toMatch(/pass-word|secret-path/);

  await tell(sandbox, 'webhook', 'remove', 'triage');
  await eventually('its removal', () => !String(allowed(sandbox)).includes('triage'));
});

test('audit: a start tells how far it opened the door', async () => {
  const sandbox = await sandboxForTest();
  await serverForTest(
    sandbox,
    '--insecure-no-verify',
    'github',
    '--public-url',
    'https://me:pass-word@example.com/path',
  );
  const [line] = readStore(sandbox, (reader) => reader.audit({ what: 'serve.start' }));
  expect(line?.details).toMatchObject({ insecure_no_verify: ['github'], public_host: 'example.com' });
  expect(line?.actor.kind).toBe('cli');
  expect(JSON.stringify(line)).not.toContain('pass-word');
});
