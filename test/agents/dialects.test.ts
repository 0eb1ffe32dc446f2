import { chmodSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentRunners, runnerNamed } from '../../src/agents/index.ts';
import type { AgentRunner, CommonOptions } from '../../src/agents/runner.ts';
import { folderForTest, installAgent, type Ran, runAgent, startAgents } from './support.ts';

/** A runner's agent in a folder of its own, with the prices of its model. */
function agentOf(name: string, more: object = {}) {
  const runner = runnerNamed(name);
  if (runner === null) throw new Error(`there is no runner ${name}`);
  const folder = folderForTest();
  const settings = { program: installAgent(folder), ...SESSION[name], ...more };
  const run = (prompt: string, earlier?: Ran) => {
    const session = earlier?.sessions.at(-1)?.[0] ?? null;
    const meter = earlier?.result.meter ?? [];
    return runAgent(runner, folder, settings, { prompt, session, meter, priceOf: tokensAt(1e-3) });
  };
  return { runner, run, folder };
}

const SESSION: Readonly<Record<string, object>> = {
  command: { args: ['--session-id={{session}}'], result: 'stdout' },
};

/** A dollar for a thousand tokens of any kind. */
function tokensAt(usd: number): Parameters<AgentRunner['start']>[0]['priceOf'] {
  return (tokens) =>
    tokens.reduce((sum, each) => sum + usd * (each.input + each.cached + each.cacheWrite + each.output), 0);
}

/** Tokens and dollars of one turn, as each program counts them. */
const TURN: Readonly<Record<string, object>> = {
  claude: { inputTokens: 1_100, outputTokens: 20, costUsd: 0.25, turns: 3 },
  codex: { inputTokens: 100, outputTokens: 20, costUsd: 0.12, turns: 1 },
  opencode: { inputTokens: 200, outputTokens: 40, costUsd: 0.2, turns: 2 },
  gemini: { inputTokens: 200, outputTokens: 50, costUsd: 0.25, turns: null },
  copilot: { inputTokens: 100, outputTokens: 20, costUsd: 0.12, turns: 1 },
  command: { inputTokens: null, outputTokens: null, costUsd: null, turns: null },
};

describe.each(agentRunners.map(({ name }) => name))('%s', (name) => {
  test('agents: the second run goes on in the session of the first, and counts its own tokens', async () => {
    const { run } = agentOf(name);
    const first = await run('do: answer One.');
    expect(first.result).toMatchObject({ state: 'completed', text: 'One.', usage: TURN[name] });
    const second = await run('do: answer Two.', first);
    expect(second.result).toMatchObject({ state: 'completed', text: 'Two.', usage: TURN[name] });
    expect(second.sessions.at(-1)).toEqual(first.sessions.at(-1));
    const [id, openWith] = second.sessions.at(-1) ?? [];
    expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{7,127}$/);
    if (name !== 'command') expect(openWith).toContain(id);
  });

  const byWords = name === 'command' ? 'failed' : null;
  test.each([
    ['401', 'unauthorized', 'no_login'],
    ['429', 'overloaded', 'rate_limited'],
    ['500', 'broken', 'failed'],
  ])('agents: an API that answers %s fails the run, and is told apart', async (status, why, cause) => {
    const { run } = agentOf(name);
    const { result } = await run(`do: refuse ${why}`);
    expect(result).toMatchObject({ state: 'failed', cause: byWords ?? cause });
    expect(result.text).toMatch(new RegExp(`${status}|${why}|high demand`));
    if (byWords === null) expect(result.usage.costUsd).toBe(0);
  });

  test('agents: a session that is gone is started anew, and the result says so', async () => {
    if (name === 'command') return;
    const { runner, run, folder } = agentOf(name);
    const gone = name === 'codex' ? '01a229d8-15c1-7a51-9866-000000000000' : 'ses_gone-00000000';
    const ran = await runAgent(
      runner,
      folder,
      { program: join(folder, 'fake-agent') },
      { session: gone, prompt: 'do: answer Here.' },
    );
    expect(ran.result).toMatchObject({ state: 'completed' });
    expect(ran.result.text).toMatch(/^Here\.\n\n\(The earlier session was gone/);
    expect(ran.sessions.at(-1)?.[0]).not.toBe(gone);
    expect((await run('do: answer Go on.', ran)).result.text).toBe('Go on.');
  });

  test('agents: a run that a signal ends is killed', async () => {
    const { run } = agentOf(name);
    const { result } = await run('do: killed');
    expect(result).toMatchObject({ state: 'failed', cause: 'killed' });
  });
});

