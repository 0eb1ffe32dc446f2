import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lintWebhooks, startsWithoutApproval } from '../../src/config/lint.ts';
import { defaultClaudeList } from '../../src/config/project/claude-list.ts';
import type { Webhook } from '../../src/types.ts';
import { folderWith, load } from './support.ts';

async function warnings(command: string): Promise<readonly string[]> {
  const yaml = `webhooks:\n  github:\n    commands:\n      - name: analyze\n      - ${command}\n`;
  const { snapshot } = await load(folderWith({ 'webhooks.yml': yaml }));
  return lintWebhooks(snapshot.webhooks);
}

describe('E24: check tells what is probably a mistake', () => {
  test.each([
    ['{ trigger: issue.opened }', 'GitHub is not known to send issue.opened; did you mean issues.opened?'],
    ['{ trigger: issue_comments.created }', 'did you mean issue_comment.created?'],
    [
      '{ trigger: nonsense.happened }',
      'no sample of nonsense.happened: make sure that GitHub sends it; known: ',
    ],
    ['{ trigger: issue.* }', 'not known to send issue.*; did you mean issues.*?'],
    ['{ trigger: issues* }', 'not known to send issues*; did you mean issues.*?'],
    ['{ trigger: issues }', 'not known to send issues; did you mean issues.*?'],
    ['{ trigger: Issues.opened }', 'did you mean issues.opened?'],
    [
      '{ trigger: issues.opened, conditions: { isue.state: { $exists: true } } }',
      'did you mean issue.state?',
    ],
    [
      '{ trigger: issues.opened, conditions: { issue.labels: { $elemMatch: { nam: bug } } } }',
      'did you mean issue.labels.name?',
    ],
    [
      '{ trigger: issues.opened, template: "{{#each issue.lables}}x{{/each}}" }',
      'did you mean issue.labels?',
    ],
    [
      '{ trigger: issues.opened, template: "{{issue.titel}}" }',
      'no sample of issues.opened has issue.titel; did you mean issue.title?',
    ],
    [
      '{ trigger: issues.opened, template: "{{truncate isue.body 9}}" }',
      'has isue.body; did you mean issue.body?',
    ],
    [
      '{ trigger: issues.opened, conditions: { issue.stat: open } }',
      'has issue.stat; did you mean issue.state?',
    ],
    ['{ trigger: issues.opened, conditions: { $or: [{ issue.labels.nam: x }] } }', 'has issue.labels.nam'],
    ['{ name: go, template: "{{repositori.full_name}}" }', 'did you mean repository.full_name?'],
  ])('%s', async (command, told) => {
    expect((await warnings(command)).join()).toContain(told);
  });

  test('E24: nothing is said of what a sample has, of wildcards, and of what a template asks about first', async () => {
    for (const command of [
      '{ trigger: issues.opened, template: "{{issue.title}} {{issue.user.login}}" }',
      '{ trigger: issues.*, conditions: { issue.state: open } }',
      '{ trigger: "*", template: "{{@event.title}}" }',
      '{ trigger: issues.opened, template: "{{#if issue.nope}}{{issue.nope}}{{/if}}{{default x.y \'z\'}}" }',
      '{ trigger: issues.opened, template: "{{#each issue.labels}}{{name}} {{nope}}{{/each}}" }',
      '{ trigger: issues.opened, conditions: { issue.gone: { $exists: false } } }',
    ]) {
      expect([command, await warnings(command)]).toEqual([command, []]);
    }
  });

  test('E24: the built-in webhooks of all providers give no warning', async () => {
    const { snapshot } = await load(folderWith({ 'webhooks.yml': '' }), { allBuiltIn: true });
    // As a project's own: of the built-in ones a start looks at nothing but what the project changed.
    const own = snapshot.webhooks.map(
      (webhook): Webhook => ({ ...webhook, origin: { kind: 'static', file: 'own.ts', line: null } }),
    );
    expect(await lintWebhooks(own)).toEqual([]);
  });
});

describe('E15: the list in Claude Code has the name of the project', () => {
  test('E15: of its folder, without a project hookctl, and never that of another project', () => {
    const claude = folderWith();
    const env = { CLAUDE_CONFIG_DIR: claude };
    expect(defaultClaudeList('/work/shop/webhooks.yml', env)).toBe('shop');
    expect(defaultClaudeList('/work/My Shop (new)/webhooks.yml', env)).toBe('My-Shop-new');
    expect(defaultClaudeList('/work/店/webhooks.yml', env)).toBe('hookctl');
    expect(defaultClaudeList(null, env)).toBe('hookctl');
    const list = join(claude, 'tasks/shop');
    mkdirSync(list, { recursive: true });
    const entry = { id: '2', subject: 'x', metadata: { project: '/work/shop' } };
    writeFileSync(join(list, '1.json'), '{"id":"1","metadata":{"_internal":true}}');
    writeFileSync(join(list, '2.json'), JSON.stringify(entry));
    expect(defaultClaudeList('/work/shop/webhooks.yml', env)).toBe('shop');
    const other = defaultClaudeList('/home/ada/shop/webhooks.yml', env);
    expect(other).toMatch(/^shop-[0-9a-f]{6}$/);
    expect(defaultClaudeList('/home/bob/shop/webhooks.yml', env)).not.toBe(other);
  });
});

describe('F8: check names the commands that start on words of strangers', () => {
  const told = async (provider: string, command: object) => {
    const at = '2026-01-01T00:00:00Z';
    const webhook = {
      ...{ webhook_id: 'wh-words', provider, name: 'words', endpoint: `/webhooks/${provider}/wh-words` },
      ...{ secret: 'a-secret-of-sixteen', commands: [{ id: 'cmd-words', ...command }] },
      ...{ created_at: at, updated_at: at },
    };
    const db = JSON.stringify({ schema_version: 1, webhooks: [webhook] });
    const { snapshot } = await load(folderWith({ 'webhooks.yml': '', '.hookctl/webhooks.json': db }));
    return startsWithoutApproval(snapshot.webhooks).join('\n');
  };
  const never = { approval: 'never' };

  test.each([
    [
      'sentry',
      { trigger: 'error.created', ...never },
      'webhook words: error.created has `approval: never`: ',
    ],
    ['sentry', { trigger: '*', agent: 'coder', ...never }, 'coder starts at once'],
    ['sentry', { name: 'fix', ...never }, 'webhook words: fix has'],
    ['shopify', { trigger: 'orders/create', ...never }, 'webhook words: orders/create has'],
    ['sentry', { trigger: 'future.thing', ...never }, 'webhook words: future.thing has'],
    ['sentry', { trigger: 'error.created', requires_approval: true, ...never }, ''],
    ['sentry', { trigger: 'error.created' }, ''],
    ['sentry', { trigger: 'metric_alert.*', ...never }, ''],
    ['grafana', { trigger: '*', ...never }, ''],
    // A person is the sender: strangers' tasks wait there all the same.
    ['github', { trigger: 'issues.opened', ...never }, ''],
  ])('F8: %s %j', async (webhook, command, expected) => {
    const said = await told(webhook, command);
    if (expected === '') expect(said).toBe('');
    else expect(said).toContain(expected);
  });
});
