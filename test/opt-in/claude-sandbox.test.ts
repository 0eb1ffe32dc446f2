import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { TaskView } from '../../src/views.ts';
import { repository } from '../agents/repository.ts';
import { eventually } from '../support/eventually.ts';
import { tellJson } from '../support/in-process.ts';
import { sandboxForTest } from '../support/sandbox.ts';
import { readStore, serverForTest } from '../support/server.ts';
import { claudeEnv } from './claude-session.ts';
import { startMessagesApi } from './messages-api.ts';

const works =
  spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-all', '--proc', '/proc', 'true']).status === 0;

test.skipIf(!works)(
  'Claude Code in bubblewrap: it reaches its model and hookctl’s tools alone, commits, and is resumed',
  async () => {
    const api = await startMessagesApi([
      {
        calls: [
          { name: 'ToolSearch', input: { query: 'select:mcp__hookctl__get_task', max_results: 1 } },
          { name: 'mcp__hookctl__get_task', input: {} },
          {
            name: 'Bash',
            input: { command: 'echo x > new && git add new && git commit -qm New && ls ~ /home /root' },
          },
        ],
        says: 'First.',
      },
      { calls: [], says: 'Second.' },
    ]);
    onTestFinished(() => api.close());
    const { PATH: _path, HOME: _home, CLAUDE_CONFIG_DIR: _dir, ...model } = claudeEnv('', '', api);
    const { host } = new URL(api.url);
    const sandbox = await sandboxForTest({
      env: model,
      files: {
        'webhooks.yml': `agents:
  brain:
    use: claude
    program: "${inject('claude')}"
    model: claude-sonnet-4-5
    timeout: 2m
    cwd: code
    allowedTools: [Bash, ToolSearch]
    sandbox: { use: bwrap, network: proxy, hosts: ["${host}"] }\n`,
      },
    });
    repository(sandbox.project);
    await serverForTest(sandbox);
    const ask = async () => {
      const args = ['task', 'create', 'Look at it', '--agent', 'brain', '--external-id', 'x:1'];
      const { id } = await tellJson<TaskView>(sandbox, ...args);
      return eventually(
        'the run to end',
        () => readStore(sandbox, (store) => store.runsOfTask(id).find(({ endedAt }) => endedAt !== null)),
        120_000,
      );
    };
    const first = await ask();
    const said = await readFile(first.logPath ?? '', 'utf8');
    expect([first.state, first.reason, said.includes('First.')]).toEqual(['completed', null, true]);
    expect(api.results.join('\n')).toContain(first.taskId);
    const second = await ask();
    expect([second.state, second.sessionId]).toEqual(['completed', first.sessionId]);
    const listed = await tellJson<{ unshipped: string[]; path: string }[]>(sandbox, 'workspace', 'list');
    expect(listed.map(({ unshipped }) => unshipped.length)).toEqual([1]);
    expect(second.folder).toBe(listed[0]?.path);
    expect(second.openWith).toContain(
      `CLAUDE_CONFIG_DIR=${join(listed[0]?.path ?? '', '../../homes/brain/.claude')}`,
    );
  },
);
