import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { SAMPLE_HEADER, sampleProof } from '../../src/deliveries/verify.ts';
import type { DispatchView } from '../../src/server/api/deliveries.ts';
import { currentHolder } from '../../src/store/local/lock.ts';
import type { PrunedTasks } from '../../src/tasks/prune.ts';
import type { DeliveryView } from '../../src/views.ts';
import { eventually } from '../support/eventually.ts';
import { comment, signedPost } from '../support/github.ts';
import { tell, tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForFile, taskFiles } from '../support/sandbox.ts';
import { readStore, type Server, serverForFile, settled } from '../support/server.ts';

let sandbox: Sandbox;
let server: Server;
beforeAll(async () => {
  const yaml = 'agents: { slow: { use: command, program: ./slow } }\n';
  sandbox = await sandboxForFile({ files: { 'webhooks.yml': yaml, slow: '#!/bin/sh\nexec sleep 60\n' } });
  chmodSync(join(sandbox.project, 'slow'), 0o755);
  const add = ['webhook', 'add', 'github', '--name', 'bugs'];
  await tellJson(sandbox, ...add);
  const command = ['webhook', 'command', 'add', 'bugs', '--template', '{{@event.title}}'];
  await tellJson(sandbox, ...command, '--trigger', 'issues.opened');
  await tellJson(sandbox, ...command, '--trigger', 'pull_request.opened', '--agent', 'slow');
  await tellJson(sandbox, ...command, '--text-name', 'triage');
  await tellJson(sandbox, 'webhook', 'edit', 'bugs', '--default-command', 'triage');
  server = await serverForFile(sandbox);
});

const trigger = (...args: readonly string[]) => tellJson<DispatchView>(sandbox, 'trigger', ...args);
const commands = ({ delivery }: DispatchView) =>
  delivery.decisions.filter(({ fired }) => fired).map(({ command }) => command);

test('trigger: a sample creates only its trigger’s task; text commands need --text', async () => {
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

test('trigger: a sample without a command prints how to give one', async () => {
  const { code, stderr } = await tell(sandbox, 'trigger', 'github', 'issue_comment.created');
  expect([code, stderr]).toEqual([
    0,
    expect.stringContaining("hookctl trigger github issue_comment.created --text '@agent analyze'"),
  ]);
  expect((await tell(sandbox, 'trigger', 'github', 'push')).stderr).not.toContain('--text');
});

test('trigger: an event without a sample gets a suggestion', async () => {
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

test('trigger: samples and their replays are marked; no sender can set the mark', async () => {
  const { delivery, tasks } = await trigger('bugs', 'issues.opened');
  expect([delivery.sample, tasks.map(({ sample }) => sample)]).toEqual([true, [true]]);
  const [replayed] = await tellJson<DispatchView[]>(sandbox, 'replay', delivery.id);
  expect([replayed?.delivery.sample, replayed?.tasks[0]?.sample]).toEqual([true, true]);
  const { stdout: exported } = await tell(sandbox, 'delivery', 'show', delivery.id, '--json');
  await sandbox.write('sample.json', exported);
  const [fromFile] = await tellJson<DispatchView[]>(sandbox, 'replay', join(sandbox.project, 'sample.json'));
  expect([fromFile?.delivery.sample, fromFile?.tasks[0]?.sample]).toEqual([true, true]);
  for (const [noun, id] of [
    ['delivery', delivery.id],
    ['task', tasks[0]?.id ?? ''],
  ] as const) {
    expect((await tell(sandbox, noun, 'show', id)).stdout).toMatch(/^sample +made by `hookctl trigger`$/m);
  }

  const key = currentHolder(sandbox.dataFolder)?.server?.relayKey ?? '';
  const claims = [
    '1',
    'true',
    '',
    key,
    sampleProof(Buffer.from('another body'), key),
    sampleProof(Buffer.from('{}'), ''),
  ];
  for (const claim of claims) {
    const payload = comment('@agent analyze', { issue: 77 });
    const { id } = await signedPost(server.url, payload, { headers: { [SAMPLE_HEADER]: claim } });
    expect((await settled(sandbox, id)).isSample, claim).toBe(false);
    const shown = await tellJson<DeliveryView & { headers: object }>(sandbox, 'delivery', 'show', id);
    expect([shown.sample, Object.keys(shown.headers)]).toEqual([
      false,
      expect.not.arrayContaining([SAMPLE_HEADER]),
    ]);
  }
});

test('task prune --samples: the server removes only samples, with their entries', async () => {
  const ran = (await trigger('bugs', 'pull_request.opened')).tasks[0]?.id ?? '';
  expect((await tell(sandbox, 'task', 'approve', ran)).code).toBe(0);
  const log = await eventually('its run to go on', () =>
    readStore(sandbox, (reader) => {
      const [run] = reader.runsOfTask(ran);
      return run?.state === 'running' ? run.logPath : null;
    }),
  );
  const { tasks } = await trigger('bugs', 'issues.opened');
  const sample = readStore(sandbox, (reader) => reader.task(tasks[0]?.id ?? '')) ?? undefined;
  expect(await taskFiles(sandbox, sample)).toMatchObject({ record: {}, entry: {} });
  const { id } = await signedPost(server.url, comment('@agent analyze', { issue: 78 }));
  await settled(sandbox, id);
  const all = await tellJson<{ id: string; sample: boolean }[]>(sandbox, 'task', 'list', '--limit', '500');
  const samples = all.filter((task) => task.sample);
  const pruned = await tellJson<PrunedTasks>(sandbox, 'task', 'prune', '--samples', '--yes');
  expect(pruned).toEqual({ tasks: samples.length, cancelled: samples.length, kept: [] });
  const left = await tellJson<{ id: string }[]>(sandbox, 'task', 'list', '--limit', '500');
  expect(left.map((task) => task.id)).toEqual(all.filter((task) => !task.sample).map((task) => task.id));
  expect(await taskFiles(sandbox, sample)).toMatchObject({ record: null, entry: null });
  expect([existsSync(log), readStore(sandbox, (reader) => reader.openRuns())]).toEqual([false, []]);
  expect((await tell(sandbox, 'task', 'show', sample?.id ?? '')).code).toBe(4);
  const lines = readStore(sandbox, (reader) => reader.audit({ what: 'task.prune' }));
  expect(lines).toMatchObject([{ details: { samples: true, before: null, tasks: samples.length } }]);
});
