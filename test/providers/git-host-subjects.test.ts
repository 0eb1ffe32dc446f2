import { describe, expect, test } from 'vitest';
import { bitbucket } from '../../src/providers/bitbucket/index.ts';
import { gitea } from '../../src/providers/gitea/index.ts';
import { gitlab } from '../../src/providers/gitlab/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { json, onlyEvent, request } from './support.ts';

const SHA = 'bcbb5ec396a2c0f828686f14fac9b80b780504f2';

/** What an event is about, by the three fields that people see. */
type Told = readonly [externalId: string | null, title: string | null, url: string | null];
type Row = readonly [name: string, event: string, payload: JsonObject, told: Told];

const told = ({ externalId, title, url }: ReturnType<typeof onlyEvent>): Told => [externalId, title, url];

describe('C6: GitLab', () => {
  const WEB = 'https://gitlab.com/acme/web';
  const project = { id: 5, path_with_namespace: 'acme/web', web_url: WEB, visibility_level: 0 };
  const user = { id: 51, username: 'ada', name: 'Ada' };
  const event = (payload: JsonObject) => onlyEvent(gitlab.parse(request(json(payload))));
  const commit = { id: SHA, title: 'Mend the pump', url: `${WEB}/-/commit/${SHA}` };

  test.each<Row>([
    [
      'an emoji on an issue',
      'emoji',
      {
        user,
        project,
        object_attributes: { name: 'thumbsup', action: 'award', awarded_on_url: `${WEB}/-/issues/7` },
        issue: { id: 1, iid: 7, title: 'Pump' },
      },
      ['gitlab:acme/web#7', 'Pump', `${WEB}/-/issues/7`],
    ],
    [
      'an emoji on the note of a commit',
      'emoji',
      {
        user,
        project,
        object_attributes: { name: 'thumbsup', awarded_on_url: `${WEB}/-/commit/${SHA}#note_1` },
        note: { commit_id: SHA },
        commit,
      },
      [`gitlab:acme/web@${SHA}`, 'Mend the pump', `${WEB}/-/commit/${SHA}#note_1`],
    ],
    [
      'a note on a commit',
      'note',
      {
        user,
        project,
        object_attributes: { commit_id: SHA, url: `${WEB}/x`, note: 'x', action: 'create' },
        commit,
      },
      [`gitlab:acme/web@${SHA}`, 'Mend the pump', `${WEB}/x`],
    ],
    [
      'a pipeline of a commit',
      'pipeline',
      { user, project, object_attributes: { id: 3, sha: SHA, url: `${WEB}/-/pipelines/3` }, commit },
      [`gitlab:acme/web@${SHA}`, 'Mend the pump', `${WEB}/-/pipelines/3`],
    ],
    [
      'a pipeline of a merge request',
      'pipeline',
      {
        user,
        project,
        object_attributes: { sha: SHA, url: `${WEB}/-/pipelines/3` },
        merge_request: { id: 9, iid: 4, title: 'Pump' },
      },
      ['gitlab:acme/web!4', 'Pump', `${WEB}/-/pipelines/3`],
    ],
    [
      'a job',
      'build',
      { user, project, sha: SHA, build_id: 8, build_name: 'test', commit: { id: 2366, sha: SHA } },
      [`gitlab:acme/web@${SHA}`, 'test', `${WEB}/-/jobs/8`],
    ],
    [
      'a job of an older version, without a project',
      'build',
      {
        user,
        project_id: 5,
        sha: SHA,
        build_id: 8,
        build_name: 'test',
        repository: { homepage: 'https://git.example.com/acme/web' },
      },
      [`gitlab:git.example.com/acme/web@${SHA}`, 'test', 'https://git.example.com/acme/web/-/jobs/8'],
    ],
    [
      'a push',
      'push',
      { user_id: 51, project, checkout_sha: SHA, after: SHA, commits: [commit] },
      [`gitlab:acme/web@${SHA}`, 'Mend the pump', commit.url],
    ],
    [
      'a branch that was deleted',
      'push',
      { user_id: 51, project, checkout_sha: null, after: '0'.repeat(40), ref: 'refs/heads/x', commits: [] },
      [null, 'refs/heads/x', WEB],
    ],
    [
      'a deployment',
      'deployment',
      {
        user,
        project,
        deployable_url: `${WEB}/-/jobs/796`,
        commit_url: commit.url,
        commit_title: 'Mend the pump',
      },
      [`gitlab:acme/web@${SHA}`, 'Mend the pump', `${WEB}/-/jobs/796`],
    ],
    [
      'a release',
      'release',
      { project, name: 'Version 1', tag: 'v1', url: `${WEB}/-/releases/v1`, action: 'create', commit },
      ['gitlab:acme/web/-/releases/v1', 'Version 1', `${WEB}/-/releases/v1`],
    ],
    [
      'a milestone',
      'milestone',
      { project, object_attributes: { id: 61, iid: 2, title: 'May' } },
      ['gitlab:acme/web/-/milestones/2', 'May', `${WEB}/-/milestones/2`],
    ],
    [
      'a feature flag',
      'feature_flag',
      { user, project, object_attributes: { id: 6, name: 'pump' } },
      ['gitlab:acme/web/-/feature_flags/pump', 'pump', `${WEB}/-/feature_flags`],
    ],
    [
      'a vulnerability',
      'vulnerability',
      { project, object_attributes: { title: 'REDOS', url: `${WEB}/-/security/vulnerabilities/1` } },
      ['gitlab:acme/web/-/security/vulnerabilities/1', 'REDOS', `${WEB}/-/security/vulnerabilities/1`],
    ],
    [
      'a vulnerability, as the documentation shows it, without a project',
      'vulnerability',
      { object_attributes: { title: 'REDOS', project_id: 5, url: `${WEB}/-/security/vulnerabilities/1` } },
      ['gitlab:acme/web/-/security/vulnerabilities/1', 'REDOS', `${WEB}/-/security/vulnerabilities/1`],
    ],
    [
      'a milestone of a group',
      'milestone',
      {
        group: { web_url: 'https://gitlab.com/groups/acme' },
        object_attributes: { id: 61, iid: 2, title: 'May' },
      },
      [null, 'May', 'https://gitlab.com/groups/acme/-/milestones/2'],
    ],
    [
      'a token that expires',
      'access_token',
      { project, object_attributes: { name: 'ci', user_id: 90 } },
      [null, 'ci', `${WEB}/-/settings/access_tokens`],
    ],
    [
      'a merge request of a system hook, without an address',
      'merge_request',
      { user, project, object_attributes: { id: 90, iid: 1, title: 'Pump' } },
      ['gitlab:acme/web!1', 'Pump', `${WEB}/-/merge_requests/1`],
    ],
    [
      'a pipeline of an older version, without an address',
      'pipeline',
      { user, project, object_attributes: { id: 31, sha: SHA }, commit },
      [`gitlab:acme/web@${SHA}`, 'Mend the pump', `${WEB}/-/pipelines/31`],
    ],
    [
      'a tag',
      'tag_push',
      { user_id: 51, project, ref: 'refs/tags/v1.0', checkout_sha: SHA, after: SHA, commits: [] },
      [`gitlab:acme/web@${SHA}`, 'refs/tags/v1.0', `${WEB}/-/tags/v1.0`],
    ],
    [
      'a push of a system hook, without commits',
      'push',
      { user_id: 51, project, ref: 'refs/heads/main', checkout_sha: SHA, after: SHA, commits: [] },
      [`gitlab:acme/web@${SHA}`, 'refs/heads/main', `${WEB}/-/commit/${SHA}`],
    ],
    [
      'a repository that was updated',
      'repository_update',
      { user_id: 51, project, changes: [{ before: SHA, after: SHA, ref: 'refs/heads/main' }] },
      [`gitlab:acme/web@${SHA}`, 'acme/web', WEB],
    ],
    [
      'a note on a design of an issue',
      'note',
      { user, project, object_attributes: { note: 'x', url: `${WEB}/-/issues/7/designs/a.png#note_1` } },
      ['gitlab:acme/web#7', 'acme/web', `${WEB}/-/issues/7/designs/a.png#note_1`],
    ],
    [
      'a note on a page of the wiki',
      'note',
      { user, project, object_attributes: { note: 'x', url: `${WEB}/-/wikis/Home#note_1` } },
      ['gitlab:acme/web/-/wikis/Home', 'acme/web', `${WEB}/-/wikis/Home#note_1`],
    ],
    [
      'an epic, which belongs to a group',
      'work_item',
      {
        user,
        object_attributes: {
          id: 9,
          iid: 5,
          title: 'Pumps',
          url: 'https://gitlab.com/groups/Acme/tools/-/epics/5',
        },
      },
      ['gitlab:acme/tools&5', 'Pumps', 'https://gitlab.com/groups/Acme/tools/-/epics/5'],
    ],
  ])('%s', (_, kind, payload, expected) => {
    expect(told(event({ object_kind: kind, ...payload }))).toEqual(expected);
  });

  test.each([
    ['user_add_to_team', { user_id: 41, user_username: 'mallory', project_path_with_namespace: 'acme/web' }],
    ['user_update_for_group', { user_id: 41, user_username: 'mallory', group_path: 'acme' }],
    ['user_access_request_to_project', { user_id: 41, user_username: 'mallory' }],
    ['user_create', { user_id: 41, username: 'mallory' }],
    ['key_create', { id: 4, username: 'mallory' }],
    [
      'expiring_access_token',
      { object_kind: 'access_token', object_attributes: { user_id: 41, name: 'ci' } },
    ],
  ])('%s: whom it is about is not the sender', (name, payload) => {
    const { sender, title } = event({ event_name: name, ...payload });
    expect(sender).toBeNull();
    expect(title).not.toBeNull();
  });

  test('a push names who pushed in fields of its own', () => {
    expect(
      event({ object_kind: 'push', event_name: 'push', user_id: 51, user_username: 'ada', project }).sender,
    ).toMatchObject({
      id: '51',
      name: 'ada',
      association: 'member',
    });
  });
});

