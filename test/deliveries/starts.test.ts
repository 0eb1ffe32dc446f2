import { expect, test } from 'vitest';
import { actions } from '../../src/actions/index.ts';
import { resolveWebhook } from '../../src/config/resolve.ts';
import { definitionSchema } from '../../src/config/schema.ts';
import { match } from '../../src/deliveries/match.ts';
import type { JsonObject } from '../../src/types.ts';
import { providers } from '../support/providers.ts';
import { eventWith, person, webhookWith } from './support.ts';

const STARTS = { label: 'agent', assigned: 'bot', reviewRequested: 'bot' };

const gitlab = (list: string, previous: readonly JsonObject[], current: readonly JsonObject[]) => ({
  changes: { [list]: { previous, current } },
});

test.each<readonly [string, string, object, JsonObject, boolean]>([
  ['github', 'issues.labeled', STARTS, { label: { name: 'agent' } }, true],
  ['github', 'pull_request.labeled', STARTS, { label: { name: 'agent' } }, true],
  [
    'github',
    'issues.labeled',
    STARTS,
    { label: { name: 'bug' }, issue: { labels: [{ name: 'agent' }] } },
    false,
  ],
  ['github', 'issues.unlabeled', STARTS, { label: { name: 'agent' } }, false],
  ['github', 'issues.assigned', STARTS, { assignee: { login: 'bot' } }, true],
  ['github', 'issues.assigned', STARTS, { assignee: { login: 'ada' } }, false],
  ['github', 'pull_request.review_requested', STARTS, { requested_reviewer: { login: 'bot' } }, true],
  ['gitlab', 'issue.update', STARTS, gitlab('labels', [], [{ title: 'agent' }]), true],
  [
    'gitlab',
    'issue.update',
    STARTS,
    gitlab('labels', [{ title: 'agent' }], [{ title: 'agent' }, { title: 'x' }]),
    false,
  ],
  ['gitlab', 'merge_request.update', STARTS, gitlab('reviewers', [], [{ username: 'bot' }]), true],
  [
    'jira',
    'jira:issue_updated',
    { transition: 'Agent' },
    { changelog: { items: [{ field: 'status', toString: 'Agent' }] } as unknown as JsonObject },
    true,
  ],
  [
    'jira',
    'jira:issue_updated',
    { transition: 'Agent' },
    {
      changelog: {
        items: [
          { field: 'status', toString: 'Done' },
          { field: 'priority', toString: 'Agent' },
        ],
      } as unknown as JsonObject,
    },
    false,
  ],
])('starts: %s, %s with %o', async (provider, type, starts, payload, isStarted) => {
  const webhook = await webhookWith({ provider, starts });
  const { matches } = match(webhook, eventWith({ type, payload, text: null }));
  const fired = matches.filter((each) => each.fired);
  expect(fired.map(({ command }) => command.template.source)).toEqual(
    isStarted ? ['Analyze {{@argument}}'] : [],
  );
});

test('starts: the task of who may not command waits for approval', async () => {
  const webhook = await webhookWith({ starts: STARTS });
  const sender = person({ association: 'NONE' });
  const labeled = eventWith({ type: 'issues.labeled', payload: { label: { name: 'agent' } }, sender });
  expect(match(webhook, labeled).matches.find(({ fired }) => fired)).toMatchObject({
    needsApproval: true,
    allowed: false,
  });
});

test.each<readonly [string, string, JsonObject, boolean]>([
  ['github', 'pull_request.closed', { pull_request: { merged: true } }, true],
  ['github', 'pull_request.closed', { pull_request: { merged: false } }, false],
  ['gitlab', 'merge_request.merge', {}, true],
  ['bitbucket', 'pullrequest:fulfilled', {}, true],
  ['bitbucket', 'pullrequest:rejected', {}, false],
])('tellMerged: %s, %s with %o', async (provider, type, payload, isTold) => {
  const webhook = await webhookWith({ provider, tellMerged: true, allow: { associations: ['OWNER'] } });
  const fired = match(webhook, eventWith({ type, payload, text: null })).matches.filter((each) => each.fired);
  expect(fired.map(({ command }) => [command.action, command.options])).toEqual(
    isTold ? [['comment', { in: 'flow' }]] : [],
  );
});

test.each([
  [{ starts: { transition: 'Agent' } }, 'starts.transition'],
  [{ provider: 'slack', tellMerged: true }, 'tellMerged'],
  [{ provider: 'slack', repair: { checks: ['ci'] } }, 'repair'],
])('starts: what a provider does not tell is a mistake: %o', async (fields, path) => {
  const definition = definitionSchema.parse({ name: 'x', provider: 'github', commands: [], ...fields });
  const resolved = await resolveWebhook(definition, { kind: 'built-in' }, { providers, actions });
  const issues = resolved.ok ? [] : resolved.issues;
  expect(issues.map((issue) => issue.path.join('.'))).toContain(path);
});
