import { describe, expect, test } from 'vitest';
import { github } from '../../src/providers/github/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { examples } from '../support/github.ts';
import { merged } from '../support/merged.ts';
import { json, onlyEvent, request } from './support.ts';

const all = examples().map(({ event: name, payload }) => ({ name, payload }));
const event = (name: string, payload: JsonObject) =>
  onlyEvent(github.parse(request(json(payload), { 'x-github-event': name })));
const example = (name: string): JsonObject => {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no example of ${name}`);
  return found.payload;
};

/** Events that name nothing with a title, or nothing with a page. */
const WITHOUT_TITLE = ['github_app_authorization'];
const WITHOUT_URL = ['github_app_authorization', 'marketplace_purchase'];
/** Events that name a commit which they are not about: a wiki's, a package version's. */
const NAMES_ANOTHER = ['gollum', 'package'];

/** Whether a payload holds an issue, a pull request, a discussion or a commit, at whatever place. */
function namesSubject(payload: JsonObject): boolean {
  const text = JSON.stringify(payload);
  return (
    /"html_url":"[^"]+\/(?:issues|pull|discussions|commit)\/[0-9a-f]+["#]/.test(text) ||
    /"(?:head_sha|commit_id|commit_oid|sha|head_commit|after)":"(?!0{40})[0-9a-f]{40}"/.test(text) ||
    /"content_url":"[^"]+\/issues\/\d+"/.test(text)
  );
}

describe('C4: every example of octokit', () => {
  test.each([...new Set(all.map(({ name }) => name))])('%s has title, page and subject', (name) => {
    for (const { payload } of all.filter((each) => each.name === name)) {
      const { title, url, externalId, sender } = event(name, payload);
      if (!WITHOUT_TITLE.includes(name)) expect(title).toMatch(/^\S[^\n]*$/);
      if (!WITHOUT_URL.includes(name)) expect(url).toMatch(/^https?:\/\/\S+$/);
      if (namesSubject(payload) && !NAMES_ANOTHER.includes(name)) expect(externalId).not.toBeNull();
      expect(sender === null).toBe(name === 'security_advisory');
    }
  });
});

test.each([
  ['check_run', 'check_run', 'name'],
  ['workflow_run', 'workflow_run', 'display_title'],
  ['workflow_job', 'workflow_job', 'name'],
  ['release', 'release', 'name'],
  ['milestone', 'milestone', 'title'],
] as const)('C4: %s is called as the thing is, and leads to its page', (name, key, titleKey) => {
  const payload = example(name);
  const thing = payload[key] as JsonObject;
  expect(event(name, payload).url).toBe(thing.html_url);
  expect(event(name, payload).title).toBe(thing[titleKey] ?? thing.name ?? thing.tag_name);
});

describe('C6: the thing that is named is the subject', () => {
  const sha = 'd6fde92930d4715a2b49857d24b940956b26d2d3';
  const repository = { id: 7, full_name: 'o/r', html_url: 'https://github.com/o/r' };
  const sender = { id: 1, login: 'ada', type: 'User' };
  const pull = (number: number, repo = 7) => ({ number, base: { repo: { id: repo } } });
  const about = (name: string, payload: JsonObject) =>
    event(name, { repository, sender, ...payload }).externalId;

  test.each<readonly [string, string, JsonObject, string | null]>([
    [
      'a check of a commit',
      'check_run',
      { check_run: { head_sha: sha, pull_requests: [] } },
      `github:o/r@${sha}`,
    ],
    [
      'a check of one pull request',
      'check_run',
      { check_run: { head_sha: sha, pull_requests: [pull(3)] } },
      'github:o/r#3',
    ],
    [
      'a check of two pull requests is the commit’s',
      'check_suite',
      { check_suite: { head_sha: sha, pull_requests: [pull(3), pull(4)] } },
      `github:o/r@${sha}`,
    ],
    [
      'a check of a pull request of another repository is the commit’s',
      'workflow_run',
      { workflow_run: { head_sha: sha, pull_requests: [pull(3, 8)] } },
      `github:o/r@${sha}`,
    ],
    ['the state of a commit', 'status', { sha, commit: { sha } }, `github:o/r@${sha}`],
    [
      'the state of a deployment',
      'deployment_status',
      { deployment_status: { state: 'failure' }, deployment: { sha }, check_run: null },
      `github:o/r@${sha}`,
    ],
    [
      'a pull request in the merge queue',
      'merge_group',
      { merge_group: { head_sha: sha, head_ref: `refs/heads/gh-readonly-queue/main/pr-12-${sha}` } },
      'github:o/r#12',
    ],
    [
      'a card of an issue',
      'project_card',
      { project_card: { content_url: 'https://api.github.com/repos/o/r/issues/5' } },
      'github:o/r#5',
    ],
    [
      'an alert',
      'secret_scanning_alert',
      { alert: { html_url: 'https://github.com/o/r/security/secret-scanning/9' } },
      'github:o/r/security/secret-scanning/9',
    ],
    [
      'a page of another host is no subject',
      'release',
      { release: { html_url: 'https://evil.example/o/r/releases/1' } },
      null,
    ],
    [
      'the parent that gets a child',
      'sub_issues',
      { action: 'sub_issue_added', parent_issue: { number: 1 }, sub_issue: { number: 2 } },
      'github:o/r#1',
    ],
    [
      'the child that gets a parent of another repository',
      'sub_issues',
      {
        action: 'parent_issue_added',
        parent_issue: { number: 1 },
        sub_issue: { number: 2 },
        sub_issue_repo: { id: 8, full_name: 'o/other' },
      },
      'github:o/other#2',
    ],
    [
      'the issue that is blocked',
      'issue_dependencies',
      { action: 'blocked_by_added', blocked_issue: { number: 4 }, blocking_issue: { number: 5 } },
      'github:o/r#4',
    ],
    [
      'the issue that blocks',
      'issue_dependencies',
      { action: 'blocking_added', blocked_issue: { number: 4 }, blocking_issue: { number: 5 } },
      'github:o/r#5',
    ],
    [
      'a branch that was deleted is none',
      'push',
      { ref: 'refs/heads/x', before: sha, after: '0'.repeat(40), head_commit: null },
      null,
    ],
  ])('%s', (_, name, payload, id) => expect(about(name, payload)).toBe(id));

  test('the subject of an event is not its sender', () => {
    const member = { id: 2, login: 'mallory', type: 'User' };
    for (const [name, payload] of [
      ['member', { action: 'added', member }],
      ['membership', { action: 'added', member, team: { name: 't' } }],
      ['organization', { action: 'member_added', membership: { user: member } }],
      ['org_block', { action: 'blocked', blocked_user: member }],
    ] as const) {
      expect(event(name, { repository, sender, ...payload }).sender?.id).toBe('1');
      expect(event(name, { repository, ...payload }).sender).toBeNull();
    }
  });

  test('a check’s subject keeps its flow when the repository is renamed', () => {
    const run = { check_run: { head_sha: sha, pull_requests: [] }, repository, sender };
    const renamed = merged(run, { repository: { full_name: 'o/new' } });
    expect(event('check_run', run).stableIds).toEqual(event('check_run', renamed).stableIds);
  });
});
