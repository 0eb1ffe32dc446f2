import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { tellJson } from '../support/in-process.ts';
import { type Sandbox, sandboxForTest } from '../support/sandbox.ts';
import { serveHere } from '../support/serve-here.ts';
import { readStore } from '../support/server.ts';

/** An agent that works until it is told to end by a file. */
const AGENT = `
const { existsSync, writeFileSync } = require('node:fs');
writeFileSync('begun', '');
const timer = setInterval(() => {
  if (!existsSync('end')) return;
  clearInterval(timer);
  console.log('done');
}, 20);
`;

async function working(rerunOnCrash: boolean, isTerminal = true) {
  const sandbox = await sandboxForTest({
    files: {
      'agent.cjs': AGENT,
      'webhooks.yml': `agents: { planning: { use: command, program: ${JSON.stringify(process.execPath)}, args: [agent.cjs], timeout: 10m, rerunOnCrash: ${rerunOnCrash} } }\n`,
    },
  });
  const server = await serveHere(sandbox, [], { isTerminal });
  const first = await task(sandbox);
  await eventually('the agent to begin', () => existsSync(join(sandbox.project, 'begun')));
  return { sandbox, server, first };
}

async function task(sandbox: Sandbox): Promise<string> {
  return (await tellJson<{ id: string }>(sandbox, 'task', 'create', 'work', '--agent', 'planning')).id;
}

/** What `serve` printed; a long line is continued on the next one. */
const saidBy = (server: { stderr(): string }) => server.stderr().replaceAll(/\n {2,}/g, ' ');

const statusOf = (sandbox: Sandbox, id: string) => readStore(sandbox, (reader) => reader.task(id));

test('E7: Ctrl-C on a terminal waits for the agent, says how long, and starts no other', async () => {
  const { sandbox, server, first } = await working(false);
  server.signal('SIGINT');
  await eventually('the line', () => saidBy(server).includes('hookctl waits for'));
  expect(saidBy(server)).toMatch(
    /Ctrl-C: hookctl waits for 1 run \(planning for [\d.]+ s\), at most (10 min|\d+\.\d s), and starts no other; Ctrl-C again ends them/,
  );
  const second = await task(sandbox);
  expect(statusOf(sandbox, first)?.status).toBe('running');
  writeFileSync(join(sandbox.project, 'end'), '');
  expect(await server.ended).toBe(0);
  expect(statusOf(sandbox, first)?.status).toBe('completed');
  expect(statusOf(sandbox, second)?.status).toBe('queued');
});

test('E7: a second Ctrl-C ends the agent; its task says how to repeat it', async () => {
  const { sandbox, server, first } = await working(false);
  server.signal('SIGINT');
  await eventually('the line', () => saidBy(server).includes('hookctl waits for'));
  server.signal('SIGINT');
  expect(await server.ended).toBe(0);
  expect(saidBy(server)).toMatch(/SIGINT: hookctl finishes what it is at, and ends 1 run \(planning for/);
  expect(statusOf(sandbox, first)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining(`repeat it: hookctl task retry ${first}`),
  });
  expect(server.died()).toEqual([]);
});

test.each([
  ['SIGTERM', true],
  ['SIGINT', false],
] as const)(
  'E7: %s ends the agent at once (terminal: %s); what may be rerun is queued again',
  async (signal, isTerminal) => {
    const { sandbox, server, first } = await working(true, isTerminal);
    server.signal(signal);
    expect(await server.ended).toBe(0);
    expect(server.stderr()).not.toContain('hookctl waits for');
    expect(statusOf(sandbox, first)?.status).toBe('queued');
  },
);

test('E7: Ctrl-C without an agent at work ends at once', async () => {
  const sandbox = await sandboxForTest();
  const server = await serveHere(sandbox, [], { isTerminal: true });
  server.signal('SIGINT');
  expect(await server.ended).toBe(0);
  expect(server.stderr()).not.toContain('hookctl waits for');
});