test('agents: tools that were refused are in the result', async () => {
  for (const name of ['claude', 'gemini', 'copilot']) {
    const { result } = await agentOf(name).run('do: answer Done.');
    expect(result.denials, name).toEqual([expect.stringContaining('rm -rf /')]);
  }
});

test('agents: opencode ends with 0 where a permission was rejected, and the run has failed', async () => {
  const { result } = await agentOf('opencode').run('do: answer denied');
  expect(result).toMatchObject({ state: 'failed', cause: 'refused', exitCode: 0 });
});

test('agents: opencode is stopped when its steps cost more than the budget', async () => {
  const { result } = await agentOf('opencode', { budgetUsd: 0.05 }).run('do: answer Done.');
  expect(result).toMatchObject({ state: 'failed', cause: 'stopped' });
  expect(result.text).toContain('its budget is $0.05');
});

test.each(['codex', 'gemini', 'copilot'])(
  'agents: %s is stopped in the middle of a run above its budget, by the file of its session',
  async (name) => {
    const { run } = agentOf(name, { budgetUsd: 0.1, timeout: '60s' });
    const first = await run('do: answer One.');
    const { result } = await run('do: spend', first);
    expect(result).toMatchObject({ state: 'failed', cause: 'stopped' });
    expect(result.text).toContain('it cost $0.12, its budget is $0.1');
    expect(result.usage).toMatchObject({ inputTokens: 100, outputTokens: 20 });
    expect(result.usage.costUsd).toBeCloseTo(0.12);
  },
);

test.each(['codex', 'gemini', 'copilot'])(
  'agents: what a run of %s used is known when it is ended',
  async (name) => {
    const { run } = agentOf(name, { timeout: '3s' });
    const { result } = await run('do: spend');
    expect(result.text).toContain('took longer than 3 s');
    expect(result.usage).toMatchObject({ inputTokens: 100, outputTokens: 20 });
  },
);

test('agents: gemini gets hookctl’s tools by a home of the run, keeps its sessions, and the user’s settings', async () => {
  const { runner, folder, run } = agentOf('gemini');
  mkdirSync(join(folder, '.gemini'));
  const settings = { theme: 'x', general: { vimMode: true }, mcpServers: { mine: { command: 'm' } } };
  const file = join(folder, '.gemini/settings.json');
  writeFileSync(file, JSON.stringify(settings));
  writeFileSync(join(folder, '.gemini/oauth_creds.json'), '{}');
  const environment = { env: { HOOKCTL_MCP_URL: 'http://127.0.0.1:1/mcp', HOOKCTL_RUN_TOKEN: 't-1' } };
  const program = join(folder, 'fake-agent');
  const ran = await runAgent(runner, folder, { program }, { environment });
  const home = join(ran.dump?.env.GEMINI_CLI_HOME ?? '', '.gemini');
  expect(JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8'))).toEqual({
    theme: 'x',
    general: { vimMode: true, sessionRetention: { enabled: false } },
    mcpServers: {
      mine: { command: 'm' },
      hookctl: {
        httpUrl: 'http://127.0.0.1:1/mcp',
        headers: { Authorization: 'Bearer t-1' },
        trust: true,
      },
    },
  });
  expect(readlinkSync(join(home, 'oauth_creds.json'))).toBe(join(folder, '.gemini/oauth_creds.json'));
  expect(readlinkSync(join(home, 'tmp'))).toBe(join(folder, '.gemini/tmp'));
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(settings);
  writeFileSync(file, '{ // mine\n}');
  const { log, dump } = await run('do: answer');
  expect(log.some(({ text }) => text.includes('is no plain JSON'))).toBe(true);
  expect(dump?.env).not.toHaveProperty('GEMINI_CLI_HOME');
});

test('agents: codex takes no name for a thread, which it would start anew without a word', async () => {
  const { runner, folder } = agentOf('codex');
  const ran = await runAgent(
    runner,
    folder,
    { program: join(folder, 'fake-agent') },
    { session: 'my-thread' },
  );
  expect(ran.commandLines[0]).not.toContain('resume');
  expect(ran.result.state).toBe('completed');
});

