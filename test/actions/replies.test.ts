import { describe, expect, test } from 'vitest';
import { hasMarker } from '../../src/providers/kit/marker.ts';
import type { JsonObject } from '../../src/types.ts';
import { apisForFile } from '../outbox/support.ts';
import { onIssue, startEngine } from '../support/engine.ts';
import { merged } from '../support/merged.ts';

const apis = apisForFile();

/** Tokens for all five, which lead to the loopback server. */
function credentials(): string {
  const names = ['github', 'jira', 'slack', 'sentry', 'gitlab'];
  const lines = names.map(
    (name) => `  ${name}: { tokenEnv: TOKEN, baseUrl: ${apis().url}${name === 'slack' ? '/api' : ''} }`,
  );
  return `credentials:\n${lines.join('\n')}\n`;
}

const env = { TOKEN: 'a-token' };
const engineWith = (yaml = '') => startEngine({ yaml: credentials() + yaml, env });
const commands = (webhook: string, ...lines: readonly string[]) =>
  `webhooks:\n  ${webhook}:\n    defaultCommand: go\n    commands:\n${lines.map((line) => `      - ${line}`).join('\n')}\n`;

describe('the immediate response', () => {
  test('is 👀 on a GitHub comment', async () => {
    const { deliver, sent } = await engineWith();
    const { delivery, tasks } = await deliver('github', 'issue_comment.created');
    expect(tasks).toHaveLength(1);
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'react', content: 'eyes', status: 'sent' }]);
  });

  test('is a comment on an issue that was opened, which the task knows', async () => {
    const { deliver, sent } = await engineWith();
    const { delivery, tasks } = await deliver('github', 'issues.opened');
    const [item] = await sent(delivery.id);
    expect(item).toMatchObject({ kind: 'comment', status: 'sent' });
    expect(tasks[0]?.sourceMetadata).toMatchObject({ comment_outgoing_id: item?.id });
    expect(apis().posts.find(({ text }) => hasMarker(text, item?.id ?? ''))?.text).toContain(tasks[0]?.id);
  });

  test('is a note to the sender in Slack', async () => {
    const { deliver, sent } = await engineWith();
    const { delivery } = await deliver('slack', 'app_mention');
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'ephemeral', status: 'sent' }]);
  });

  test('is none on Jira for a comment', async () => {
    const { deliver, sent } = await engineWith();
    const { delivery, tasks } = await deliver('jira', 'comment_created');
    expect(tasks).toHaveLength(1);
    expect(await sent(delivery.id)).toEqual([]);
  });

  test('G7: assigning a Jira issue to the agent starts the default command, with a comment on the issue', async () => {
    const yaml = `${commands('jira', '{ trigger: "jira:issue_updated", template: "trigger" }', '{ name: go, template: "assigned" }')}    options: { agentUser: "5c:agent" }\n`;
    const { deliver, sent } = await engineWith(yaml);
    const assign = (to: string) => (payload: JsonObject) => ({
      ...payload,
      changelog: { id: '1', items: [{ field: 'assignee', from: null, to }] },
    });
    const other = await deliver('jira', 'jira:issue_updated', assign('5c:somebody'));
    expect(other.tasks.map(({ title }) => title)).toEqual(['trigger']);
    expect(await sent(other.delivery.id)).toEqual([]);
    const ours = await deliver('jira', 'jira:issue_updated', assign('5c:agent'));
    expect(ours.tasks.map(({ title }) => title)).toEqual(['assigned', 'trigger']);
    expect(ours.delivery.reason).toContain('go: the issue was assigned to 5c:agent');
    const items = await sent(ours.delivery.id);
    expect(items.map(({ kind, status }) => [kind, status])).toEqual([
      ['comment', 'sent'],
      ['comment', 'sent'],
    ]);
  });

  test('G7: the sender of an assignment is checked, not the author of the issue', async () => {
    const yaml = `${commands('jira', '{ name: go, template: "assigned" }')}    options: { agentUser: "5c:agent" }\n`;
    const { deliver } = await engineWith(yaml);
    const made = (accountType: string) => (payload: JsonObject) => {
      const issue = payload.issue as JsonObject;
      const other = { accountId: '5c:bob', accountType: 'atlassian' };
      const fields = { ...(issue.fields as JsonObject), creator: other, reporter: other };
      return {
        ...payload,
        user: { accountId: '5c:ada', accountType },
        issue: { ...issue, fields: { ...fields, assignee: { accountId: '5c:agent' } } },
      };
    };
    const ours = await deliver('jira', 'jira:issue_created', made('atlassian'), 'The pump stops.');
    expect(ours.tasks.map(({ title }) => title)).toEqual(['assigned']);
    const customer = await deliver('jira', 'jira:issue_created', made('customer'), 'The pump stops.');
    expect(customer.tasks).toEqual([]);
    expect(customer.delivery.reason).toContain('customer');
  });

  test.each([
    ['of another', '@agent go at it', 'atlassian', ['assigned']],
    ['of another, with no command', 'cc @agent', 'atlassian', ['assigned']],
    ['of another, by a customer', '@agent go at it', 'customer', []],
  ])(
    'G7: an assignment starts the default command beside a text %s',
    async (_, text, accountType, titles) => {
      const yaml = `${commands('jira', '{ name: go, template: "assigned" }')}    options: { agentUser: "5c:agent" }\n`;
      const { deliver } = await engineWith(yaml);
      const bob = { accountId: '5c:bob', accountType: 'atlassian' };
      const { tasks } = await deliver(
        'jira',
        'jira:issue_created',
        (payload) => {
          const issue = payload.issue as JsonObject;
          const fields = { ...(issue.fields as JsonObject), creator: bob, reporter: bob };
          return {
            ...payload,
            user: { accountId: '5c:ada', accountType },
            issue: { ...issue, fields: { ...fields, assignee: { accountId: '5c:agent' } } },
          };
        },
        text,
      );
      expect(tasks.map(({ title }) => title)).toEqual(titles);
    },
  );

  test.each(['issue.created', 'event_alert.triggered', 'comment.created'])(
    'G8: is a note on the Sentry issue of %s, where a token allows it',
    async (type) => {
      const allow = 'webhooks: { sentry: { allow: { users: ["789"] } } }\n';
      const { deliver, sent } = await engineWith(allow);
      const { delivery, tasks } = await deliver('sentry', type);
      const [item, ...more] = await sent(delivery.id);
      expect(item).toMatchObject({ kind: 'comment', status: 'sent' });
      expect(more).toEqual([]);
      expect(apis().posts.find(({ text }) => hasMarker(text, item?.id ?? ''))?.text).toContain(tasks[0]?.id);
    },
  );

  test('is none for a sender who may not command, although the task waits for approval', async () => {
    const { deliver, sent } = await engineWith(
      commands('github', '{ trigger: issues.opened, template: x }', '{ name: go }'),
    );
    const stranger = (payload: JsonObject) => ({
      ...payload,
      issue: { ...(payload.issue as JsonObject), author_association: 'NONE' },
    });
    const { delivery, tasks } = await deliver('github', 'issues.opened', stranger, 'hello');
    expect(tasks).toMatchObject([{ status: 'waiting_approval' }]);
    expect(await sent(delivery.id)).toEqual([]);
  });

  test('is none when no command fired', async () => {
    const { deliver, sent } = await engineWith();
    const { delivery } = await deliver('github', 'issue_comment.created', undefined, 'looks good');
    expect(delivery.status).toBe('ignored');
    expect(await sent(delivery.id)).toEqual([]);
  });

  test('is none without a token, and the task is there all the same', async () => {
    const { deliver, sent } = await startEngine();
    const { delivery, tasks } = await deliver('github', 'issue_comment.created');
    expect(tasks).toHaveLength(1);
    expect(await sent(delivery.id)).toEqual([]);
  });
});

