import { beforeAll, expect, test } from 'vitest';
import type { SettledView } from '../../src/server/operations.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile } from '../support/sandbox.ts';
import { serverForFile } from '../support/server.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await sandboxForFile();
  const add = ['webhook', 'add', 'github', '--name', 'bugs'];
  await tellJson(sandbox, ...add);
  const command = ['webhook', 'command', 'add', 'bugs', '--template', '{{@event.title}}'];
  await tellJson(sandbox, ...command, '--trigger', 'issues.opened');
  await tellJson(sandbox, ...command, '--text-name', 'triage');
  await tellJson(sandbox, 'webhook', 'edit', 'bugs', '--default-command', 'triage');
  await serverForFile(sandbox);
});

const trigger = (...args: readonly string[]) => tellJson<SettledView>(sandbox, 'trigger', ...args);
const commands = ({ delivery }: SettledView) =>
  delivery.decisions.filter(({ fired }) => fired).map(({ command }) => command);

test('E23: a sample makes the task of its trigger and no other; text commands fire only with --text', async () => {
  expect(commands(await trigger('bugs', 'issues.opened'))).toHaveLength(1);
  expect(commands(await trigger('bugs', 'issues.opened', '--text', '@agent triage it'))).toHaveLength(2);
  for (const type of ['issues.opened', 'issue_comment.created', 'pull_request.opened']) {
    const { delivery, tasks } = await trigger('github', type);
    expect([type, delivery.status, tasks]).toEqual([type, 'ignored', []]);
  }
  expect(commands(await trigger('github', 'issue_comment.created', '--text', '@agent plan it'))).toEqual([
    'plan',
  ]);
});

test('E23: a sample that commands nothing says how to write a command', async () => {
  const { code, stderr } = await tell(sandbox, 'trigger', 'github', 'issue_comment.created');
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining("hookctl trigger github issue_comment.created --text '@agent analyze'"),
  ]);
  expect((await tell(sandbox, 'trigger', 'github', 'push')).stderr).not.toContain('--text');
});

test('E25: an event that the provider has no sample of is refused with what was meant', async () => {
  for (const [type, meant] of [
    ['issue.opened', 'issues.opened'],
    ['issue_comment.create', 'issue_comment.created'],
    ['pul_request.opened', 'pull_request.opened'],
  ] as const) {
    const { code, stderr } = await tell(sandbox, 'trigger', 'github', type);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`Did you mean ${meant}?`)]);
  }
  const { code, stderr } = await tell(sandbox, 'trigger', 'bgus', 'issues.opened');
  expect([code, stderr]).toEqual([2, expect.stringContaining('Did you mean bugs?')]);
});