test('agents: codex is given its sandbox at each resume, which forgets it', async () => {
  const { run } = agentOf('codex', { sandboxMode: 'workspace-write' });
  const second = await run('do: answer Two.', await run('do: answer One.'));
  const [, ...args] = second.commandLines[0] ?? [];
  expect(args.slice(0, 5)).toEqual([
    'exec',
    '--json',
    '--skip-git-repo-check',
    '--sandbox',
    'workspace-write',
  ]);
  expect(args.at(-3)).toBe('resume');
});

describe('command: session', () => {
  /** Names its session in a line, and says with which arguments it was started. */
  function installNaming(folder: string, line: string): string {
    const file = join(folder, 'naming');
    writeFileSync(file, `#!/bin/sh\ncat > /dev/null\necho '${line}'\necho "args: $*"\n`);
    chmodSync(file, 0o755);
    return file;
  }

  test.each([
    ['/session id: (\\S+)/', 'session id: chat-0123'],
    ['thread.id', '{"thread":{"id":"chat-0123"}}'],
  ])('agents: %s captures the session, and resume goes on in it', async (capture, line) => {
    const { runner, folder } = agentOf('command');
    const settings = {
      program: installNaming(folder, line),
      args: ['--new'],
      session: { capture, resume: ['--chat={{session}}'] },
    };
    const options = runner.options.parse({ use: 'command', ...settings }) as unknown as CommonOptions;
    expect(runner.check(options)).toEqual([]);
    expect(runner.sessionKey(options, 'brain')).toBe('command:brain');
    const first = await runAgent(runner, folder, settings);
    expect(first.result.text).toContain('args: --new');
    expect(first.sessions).toEqual([['chat-0123', null]]);
    const second = await runAgent(runner, folder, settings, { session: 'chat-0123' });
    expect(second.result.text).toContain('args: --chat=chat-0123');
  });

  test.each([
    ['a regex without a group', { capture: '/id/', resume: ['{{session}}'] }, /no regex with one group/],
    ['a regex that is none', { capture: '/(/', resume: ['{{session}}'] }, /no regex with one group/],
    ['a resume that names no session', { capture: 'id', resume: ['--last'] }, /does not name the session/],
  ])('agents: %s is a mistake', (_, session, message) => {
    const { runner } = agentOf('command');
    const options = runner.options.parse({
      use: 'command',
      program: 'x',
      session,
    }) as unknown as CommonOptions;
    expect(runner.check(options)).toEqual([
      expect.objectContaining({ message: expect.stringMatching(message) }),
    ]);
  });
});

test('agents: each runner can be configured with its program alone', async () => {
  const lines = agentRunners.map(({ name }) => `  ${name}: { use: ${name}, program: ./quick }`);
  const { configuration } = await startAgents({ yaml: ['agents:', ...lines, ''].join('\n') });
  expect([...configuration.agents.byName.keys()]).toEqual(agentRunners.map(({ name }) => name));
});

test('agents: a session id that could be an option, a path or a line of its own is never given to a program', async () => {
  const engine = await startAgents({
    yaml: 'agents: { brain: { use: claude, program: ./liar } }\n',
    prepare(folder) {
      const result =
        '{"type":"result","subtype":"success","is_error":false,"result":"Done.","total_cost_usd":0}';
      const script = `cat > /dev/null\nprintf '%s\\n' "$*" >> calls\ncat init\nprintf '%s\\n' '${result}'\n`;
      writeFileSync(join(folder, 'liar'), `#!/bin/sh\n${script}`, { mode: 0o755 });
    },
  });
  const { folder, context } = engine;
  const ids = [
    '--dangerously-skip-permissions',
    '../../etc/passwd',
    'a b c d e',
    'short',
    'x'.repeat(129),
    'line\nbreak',
  ];
  for (const [index, id] of ids.entries()) {
    writeFileSync(
      join(folder, 'init'),
      `${JSON.stringify({ type: 'system', subtype: 'init', session_id: id })}\n`,
    );
    for (const prompt of ['First', 'Second']) {
      const { id: task } = await engine.task(prompt, { externalId: `x:${index}` });
      const run = await engine.ended(task);
      expect([run.state, run.sessionId, run.openWith]).toEqual(['completed', null, null]);
      expect(readFileSync(run.logPath ?? '', 'utf8')).toContain('its session has no usable id');
    }
  }
  const calls = readFileSync(join(folder, 'calls'), 'utf8');
  expect(calls).not.toContain('--resume');
  expect(calls).not.toContain('dangerously');
  expect(context.store.openRuns()).toEqual([]);
});
