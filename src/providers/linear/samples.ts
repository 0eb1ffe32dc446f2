import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const WEB = 'https://linear.app/acme';
const TEAM = { id: '72b2a2dc-6f4f-4423-9d34-24b5bd10634a', key: 'ENG', name: 'Engineering' };

/** Payloads as Linear sends them, cut to the fields that are read, by one member of a workspace. */
export const samples: readonly Sample[] = [
  { type: 'Comment.create', build: (context) => comment('create', context) },
  {
    type: 'Comment.update',
    build: (context) => ({ ...comment('update', context), updatedFrom: { body: 'before', editedAt: null } }),
  },
  {
    type: 'Issue.create',
    build: (context) => {
      const data = { ...issue(context), description: context.text };
      return envelope('create', 'Issue', context, data, data.url);
    },
  },
  {
    type: 'Issue.update',
    build: (context) => {
      const data = { ...issue(context), description: context.text, priority: 1 };
      return { ...envelope('update', 'Issue', context, data, data.url), updatedFrom: { priority: 0 } };
    },
  },
  {
    type: 'AgentSessionEvent.created',
    build: (context) => {
      const about = issue(context);
      const { webhookTimestamp, webhookId, organizationId, createdAt } = envelope(
        'created',
        '',
        context,
        {},
        '',
      );
      const session = {
        id: uuid(context),
        status: 'pending',
        type: 'commentThread',
        creator: person(),
        issue: about,
        issueId: about.id,
        comment: { id: uuid(context), body: context.text, issueId: about.id, userId: person().id },
        url: `${about.url}#agent-session`,
      };
      const rest = { webhookTimestamp, webhookId, organizationId, createdAt };
      return { type: 'AgentSessionEvent', action: 'created', agentSession: session, ...rest };
    },
  },
];

function comment(action: string, context: SampleContext): JsonObject {
  const about = issue(context);
  const id = uuid(context);
  const data = {
    id,
    createdAt: context.now.toISOString(),
    updatedAt: context.now.toISOString(),
    body: context.text,
    issueId: about.id,
    userId: person().id,
    issue: about,
    user: person(),
    botActor: null,
  };
  return envelope(action, 'Comment', context, data, `${about.url}#comment-${id.slice(0, 8)}`);
}

function issue(context: SampleContext) {
  const identifier = `ENG-${1 + (context.nextNumber() % 900)}`;
  return {
    id: uuid(context),
    identifier,
    title: 'Login fails with status 500',
    creatorId: person().id,
    teamId: TEAM.id,
    team: TEAM,
    url: `${WEB}/issue/${identifier}/login-fails-with-status-500`,
  };
}

function envelope(action: string, type: string, { now }: SampleContext, data: JsonObject, url: string) {
  return {
    action,
    type,
    actor: { ...person(), type: 'user', url: `${WEB}/profiles/ada` },
    createdAt: now.toISOString(),
    data,
    url,
    organizationId: '71a5d7d1-9d2f-4a4b-8d0d-1b2c3d4e5f60',
    webhookTimestamp: now.getTime(),
    webhookId: '3f2f8a1e-7a0b-4b0e-9d4c-6a5b4c3d2e1f',
  };
}

function person() {
  return { id: 'b5ea5f1f-8adc-4f52-b4bd-ab4e84cf51ba', name: 'Ada Lovelace', email: 'ada@example.com' };
}

function uuid({ nextNumber }: SampleContext): string {
  return `2174add1-f7c8-44e3-bbf3-${nextNumber().toString(16).padStart(12, '0')}`;
}