describe('C6: Gitea and Forgejo', () => {
  const WEB = 'https://git.example.com/acme/web';
  const at = 'gitea:git.example.com/acme/web';
  const repository = { id: 3, full_name: 'acme/web', html_url: WEB };
  const sender = { id: 51, login: 'ada' };
  const event = (name: string, payload: JsonObject) =>
    onlyEvent(gitea.parse(request(json({ repository, sender, ...payload }), { 'x-gitea-event': name })));

  test.each<Row>([
    [
      'a push',
      'push',
      {
        ref: 'refs/heads/main',
        after: SHA,
        head_commit: { id: SHA, message: 'Mend\n\nit', url: `${WEB}/commit/${SHA}` },
      },
      [`${at}@${SHA}`, 'Mend', `${WEB}/commit/${SHA}`],
    ],
    [
      'a new tag',
      'create',
      { ref: 'v1', ref_type: 'tag', sha: SHA },
      [`${at}@${SHA}`, 'v1', `${WEB}/src/tag/v1`],
    ],
    ['a branch that was deleted', 'delete', { ref: 'x', ref_type: 'branch' }, [null, 'x', WEB]],
    [
      'a release',
      'release',
      { release: { name: 'Version 1', tag_name: 'v1', html_url: `${WEB}/releases/tag/v1` } },
      [`${at}/releases/tag/v1`, 'Version 1', `${WEB}/releases/tag/v1`],
    ],
    [
      'the state of a commit',
      'status',
      { sha: SHA, context: 'ci', commit: { html_url: `${WEB}/commit/${SHA}` } },
      [`${at}@${SHA}`, 'ci', `${WEB}/commit/${SHA}`],
    ],
    [
      'a workflow run',
      'workflow_run',
      {
        action: 'completed',
        workflow_run: { display_title: 'Test', head_sha: SHA, html_url: `${WEB}/actions/runs/1` },
      },
      [`${at}@${SHA}`, 'Test', `${WEB}/actions/runs/1`],
    ],
    [
      'a workflow run of Forgejo',
      'action_run_failure',
      { run: { title: 'Test', commit_sha: SHA, html_url: `${WEB}/actions/runs/1` } },
      [`${at}@${SHA}`, 'Test', `${WEB}/actions/runs/1`],
    ],
    [
      'a wiki page',
      'wiki',
      { action: 'created', page: 'My Home', comment: 'x' },
      [null, 'My Home', `${WEB}/wiki/My%20Home`],
    ],
    [
      'a fork: the new repository',
      'fork',
      {
        forkee: { full_name: 'acme/web', html_url: WEB },
        repository: { id: 4, full_name: 'mallory/web', html_url: 'https://git.example.com/mallory/web' },
      },
      [null, 'mallory/web', 'https://git.example.com/mallory/web'],
    ],
    [
      'an issue of older versions, without a page',
      'issues',
      { action: 'closed', issue: { number: 7, title: 'Pump', url: `${WEB}/api` } },
      [`${at}#7`, 'Pump', `${WEB}/issues/7`],
    ],
    [
      'a pull request of older versions, without a page',
      'pull_request',
      { action: 'closed', pull_request: { number: 7, title: 'Pump' } },
      [`${at}#7`, 'Pump', `${WEB}/pulls/7`],
    ],
    [
      'D1: a pull request with `"review": null`',
      'pull_request',
      {
        action: 'opened',
        review: null,
        pull_request: { number: 4, title: 'Pump', html_url: `${WEB}/pulls/4` },
      },
      [`${at}#4`, 'Pump', `${WEB}/pulls/4`],
    ],
  ])('%s', (_, name, payload, expected) => expect(told(event(name, payload))).toEqual(expected));
});