describe('E9: Slack without a token', () => {
  const bare = (yaml = '') =>
    startEngine({ yaml: `credentials: { slack: { baseUrl: "${apis().url}/api" } }\n${yaml}` });
  const bring = (payload: JsonObject) => ({ ...payload, response_url: `${apis().url}/commands/T0/1/x` });
  const responses = () => apis().posts.filter(({ thread }) => thread === 'slack-response');

  test('E9: a slash command is answered by its response_url', async () => {
    const { deliver, sent } = await bare(
      commands('slack', '{ name: go, action: respond, template: "at once" }'),
    );
    const { delivery } = await deliver('slack', 'slash_command', bring, 'go');
    expect(delivery.status).toBe('processed');
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'respond', status: 'sent' }]);
    expect(JSON.parse(responses().at(-1)?.text ?? '')).toMatchObject({ response_type: 'in_channel' });
  });

  test('E9: a task of a slash command is told to its sender alone', async () => {
    const { deliver, sent } = await bare();
    const { delivery, tasks } = await deliver('slack', 'slash_command', bring, 'analyze the pump');
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'ephemeral', status: 'sent' }]);
    const said = JSON.parse(responses().at(-1)?.text ?? '');
    expect(said).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining(tasks[0]?.id ?? '?'),
    });
  });

  test('E9: a comment of a slash command takes the same way', async () => {
    const { deliver, sent } = await bare(
      commands('slack', '{ name: go, action: comment, template: "said" }'),
    );
    const { delivery } = await deliver('slack', 'slash_command', bring, 'go');
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'comment', status: 'sent' }]);
  });

  test('E9: what a response_url cannot do fails with what is missing', async () => {
    const { deliver, sent } = await bare(
      commands('slack', '{ name: go, action: react, options: { emoji: eyes } }'),
    );
    const { delivery } = await deliver('slack', 'slash_command', bring, 'go');
    expect(await sent(delivery.id)).toMatchObject([{ status: 'failed', reason: 'no SLACK_BOT_TOKEN' }]);
    const mention = await deliver('slack', 'app_mention', undefined, '@agent go');
    expect(mention.delivery).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('no SLACK_BOT_TOKEN'),
    });
  });

  test('E9: a response_url elsewhere than at Slack is not used', async () => {
    const { deliver } = await startEngine({
      yaml: commands('slack', '{ name: go, action: respond, template: "at once" }'),
    });
    const { delivery } = await deliver('slack', 'slash_command', bring, 'go');
    expect(delivery).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('no SLACK_BOT_TOKEN'),
    });
  });

  test('E9: help answers with the commands, and makes no task', async () => {
    const { deliver, sent } = await bare();
    const { delivery, tasks } = await deliver('slack', 'slash_command', bring, 'help');
    expect(tasks).toEqual([]);
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'respond', status: 'sent' }]);
    const { text } = JSON.parse(responses().at(-1)?.text ?? '') as { text: string };
    expect(text).toContain('• `@agent analyze`: also `analysis`; a task for planning; the default');
    expect(text).toContain('• `@agent execute`: a task for executor; waits for approval');
  });

  test('E9: help is answered in the thread of a mention', async () => {
    const { deliver, sent } = await engineWith();
    const { delivery, tasks } = await deliver('slack', 'app_mention', undefined, '@agent help');
    expect(tasks).toEqual([]);
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'respond', status: 'sent' }]);
    expect(apis().posts.at(-1)?.text).toContain('@agent execute');
  });
});

