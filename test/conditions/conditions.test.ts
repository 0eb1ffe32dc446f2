import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { compileConditions } from '../../src/conditions/conditions.ts';
import type { JsonObject } from '../../src/types.ts';

interface Example {
  readonly name: string;
  readonly examples: readonly JsonObject[];
}
const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Example[];

/** GitHub's own payload of an event, by its action. */
function payloadOf(name: string, action?: string): JsonObject {
  const found = examples.find((example) => example.name === name)?.examples ?? [];
  const payload = found.find((example) => action === undefined || example.action === action);
  if (payload === undefined) throw new Error(`no example of ${name} ${action}`);
  return payload;
}
const opened = payloadOf('issues', 'opened');
const PAYLOADS = {
  issue: opened,
  pull: payloadOf('pull_request', 'opened'),
  push: examples.find(({ name }) => name === 'push')?.examples.find(({ commits }) => hasItems(commits)) ?? {},
  labels: {
    ...opened,
    issue: { title: 'x', labels: [{ name: 'bug' }, { name: 'help wanted', color: 'red' }] },
  },
};
function hasItems(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

function unmet(source: JsonObject, payload: JsonObject): string | null {
  const result = compileConditions(source);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.conditions.unmet(payload);
}

type Case = readonly [payload: keyof typeof PAYLOADS, source: JsonObject, holds: boolean];
const CASES: readonly Case[] = [
  ['issue', {}, true],
  ['issue', { action: 'opened' }, true],
  ['issue', { action: 'closed' }, false],
  ['issue', { 'issue.state': 'open' }, true],
  ['issue', { 'issue.state': 'Open' }, false],
  ['issue', { 'issue.state': 'open', action: 'opened', 'issue.number': 1 }, true],
  ['issue', { 'issue.state': 'open', action: 'opened', 'issue.number': 2 }, false],
  ['issue', { 'issue.number': '1' }, false],
  ['issue', { 'issue.number': { $eq: 1 } }, true],
  ['issue', { 'issue.number': { $ne: 1 } }, false],
  ['issue', { 'issue.number': { $gt: 0 } }, true],
  ['issue', { 'issue.number': { $gt: 1 } }, false],
  ['issue', { 'issue.number': { $gte: 1 } }, true],
  ['issue', { 'issue.number': { $lt: 1 } }, false],
  ['issue', { 'issue.number': { $lte: 1 } }, true],
  ['issue', { 'issue.number': { $gte: 1, $lt: 5 } }, true],
  ['issue', { 'issue.number': { $gte: 1, $lt: 1 } }, false],
  ['issue', { 'issue.number': { $gt: '0' } }, false],
  ['issue', { 'issue.created_at': { $gt: '2019-01-01' } }, true],
  ['issue', { 'issue.locked': false }, true],
  ['issue', { 'issue.locked': { $ne: false } }, false],
  ['issue', { 'issue.locked': 0 }, false],
  ['issue', { 'issue.closed_at': null }, true],
  ['issue', { 'issue.no_such_field': null }, true],
  ['issue', { 'issue.title': null }, false],
  ['issue', { 'issue.title': { $exists: true } }, true],
  ['issue', { 'issue.closed_at': { $exists: true } }, true],
  ['issue', { 'issue.no_such_field': { $exists: true } }, false],
  ['issue', { 'issue.no_such_field': { $exists: false } }, true],
  ['issue', { 'issue.no.such.field': 'x' }, false],
  ['issue', { 'issue.title.no.such': { $exists: false } }, true],
  ['issue', { 'issue.user.login': { $in: ['octocat', 'Codertocat'] } }, true],
  ['issue', { 'issue.user.login': { $in: ['octocat'] } }, false],
  ['issue', { 'issue.user.login': { $nin: ['octocat'] } }, true],
  ['issue', { 'issue.user.login': { $nin: ['Codertocat'] } }, false],
  ['issue', { 'issue.title': { $regex: 'README' } }, true],
  ['issue', { 'issue.title': { $regex: 'readme' } }, false],
  ['issue', { 'issue.title': { $regex: 'readme', $options: 'i' } }, true],
  ['issue', { 'issue.title': { $regex: '^README' } }, false],
  ['issue', { 'issue.title': { $not: { $regex: '^WIP' } } }, true],
  ['issue', { 'issue.title': { $not: { $regex: '^spelling', $options: 'i' } } }, false],
  ['issue', { 'issue.number': { $regex: '1' } }, false],
  ['issue', { 'issue.number': { $type: 'number' } }, true],
  ['issue', { 'issue.title': { $type: 'number' } }, false],
  ['issue', { 'issue.closed_at': { $type: 'null' } }, true],
  ['issue', { 'issue.user': { $type: 'object' } }, true],
  ['issue', { 'issue.locked': { $type: 'bool' } }, true],
  ['issue', { 'issue.labels': 'bug' }, true],
  ['issue', { 'issue.labels.name': 'bug' }, true],
  ['issue', { 'issue.labels.0.name': 'bug' }, true],
  ['issue', { 'issue.labels.1.name': 'bug' }, false],
  ['issue', { 'issue.labels': 'feature' }, false],
  ['issue', { 'issue.labels': { $size: 1 } }, true],
  ['issue', { 'issue.labels': { $type: 'array' } }, true],
  ['labels', { 'issue.labels': 'help wanted' }, true],
  ['labels', { 'issue.labels': { $in: ['wip', 'bug'] } }, true],
  ['labels', { 'issue.labels': { $all: ['bug', 'help wanted'] } }, true],
  ['labels', { 'issue.labels': { $all: ['bug', 'wip'] } }, false],
  ['labels', { 'issue.labels': { $ne: 'bug' } }, false],
  ['labels', { 'issue.labels': { $ne: 'wip' } }, true],
  ['labels', { 'issue.labels': { $nin: ['bug'] } }, false],
  ['labels', { 'issue.labels': { $regex: '^help' } }, true],
  ['labels', { 'issue.labels': { $not: { $regex: '^help' } } }, false],
  ['labels', { 'issue.labels': { $not: { $in: ['bug'] } } }, false],
  ['labels', { 'issue.labels': { $size: 2, $all: ['bug'] } }, true],
  ['labels', { 'issue.labels': { $elemMatch: { name: 'help wanted', color: 'red' } } }, true],
  ['labels', { 'issue.labels': { $elemMatch: { name: 'bug', color: 'red' } } }, false],
  ['labels', { 'issue.labels': { $elemMatch: { $or: [{ name: 'x' }, { color: 'red' }] } } }, true],
  ['labels', { $or: [{ 'issue.labels': 'wip' }, { 'issue.labels': 'bug' }] }, true],
  ['labels', { $nor: [{ 'issue.labels': 'wip' }, { 'issue.labels': 'bug' }] }, false],
  ['pull', { 'pull_request.labels': { $ne: 'wip' } }, true],
  ['pull', { 'pull_request.labels': 'bug' }, false],
  ['pull', { 'pull_request.labels': { $size: 0 } }, true],
  ['pull', { 'pull_request.draft': false, 'pull_request.base.ref': 'master' }, true],
  ['pull', { 'pull_request.head.ref': { $regex: '^(feat|fix)/' } }, false],
  ['pull', { 'pull_request.author_association': { $in: ['OWNER', 'MEMBER'] } }, true],
  ['pull', { $and: [{ number: { $gt: 1 } }, { number: { $lt: 3 } }] }, true],
  ['pull', { $and: [{ number: 2 }, { $or: [{ action: 'closed' }, { action: 'opened' }] }] }, true],
  ['pull', { $or: [{ action: 'closed' }, { number: 3 }] }, false],
  ['pull', { $nor: [{ action: 'closed' }, { number: 3 }] }, true],
  ['push', { ref: { $regex: '^refs/heads/' }, forced: false }, true],
  ['push', { 'commits.message': { $regex: '^Initial' } }, true],
  ['push', { 'commits.added': 'README.md' }, true],
  ['push', { 'commits.0.added.0': 'README.md' }, true],
  ['push', { 'commits.added': 'LICENSE' }, false],
  ['push', { commits: { $elemMatch: { distinct: true, message: { $regex: 'commit' } } } }, true],
];

describe('conditions over payloads of GitHub', () => {
  test('there are at least 60 of them', () => expect(CASES.length).toBeGreaterThanOrEqual(60));
  test.each(CASES)('%s: %j holds: %s', (name, source, holds) => {
    expect(unmet(source, PAYLOADS[name]) === null).toBe(holds);
  });
});

describe('E20: the names that are there are compared, also where not all elements have one', () => {
  const labels = [{ name: 'bug' }, { id: 1 }];
  const mixed = ['wip', { name: 'bug' }, null, 5, [{ name: 'deep' }]];
  const pulls = [{ labels: [{ name: 'bug' }] }, { labels: [{ id: 1 }] }, {}];
  test.each<readonly [JsonObject, JsonObject, boolean]>([
    [{ labels: { $ne: 'bug' } }, { labels }, false],
    [{ labels: 'bug' }, { labels }, true],
    [{ labels: { $nin: ['bug'] } }, { labels }, false],
    [{ labels: { $not: { $eq: 'bug' } } }, { labels }, false],
    [{ labels: { $not: { $regex: '^b' } } }, { labels }, false],
    [{ labels: { $all: ['bug'] } }, { labels }, true],
    [{ labels: { $elemMatch: { $ne: 'bug' } } }, { labels: [{ name: 'bug' }] }, false],
    [{ labels: { $ne: 'wip' } }, { labels }, true],
    [{ labels: { $ne: 'bug' } }, { labels: [{ id: 1 }] }, true],
    [{ labels: { $ne: 'bug' } }, { labels: mixed }, false],
    [{ labels: { $all: ['wip', 'bug'] } }, { labels: mixed }, true],
    [{ labels: { $nin: ['x', 'wip'] } }, { labels: mixed }, false],
    [{ labels: { $regex: '^w' } }, { labels: mixed }, true],
    [{ 'pulls.labels': { $ne: 'bug' } }, { pulls }, false],
    [{ 'pulls.labels': { $in: ['bug', 'x'] } }, { pulls }, true],
    [{ 'pulls.labels': { $nin: ['x'] } }, { pulls }, true],
    [{ team: 'bug' }, { team: { name: 'bug' } }, true],
    [{ team: { $ne: 'bug' } }, { team: { name: 'bug' } }, false],
    [{ team: { $in: ['x'] } }, { team: { name: 'bug' } }, false],
    [{ 'labels.0': { $ne: 'bug' } }, { labels }, false],
    [{ 'labels.1': 'bug' }, { labels }, false],
    [{ team: { $exists: true } }, { team: { name: 'bug' } }, true],
  ])('%j on %j: %s', (source, payload, holds) => {
    expect(unmet(source, payload) === null).toBe(holds);
  });
});

describe('E2: a number equals the text of its digits', () => {
  test.each<readonly [JsonObject, string | number | boolean, boolean]>([
    [{ v: 2 }, '2', true],
    [{ v: 2 }, 2, true],
    [{ v: 2 }, '2.0', false],
    [{ v: 2 }, '02', false],
    [{ v: -1.5 }, '-1.5', true],
    [{ v: { $ne: 2 } }, '2', false],
    [{ v: { $ne: 2 } }, '3', true],
    [{ v: { $in: [1, 2] } }, '2', true],
    [{ v: { $nin: [1, 2] } }, '2', false],
    [{ v: { $not: { $eq: 2 } } }, '2', false],
    [{ v: { $gte: 3 } }, '10', true],
    [{ v: { $gt: 3 } }, '3', false],
    [{ v: { $lt: 3 } }, '1.10', false],
    [{ v: { $lt: 3 } }, 'x', false],
    [{ v: '2' }, 2, false],
    [{ v: true }, 'true', true],
    [{ v: false }, 0, false],
    [{ v: 0 }, false, false],
    [{ v: 0 }, '', false],
  ])('%j on %j: %s', (source, v, holds) => {
    expect(unmet(source, { v }) === null).toBe(holds);
  });
});

test('the same conditions give the same answer however often they are asked', () => {
  const result = compileConditions({ 'issue.labels': { $in: ['bug'] }, 'issue.title': { $regex: 'README' } });
  if (!result.ok) throw new Error('refused');
  const answers = [PAYLOADS.issue, PAYLOADS.pull, PAYLOADS.issue, {}, PAYLOADS.issue];
  expect(answers.map((payload) => result.conditions.unmet(payload) === null)).toEqual([
    true,
    false,
    true,
    false,
    true,
  ]);
});

describe('the reason names the first condition that does not hold', () => {
  const issue = {
    state: 'closed',
    number: 4,
    labels: [{ name: 'bug' }],
    title: 'a\u001b[31m\nb',
    body: 'x'.repeat(500),
  };
  test.each([
    [{ 'issue.state': 'open' }, 'issue.state is "closed", wanted "open"'],
    [{ 'issue.number': 4, 'issue.state': 'open' }, 'issue.state is "closed", wanted "open"'],
    [{ 'issue.milestone.title': 'v1' }, 'issue.milestone.title is missing, wanted "v1"'],
    [{ 'issue.number': { $gte: 1, $lt: 3 } }, 'issue.number is 4, wanted less than 3'],
    [{ 'issue.number': { $gt: 4 } }, 'issue.number is 4, wanted more than 4'],
    [{ 'issue.state': { $ne: 'closed' } }, 'issue.state is "closed", wanted anything but "closed"'],
    [{ 'issue.state': { $in: ['open', 'x'] } }, 'issue.state is "closed", wanted one of "open", "x"'],
    [{ 'issue.labels': 'wip' }, 'issue.labels is ["bug"], wanted "wip"'],
    [{ 'issue.labels.name': 'wip' }, 'issue.labels.name is ["bug"], wanted "wip"'],
    [{ 'issue.labels': { $size: 2 } }, 'issue.labels is ["bug"], wanted a list of 2'],
    [{ 'issue.state': { $exists: false } }, 'issue.state is "closed", wanted it to be absent'],
    [{ 'issue.state': { $type: 'number' } }, 'issue.state is "closed", wanted a value of type number'],
    [
      { 'issue.state': { $regex: '^op', $options: 'i' } },
      'issue.state is "closed", wanted a match of /^op/i',
    ],
    [
      { 'issue.state': { $not: { $eq: 'closed' } } },
      'issue.state is "closed", wanted the contrary of "closed"',
    ],
    [{ 'issue.title': 'x' }, 'issue.title is "a⟦U+001B⟧[31m b", wanted "x"'],
    [{ 'issue.body': 'y' }, `issue.body is "${'x'.repeat(59)}…", wanted "y"`],
    [{ $or: [{ 'issue.number': 5 }] }, 'none of $or holds: issue.number is 4, wanted 5'],
    [{ $nor: [{ 'issue.number': 5 }, { 'issue.number': 4 }] }, 'number 2 of $nor holds'],
  ])('%j', (source, reason) => expect(unmet(source as JsonObject, { issue })).toBe(reason));
});

test('a payload with fields called like methods or prototypes breaks nothing', () => {
  const payload = JSON.parse(
    '{"__proto__":{"state":"open"},"issue":{"hasOwnProperty":1,"toJSON":2,"labels":[{"toString":1}]}}',
  );
  expect(unmet({ state: 'open' }, payload)).toBe('state is missing, wanted "open"');
  expect(unmet({ 'issue.labels': 'bug' }, payload)).toContain('issue.labels is [{…}]');
});

test('more text than regular expressions may search leaves the condition unmet, also a negated one', () => {
  const commits = Array.from({ length: 200 }, () => ({ message: 'a'.repeat(60_000) }));
  for (const query of [{ $regex: '(a|b)*c$' }, { $not: { $regex: 'b' } }]) {
    expect(unmet({ 'commits.message': query }, { commits })).toMatch(/not decided: too much text/);
  }
  expect(unmet({ 'commits.message': { $regex: 'b' } }, { commits: [{ message: 'b' }] })).toBeNull();
});

test('`toString`, a field of Jira’s changelogs, is compared where it is one, and else is missing', () => {
  const compiled = compileConditions({ 'changelog.items.toString': 'Done' });
  if (!compiled.ok) throw new Error('refused');
  const { unmet } = compiled.conditions;
  expect(unmet({ changelog: { items: [{ field: 'status', toString: 'Done' }] } })).toBeNull();
  expect(unmet({ changelog: { items: [{ field: 'status' }] } })).toContain('changelog.items.toString');
});
