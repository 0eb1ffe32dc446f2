import type { LinearWebhookPayload } from '@linear/sdk/webhooks';
import { describe, expect, test } from 'vitest';
import { match } from '../../src/deliveries/match.ts';
import { linear } from '../../src/providers/linear/index.ts';
import type { JsonObject } from '../../src/types.ts';
import { webhookWith } from '../deliveries/support.ts';
import { json, onlyEvent, request, samplePayload } from './support.ts';

const event = (payload: JsonObject) => onlyEvent(linear.parse(request(json(payload))));
const ada = { id: 'u-ada', name: 'Ada' };
const bob = { id: 'u-bob', name: 'Bob' };

const webhook = await webhookWith({
  name: 'linear',
  provider: 'linear',
  commands: [{ name: 'analyze' }],
  allow: { users: ['u-ada'], associations: [] },
});
const judge = (payload: JsonObject) => match(webhook, event(payload)).matches[0];

describe('A3: a session with an agent', () => {
  const session = (
    action: LinearWebhookPayload['action'],
    change: JsonObject,
    about: JsonObject = {},
  ): JsonObject => {
    const sample = samplePayload(linear, 'AgentSessionEvent.created');
    const agentSession = {
      ...(sample.agentSession as JsonObject),
      creator: ada,
      appUserId: 'u-agent',
      ...about,
    };
    return { ...sample, action, agentSession, appUserId: 'u-agent', ...change };
  };
  const prompt = (user: JsonObject) => ({
    agentActivity: { content: { type: 'prompt', body: '@agent analyze it' }, ...user },
  });

  test.each([
    ['its writer', { user: bob, userId: bob.id }, 'u-bob', false],
    ['its writer, named by the id alone', { userId: bob.id }, 'u-bob', false],
    ['its writer, who opened the session', { user: ada, userId: ada.id }, 'u-ada', true],
  ])('A3: a prompt is judged by %s', (_, user, sender, fired) => {
    const payload = session('prompted', prompt(user));
    expect(event(payload)).toMatchObject({ sender: { id: sender }, author: { id: sender } });
    expect(judge(payload)?.fired).toBe(fired);
  });

  test('A3: a prompt without a writer has no author, not the creator; one of the agent is a bot’s', () => {
    expect(event(session('prompted', prompt({}))).sender).toBeNull();
    expect(judge(session('prompted', prompt({})))?.fired).toBe(false);
    const own = event(session('prompted', prompt({ userId: 'u-agent' })));
    expect(own.sender).toMatchObject({ kind: 'bot', appId: 'u-agent' });
  });

  test('A3: the comment that opened a session belongs to its own writer', () => {
    const comment = (userId: string) => ({ id: 'c', body: '@agent analyze it', userId });
    expect(judge(session('created', {}, { comment: comment('u-ada') }))?.fired).toBe(true);
    const foreign = judge(session('created', {}, { comment: comment('u-bob') }));
    expect(foreign).toMatchObject({
      fired: false,
      reason: expect.stringContaining('wrote the text, and Ada'),
    });
  });
});

describe('C6: every event names its issue, and who acted', () => {
  const issue = {
    id: 'i-1',
    identifier: 'ENG-7',
    title: 'Pump',
    url: 'https://linear.app/acme/issue/ENG-7/pump',
  };
  const base = {
    organizationId: 'o',
    webhookId: 'w',
    webhookTimestamp: 1,
    createdAt: '2026-01-01T00:00:00Z',
  };
  const actor = { ...ada, type: 'user' };
  test.each([
    [
      'a notification, whose userId is who is told',
      {
        type: 'AppUserNotification',
        action: 'issueMention',
        notification: { userId: 'u-agent', actor: bob, actorId: bob.id, issue, issueId: 'i-1' },
      },
      'linear:acme/ENG-7',
      'u-bob',
      'user',
    ],
    [
      'a notification by somebody from outside',
      {
        type: 'AppUserNotification',
        action: 'issueNewComment',
        notification: { userId: 'u-agent', externalUserActorId: 'x-1', issueId: 'i-1' },
      },
      'linear:i-1',
      'x-1',
      null,
    ],
    [
      'a service level',
      { type: 'IssueSLA', action: 'breached', issueData: issue },
      'linear:acme/ENG-7',
      null,
      null,
    ],
    [
      'an attachment',
      { type: 'Attachment', action: 'create', actor, data: { id: 'a', issueId: 'i-1', title: 'PR' } },
      'linear:i-1',
      'u-ada',
      'user',
    ],
    [
      'a project update',
      { type: 'ProjectUpdate', action: 'create', actor, data: { id: 'p', projectId: 'p-1' } },
      'linear:p-1',
      'u-ada',
      'user',
    ],
  ])('C6: %s', (_, payload, externalId, sender, association) => {
    const said = event({ ...base, ...payload });
    expect(said.externalId).toBe(externalId);
    expect([said.sender?.id ?? null, said.sender?.association ?? null]).toEqual([sender, association]);
  });

  test('C6: an issue keeps its flow by its own id, and is known by what it was called', () => {
    const moved = event({
      ...base,
      type: 'Issue',
      action: 'update',
      actor,
      url: issue.url,
      data: { ...issue, previousIdentifiers: ['OPS-1'] },
    });
    expect(moved).toMatchObject({ stableIds: ['linear:linear.app/i-1'], otherIds: ['linear:acme/OPS-1'] });
    expect(
      event({ ...base, type: 'Attachment', action: 'create', actor, data: { issueId: 'i-1' } }).stableIds,
    ).toEqual(moved.stableIds);
  });

  test.each([
    ['from a message or ticket', { integrationSourceType: 'slack' }],
    ['by a schedule', { recurringIssueTemplateId: 't' }],
  ])('A: an issue that was made %s holds words of others', (_, change) => {
    const sample = samplePayload(linear, 'Issue.create');
    expect(event({ ...sample, data: { ...(sample.data as JsonObject), ...change } }).author).toBeNull();
  });
});