describe('C6: Bitbucket', () => {
  const WEB = 'https://bitbucket.org/acme/web';
  const page = (href: string) => ({ links: { html: { href } } });
  const cloud = { full_name: 'acme/web', uuid: '{1}', is_private: true, ...page(WEB) };
  const server = {
    slug: 'web',
    id: 84,
    project: { key: 'ACME' },
    links: { self: [{ href: 'https://bb.example.com/projects/ACME/repos/web/browse' }] },
  };
  const actor = { type: 'user', account_id: '1', nickname: 'ada' };
  const parse = (name: string, payload: JsonObject) =>
    bitbucket.parse(request(json({ actor, ...payload }), { 'x-event-key': name }));

  test.each<Row>([
    [
      'a comment on a commit',
      'repo:commit_comment_created',
      {
        repository: cloud,
        commit: { hash: SHA, message: 'Mend', ...page(`${WEB}/commits/${SHA}`) },
        comment: { user: actor, content: { raw: 'x' }, ...page(`${WEB}/c`) },
      },
      [`bitbucket:acme/web@${SHA}`, 'Mend', `${WEB}/c`],
    ],
    [
      'the state of a commit',
      'repo:commit_status_updated',
      {
        repository: cloud,
        commit_status: {
          name: 'Build 3',
          url: 'https://ci.example.com/3',
          links: { commit: { href: `https://api.bitbucket.org/2.0/repositories/acme/web/commit/${SHA}` } },
        },
      },
      [`bitbucket:acme/web@${SHA}`, 'Build 3', 'https://ci.example.com/3'],
    ],
    [
      'a push',
      'repo:push',
      {
        repository: cloud,
        push: {
          changes: [
            {
              new: { name: 'main', target: { hash: SHA, message: 'Mend\n' } },
              ...page(`${WEB}/branches/compare/a..b`),
            },
          ],
        },
      },
      [`bitbucket:acme/web@${SHA}`, 'Mend', `${WEB}/branches/compare/a..b`],
    ],
    [
      'a branch that was deleted',
      'repo:push',
      { repository: cloud, push: { changes: [{ new: null, old: { name: 'x' } }] } },
      [null, 'x', WEB],
    ],
    [
      'a transfer',
      'repo:transfer',
      { repository: cloud, previous_owner: { type: 'user', account_id: '2' } },
      [null, 'acme/web', WEB],
    ],
    [
      'a project of a workspace',
      'project:updated',
      { project: { key: 'P', name: 'Pumps', ...page('https://bitbucket.org/acme/workspace/projects/P') } },
      [null, 'Pumps', 'https://bitbucket.org/acme/workspace/projects/P'],
    ],
    [
      'Server: a push',
      'repo:refs_changed',
      {
        eventKey: 'repo:refs_changed',
        repository: server,
        changes: [{ ref: { displayId: 'main' }, toHash: SHA, type: 'UPDATE' }],
      },
      [
        `bitbucket:bb.example.com/acme/web@${SHA}`,
        'main',
        `https://bb.example.com/projects/ACME/repos/web/commits/${SHA}`,
      ],
    ],
    [
      'Server: a comment on a commit',
      'repo:comment:added',
      {
        eventKey: 'repo:comment:added',
        repository: server,
        commit: SHA,
        comment: { text: 'x', author: actor },
      },
      [
        `bitbucket:bb.example.com/acme/web@${SHA}`,
        'commit bcbb5ec396a2',
        `https://bb.example.com/projects/ACME/repos/web/commits/${SHA}`,
      ],
    ],
    [
      'Server: a comment on a pull request',
      'pr:comment:added',
      {
        eventKey: 'pr:comment:added',
        pullRequest: {
          ...{ id: 2, title: 'Pump', toRef: { repository: server } },
          links: { self: [{ href: 'https://bb.example.com/projects/ACME/repos/web/pull-requests/2' }] },
        },
        comment: { id: 62, text: 'x', author: actor },
      },
      [
        'bitbucket:bb.example.com/acme/web!2',
        'Pump',
        'https://bb.example.com/projects/ACME/repos/web/pull-requests/2/overview?commentId=62',
      ],
    ],
    [
      'Server: a repository that was renamed',
      'repo:modified',
      { eventKey: 'repo:modified', old: { ...server, slug: 'old' }, new: server },
      [null, 'ACME/web', 'https://bb.example.com/projects/ACME/repos/web/browse'],
    ],
    [
      'an example of the documentation, whose pages are the API’s',
      'issue:created',
      {
        issue: { id: 1, title: 'Pump', content: { raw: 'x' }, ...page('https://api.bitbucket.org/issue_id') },
        repository: { full_name: 'acme/web', ...page('https://api.bitbucket.org/acme/web') },
      },
      ['bitbucket:acme/web#1', 'Pump', 'https://api.bitbucket.org/issue_id'],
    ],
  ])('%s', (_, name, payload, expected) => {
    const event = onlyEvent(parse(name, payload));
    expect(told(event)).toEqual(expected);
    expect(event.sender?.id).toBe('1');
  });

  test('Server: without links, pages are below the base URL of the settings', () => {
    const payload = {
      ...{ eventKey: 'pr:opened', actor },
      pullRequest: { id: 2, title: 'Pump', toRef: { repository: { ...server, links: {} } } },
    };
    const read = (options: JsonObject) =>
      onlyEvent(
        bitbucket.parse(request(json(payload), { 'x-event-key': 'pr:opened' }), {
          options,
          commandPrefix: '@agent',
        }),
      );
    expect(read({ baseUrl: 'https://bb.example.com/git/' }).url).toBe(
      'https://bb.example.com/git/projects/ACME/repos/web/pull-requests/2',
    );
    expect(read({}).url).toBeNull();
  });

  test('a header that names another event than the signed body is refused', () => {
    const payload = { eventKey: 'pr:deleted', pullRequest: { id: 1 } };
    expect(parse('pr:opened', payload)).toEqual({
      ok: false,
      reason: 'the header says pr:opened, the payload pr:deleted',
    });
    expect(parse('pr:deleted', payload).ok).toBe(true);
  });
});

describe('C6: forking a repository makes no member of it', () => {
  const stranger = { id: 90, login: 'mallory', type: 'NORMAL', name: 'mallory' };
  test('Gitea: the new repository is the stranger’s', () => {
    const payload = {
      sender: stranger,
      forkee: { full_name: 'acme/web', owner: { id: 1 }, private: false },
      repository: { full_name: 'mallory/web', owner: { id: 90 }, private: true },
    };
    const event = onlyEvent(gitea.parse(request(json(payload), { 'x-gitea-event': 'fork' })));
    expect(event.sender).toMatchObject({ id: '90', association: null });
  });

  test('Bitbucket Server: the new repository is private to the stranger', () => {
    const payload = {
      ...{ eventKey: 'repo:forked', actor: stranger },
      repository: {
        slug: 'web',
        project: { key: '~mallory' },
        public: false,
        origin: { slug: 'web', public: true },
      },
    };
    const event = onlyEvent(bitbucket.parse(request(json(payload), { 'x-event-key': 'repo:forked' })));
    expect(event.sender).toMatchObject({ id: '90', association: null });
  });
});