describe('an action that answers', () => {
  test.each([
    ['github', 'issue_comment.created'],
    ['jira', 'comment_created'],
    ['slack', 'app_mention'],
    ['sentry', 'comment.created'],
    ['gitlab', 'note.create'],
  ])('posts its rendered template on %s', async (provider, type) => {
    const word = `answer-${provider}`;
    const { deliver, sent } = await engineWith(
      commands(provider, `{ name: go, action: comment, template: "${word}: {{@argument}}" }`),
    );
    const { delivery } = await deliver(provider, type, undefined, '@agent go ahead');
    expect(delivery.status).toBe('processed');
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'comment', status: 'sent' }]);
    expect(apis().posts.filter(({ text }) => text.includes(`${word}: ahead`))).toHaveLength(1);
  });

  test('answers a comment of a review in its thread, once, even when the connection breaks after it was posted', async () => {
    const { deliver, sent } = await engineWith(
      commands('github', '{ name: go, action: comment, template: "in the review: {{@argument}}" }'),
    );
    const later = (payload: JsonObject) => ({
      ...payload,
      comment: { ...(payload.comment as JsonObject), in_reply_to_id: 4711 },
    });
    apis().fail({ processed: true, cut: 'reset' });
    const { delivery } = await deliver(
      'github',
      'pull_request_review_comment.created',
      later,
      '@agent go on',
    );
    expect(await sent(delivery.id)).toMatchObject([{ kind: 'comment', status: 'sent' }]);
    const standing = apis().posts.filter(({ text }) => text.includes('in the review: on'));
    expect(standing).toMatchObject([{ thread: expect.stringMatching(/#\d+\/review\/4711$/) }]);
  });

  test('says what is missing when it cannot', async () => {
    const yaml = commands('github', '{ name: go, action: comment, template: x }');
    const { deliver } = await startEngine({ yaml });
    const { delivery } = await deliver('github', 'issue_comment.created', undefined, '@agent go');
    expect(delivery).toMatchObject({ status: 'failed', reason: expect.stringContaining('no GITHUB_TOKEN') });
  });

  test('posts nothing in a replay, unless that is asked for', async () => {
    const { deliver, sent, replay } = await engineWith(
      commands(
        'github',
        '{ name: go, action: comment, template: "replayed" }',
        '{ trigger: "issue_comment.*", template: x }',
      ),
    );
    const { delivery } = await deliver('github', 'issue_comment.created', onIssue(77), '@agent go');
    await sent(delivery.id);
    const silent = await replay(delivery.id, false);
    expect(silent.delivery.reason).toContain('--replies');
    expect(await sent(silent.delivery.id)).toEqual([]);
    const loud = await replay(delivery.id, true);
    expect((await sent(loud.delivery.id)).length).toBeGreaterThan(0);
    expect(apis().posts.filter(({ text }) => text.includes('replayed'))).toHaveLength(2);
  });

  test('never posts for an unverified delivery', async () => {
    const yaml =
      credentials() + commands('github', '{ name: go }', '{ trigger: "*", action: comment, template: y }');
    const { deliver, sent } = await startEngine({ yaml, env, insecure: ['github'] });
    const { delivery } = await deliver('github', 'issue_comment.created', undefined, '@agent go');
    expect(delivery.decisions.map(({ fired, error }) => [fired, error])).toEqual([
      [false, null],
      [true, 'the delivery was not verified'],
    ]);
    expect(await sent(delivery.id)).toEqual([]);
  });
});

describe('a question', () => {
  const yaml = commands(
    'github',
    '{ name: go, action: ask, template: "Which branch?" }',
    '{ name: other, template: x }',
  );
  const comment = (number: number, text: string, association = 'OWNER') =>
    [
      'github',
      'issue_comment.created',
      (payload: JsonObject) => ({
        ...onIssue(number)(payload),
        comment: { ...(payload.comment as JsonObject), author_association: association },
      }),
      text,
    ] as const;

  test('is posted, and the next allowed reply in the thread answers it', async () => {
    const { deliver, sent, context } = await engineWith(yaml);
    const asked = await deliver(...comment(5, '@agent go'));
    const [task] = asked.tasks;
    expect(task).toMatchObject({ status: 'waiting_answer', title: '[INTERACTIVE] Which branch?' });
    expect(await sent(asked.delivery.id)).toMatchObject([{ kind: 'comment', status: 'sent' }]);

    await deliver(...comment(6, 'another thread'));
    await deliver(...comment(5, 'a stranger says main', 'NONE'));
    await deliver(...comment(5, '> only a quote'));
    await deliver(...comment(5, '<!-- hookctl:out-01jd9x3k2a7f3kq2 -->\nWhich branch?'));
    expect(context.store.task(task?.id ?? '')?.status).toBe('waiting_answer');

    const reply = await deliver(...comment(5, 'main, please'));
    expect(reply.delivery).toMatchObject({
      status: 'processed',
      reason: expect.stringContaining(`answers ${task?.id}`),
    });
    const answered = context.store.task(task?.id ?? '');
    expect(answered?.status).toBe('queued');
    expect(answered?.prompt).toMatch(
      /<untrusted-\w+ source="answer" author="octocat">main, please<\/untrusted-/,
    );
    expect((await deliver(...comment(5, 'and more'))).delivery.status).toBe('ignored');
  });

  test('is not answered by another command', async () => {
    const { deliver, context } = await engineWith(yaml);
    const asked = await deliver(...comment(8, '@agent go'));
    expect((await deliver(...comment(8, '@agent other'))).tasks).toHaveLength(1);
    expect(context.store.task(asked.tasks[0]?.id ?? '')?.status).toBe('waiting_answer');
  });
});

describe('a loop', () => {
  test('our own comment, as it comes back, starts nothing: plain, quoted and in code', async () => {
    const { deliver, sent } = await engineWith(
      commands(
        'github',
        '{ name: go, action: comment, template: "Say `@agent go` or\\n\\n> @agent go" }',
        '{ trigger: "*", template: y }',
      ),
    );
    const { delivery } = await deliver('github', 'issue_comment.created', onIssue(20), '@agent go');
    const [posted] = (await sent(delivery.id)).filter(({ kind }) => kind === 'comment');
    const text = apis().posts.find((each) => hasMarker(each.text, posted?.id ?? ''))?.text ?? '';
    expect(text).not.toBe('');
    const back = await deliver('github', 'issue_comment.created', onIssue(20), text);
    expect(back.delivery).toMatchObject({ status: 'ignored', reason: 'hookctl posted this text itself' });
    const quoted = text
      .split('\n')
      .map((line) => `> ${line}`)
      .join('\n');
    const { delivery: quote } = await deliver(
      'github',
      'issue_comment.created',
      onIssue(20),
      `${quoted}\n\nI see.`,
    );
    expect(quote.decisions.filter(({ command, fired }) => command === 'go' && fired)).toEqual([]);
    const { delivery: code } = await deliver(
      'github',
      'issue_comment.created',
      onIssue(20),
      `\`\`\`\n${text}\n\`\`\``,
    );
    expect(code.decisions.filter(({ command, fired }) => command === 'go' && fired)).toEqual([]);
  });

  test('a second hookctl on the thread does not answer the first', async () => {
    const yaml = commands('github', '{ name: go, action: comment, template: "@agent go on" }');
    const [first, second] = [await engineWith(yaml), await engineWith(yaml)];
    const start = await first.deliver('github', 'issue_comment.created', onIssue(21), '@agent go');
    const [posted] = await first.sent(start.delivery.id);
    const text = apis().posts.find((each) => hasMarker(each.text, posted?.id ?? ''))?.text ?? '';
    expect(text).toContain('@agent go on');
    const { delivery } = await second.deliver('github', 'issue_comment.created', onIssue(21), text);
    expect(delivery.status).toBe('ignored');
    expect(await second.sent(delivery.id)).toEqual([]);
  });

  /** The sender is an app that may command: `loopGuard` counts what apps write. */
  const byApp = (number: number) => (payload: JsonObject) => {
    const sender = { login: 'helper[bot]', id: 77, type: 'Bot' };
    const built = onIssue(number)(payload) as { comment: JsonObject };
    const comment = { ...built.comment, user: sender, performed_via_github_app: { id: 5, slug: 'helper' } };
    return { ...built, sender, comment } as unknown as JsonObject;
  };

  test.each([
    ['', 3, 600_000],
    ['loopGuard: { runs: 5, within: 30m }\n', 5, 1_800_000],
  ])(
    'G6: an app runs its bound in a thread, then pauses with one notice: %j',
    async (setting, runs, within) => {
      let now = Date.now();
      const yaml = commands('github', '{ name: go, template: x }').replace(
        'github:',
        'github:\n    allow: { apps: [5] }',
      );
      const engine = await startEngine({ yaml: setting + credentials() + yaml, env, now: () => now });
      const go = () => engine.deliver('github', 'issue_comment.created', byApp(22), '@agent go');
      for (let run = 0; run < runs; run += 1) {
        const { delivery } = await go();
        expect(delivery.status).toBe('processed');
      }
      const paused = [await go(), await go()];
      expect(paused.map(({ delivery }) => delivery.status)).toEqual(['ignored', 'ignored']);
      expect(paused[0]?.delivery.reason).toMatch(/^paused: \d runs.*`loopGuard`.*hookctl replay dlv-/);
      const notices = paused.map(({ delivery }) => engine.context.store.outbox({ deliveryId: delivery.id }));
      expect(notices.map(({ length }) => length)).toEqual([1, 0]);
      expect(JSON.stringify(notices[0])).toContain(`hookctl replay ${paused[0]?.delivery.id}`);
      const other = await engine.deliver('github', 'issue_comment.created', byApp(23), '@agent go');
      expect(other.delivery.status).toBe('processed');
      // A person still commands in the paused thread.
      const person = await engine.deliver('github', 'issue_comment.created', onIssue(22), '@agent go');
      expect(person.delivery.status).toBe('processed');
      expect((await engine.replay(paused[1]?.delivery.id ?? '', false)).delivery.status).toBe('processed');
      now += within + 1;
      expect((await go()).delivery.status).toBe('processed');
    },
  );

  test.each([
    ['writes commands', 'github', 'issue_comment.created', 'name: go'],
    ['clicks buttons', 'slack', 'block_actions', 'trigger: block_actions'],
  ])(
    'G6: a person who %s runs more than three in a thread within ten minutes',
    async (_, provider, type, command) => {
      const yaml = commands(provider, '{ name: go, template: x }');
      const more = command.startsWith('trigger') ? `      - { ${command}, template: x }\n` : '';
      const engine = await startEngine({ yaml: credentials() + yaml + more, env });
      const thread = { issue: 24, ts: '1700000000.000100' };
      const there = (payload: JsonObject) =>
        provider === 'github'
          ? onIssue(thread.issue)(payload)
          : merged(payload, { message: { ts: thread.ts }, container: { message_ts: thread.ts } });
      for (let run = 0; run < 5; run += 1) {
        const { delivery } = await engine.deliver(provider, type, there, '@agent go');
        expect(delivery).toMatchObject({ status: 'processed', externalId: expect.any(String) });
      }
      expect(engine.context.store.flows({})).toHaveLength(1);
    },
  );
});
