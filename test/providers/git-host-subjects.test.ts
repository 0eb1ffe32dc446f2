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
      { project, object_attributes: { iid: 2, title: 'May' } },
      [null, 'May', WEB],
    ],
    [
      'a feature flag',
      'feature_flag',
      { user, project, object_attributes: { name: 'pump' } },
      [null, 'pump', WEB],
    ],
    [
      'a vulnerability',
      'vulnerability',
      { project, object_attributes: { title: 'REDOS', url: `${WEB}/-/security/vulnerabilities/1` } },
      ['gitlab:acme/web/-/security/vulnerabilities/1', 'REDOS', `${WEB}/-/security/vulnerabilities/1`],
    ],
    [
      'a token that expires',
      'access_token',
      { project, object_attributes: { name: 'ci', user_id: 90 } },
      [null, 'ci', WEB],
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
    ['a new tag', 'create', { ref: 'v1', ref_type: 'tag', sha: SHA }, [`${at}@${SHA}`, 'v1', WEB]],
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
    ['a wiki page', 'wiki', { action: 'created', page: 'Home', comment: 'x' }, [null, 'Home', WEB]],
    ['a fork', 'fork', { forkee: { full_name: 'acme/web', html_url: WEB } }, [null, 'acme/web', WEB]],
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
        'https://bb.example.com/projects/ACME/repos/web/browse',
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
        'ACME/web',
        'https://bb.example.com/projects/ACME/repos/web/browse',
      ],
    ],
  ])('%s', (_, name, payload, expected) => {
    const event = onlyEvent(parse(name, payload));
    expect(told(event)).toEqual(expected);
    expect(event.sender?.id).toBe('1');
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
