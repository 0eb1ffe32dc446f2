import { describe, expect, test } from 'vitest';
import type { ActionContext, Replies } from '../../src/actions/action.ts';
import { actionNamed, actions } from '../../src/actions/index.ts';
import { HookctlError } from '../../src/errors.ts';
import { createIds } from '../../src/lib/ids.ts';
import type { Delivery, JsonObject } from '../../src/types.ts';
import { problemsOf } from '../config/support.ts';
import { eventWith, webhookWith } from '../deliveries/support.ts';
import { providerNamed } from '../support/providers.ts';

/** Options with which each action works. A new action belongs here. */
const OPTIONS: Readonly<Record<string, JsonObject>> = {
  create_task: {},
  comment: {},
  ask: {},
  respond: {},
  forward: { urls: ['https://example.com/hook', 'http://127.0.0.1:9/other'] },
  run: { program: process.execPath, args: ['-e', ''] },
  react: { emoji: 'rocket' },
  label: { labels: ['bug', 'triage'] },
  repair: { checks: ['ci'], notify: '@octocat' },
};

/** Options that are wrong: the field that a message must name. */
const MISTAKES: readonly (readonly [action: string, options: string, field: string])[] = [
  ['create_task', '{ url: x }', 'options.url'],
  ['forward', '{}', 'options.urls'],
  ['forward', '{ urls: [] }', 'options.urls'],
  ['forward', '{ urls: ["ftp://x"] }', 'options.urls.0'],
  ['forward', '{ urls: ["file:///etc/passwd"] }', 'options.urls.0'],
  ['run', '{}', 'options.program'],
  ['run', '{ program: x, args: "a b" }', 'options.args'],
  ['run', '{ program: x, timeout: 2h }', 'options.timeout'],
  ['run', '{ program: x, env: ["A=1"] }', 'options.env.0'],
  ['run', '{ program: x, shell: true }', 'options.shell'],
  ['react', '{ emoji: ":eyes:" }', 'options.emoji'],
  ['label', '{ labels: [] }', 'options.labels'],
];

const channel = providerNamed('github')?.reply;
if (channel === undefined) throw new Error('GitHub cannot be answered');
const place = {
  host: 'github.com',
  owner: 'octo',
  repo: 'repo',
  number: '1',
  comment: null,
  commentKind: null,
};
const ON: Replies = { state: 'on', channel, place, afterApproval: false };

async function contextWith(action: string, replies: Replies): Promise<ActionContext> {
  const template = 'Look at {{@event.title}}';
  const webhook = await webhookWith({ commands: [{ name: 'analyze', template }] });
  const [command] = webhook.commands;
  if (command === undefined) throw new Error('no command');
  return {
    webhook,
    command: { ...command, action, options: OPTIONS[action] ?? {} },
    template: { event: eventWith({ payload: { issue: { number: 1 } } }), argument: '', authorOf: () => null },
    further: [],
    needsApproval: false,
    repair:
      action === 'repair'
        ? { kind: 'repair', title: 'Repair ci', prompt: 'Repair it', about: {}, reason: 'it is red' }
        : null,
    ids: createIds(Date.now),
    delivery: { id: 'dlv-1', webhook: 'github' } as Delivery,
    replies,
    surroundings: {
      projectFolder: process.cwd(),
      env: { PATH: process.env.PATH },
      stopping: new AbortController().signal,
    },
  };
}

test('the contract suite covers every action', () => {
  expect(Object.keys(OPTIONS).sort()).toEqual(actions.map(({ name }) => name).sort());
});

describe.each(actions.map((action) => [action.name, action] as const))('%s', (name, action) => {
  test('is found by its name, which is one snake_case word', () => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(actionNamed(name)).toBe(action);
  });

  test('takes its options, and none that it does not know', () => {
    expect(action.options.safeParse(OPTIONS[name]).success).toBe(true);
    expect(action.options.safeParse({ ...OPTIONS[name], unknown: 1 }).success).toBe(false);
  });

  test('asks for what it does, and writes nothing itself', async () => {
    const { tasks, outgoing } = await action.run(await contextWith(name, ON));
    const made = [...tasks, ...outgoing];
    expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
    for (const { id } of tasks) expect(id).toMatch(/^task-[0-9a-z]{16}$/);
    for (const { id } of outgoing) expect(id).toMatch(/^out-[0-9a-z]{16}$/);
    for (const { content } of outgoing) expect(content).not.toBe('');
  });

  test('sends nothing in a silent replay', async () => {
    expect((await action.run(await contextWith(name, { state: 'silent' }))).outgoing).toEqual([]);
  });

  test('without a token it fails with the reason, or works without posting', async () => {
    const result = await action
      .run(await contextWith(name, { state: 'off', reason: 'no GITHUB_TOKEN' }))
      .catch((error: unknown) => error);
    if (result instanceof HookctlError) expect(result.message).toContain('no GITHUB_TOKEN');
    else expect(result).toMatchObject({ outgoing: name === 'forward' ? expect.anything() : [] });
  });
});

describe('a mistake in options', () => {
  test.each(MISTAKES)('%s %s is reported at %s', async (action, options, field) => {
    const yaml = `webhooks:\n  github:\n    defaultCommand: go\n    commands:\n      - { name: go, action: ${action}, options: ${options} }\n`;
    const problems = await problemsOf(yaml);
    expect(problems.map((problem) => problem.field)).toContain(`webhooks.github.commands.0.${field}`);
    expect(problems[0]).toMatchObject({ file: 'webhooks.yml', line: 5 });
  });

  test.each(['run', 'comment', 'forward'])('%s can’t wait for approval, and says so', async (action) => {
    const options = JSON.stringify(OPTIONS[action]);
    const yaml = `webhooks:\n  github:\n    defaultCommand: go\n    commands:\n      - { name: go, action: ${action}, requiresApproval: true, options: ${options} }\n`;
    const problems = await problemsOf(yaml);
    expect(problems).toMatchObject([{ field: 'webhooks.github.commands.0.requiresApproval' }]);
  });
});
