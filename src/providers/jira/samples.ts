import type { JsonObject, Sample, SampleContext } from '../../types.ts';

const SITE = 'https://acme.atlassian.net';
const REST = `${SITE}/rest/api/2`;

/** Payloads as Jira Cloud sends them, cut to the fields that are read, by one user of one site. */
export const samples: readonly Sample[] = [
  { type: 'comment_created', build: (context) => commented('comment_created', context) },
  { type: 'comment_updated', build: (context) => commented('comment_updated', context) },
  {
    type: 'jira:issue_created',
    build: (context) => ({
      ...envelope('jira:issue_created', context),
      issue_event_type_name: 'issue_created',
      user: person(),
      issue: issue(context, context.text),
    }),
  },
  {
    type: 'jira:issue_updated',
    build: (context) => ({
      ...envelope('jira:issue_updated', context),
      issue_event_type_name: 'issue_generic',
      user: person(),
      issue: issue(context, context.text),
      changelog: { id: String(context.nextNumber()), items: [moved('To Do', 'In Progress')] },
    }),
  },
  {
    type: 'jira:issue_deleted',
    build: (context) => ({
      ...envelope('jira:issue_deleted', context),
      user: person(),
      issue: issue(context, context.text),
    }),
  },
  {
    type: 'sprint_started',
    build: (context) => ({
      ...envelope('sprint_started', context),
      sprint: {
        id: context.nextNumber(),
        self: `${SITE}/rest/agile/1.0/sprint/1`,
        state: 'active',
        name: 'Sprint 1',
      },
    }),
  },
];

function envelope(webhookEvent: string, { now }: SampleContext): JsonObject {
  return { timestamp: now.getTime(), webhookEvent };
}

/** Cloud's comment events have no `user`, and an issue of few fields. */
function commented(type: string, context: SampleContext): JsonObject {
  const {
    fields: { description: _, ...fields },
    ...identity
  } = issue(context, null);
  const comment = String(context.nextNumber());
  return {
    ...envelope(type, context),
    comment: {
      self: `${identity.self}/comment/${comment}`,
      id: comment,
      author: person(),
      body: context.text,
      updateAuthor: person(),
      created: context.now.toISOString(),
      updated: context.now.toISOString(),
      jsdPublic: true,
    },
    issue: { ...identity, fields },
  };
}

function issue({ nextNumber, now }: SampleContext, description: string | null) {
  const number = nextNumber();
  return {
    id: String(number),
    self: `${REST}/issue/${number}`,
    key: `PROJ-${1 + (number % 900)}`,
    fields: {
      summary: 'Login fails with status 500',
      description,
      issuetype: { name: 'Bug', subtask: false },
      project: { id: '10000', key: 'PROJ', name: 'Project', projectTypeKey: 'software' },
      status: { name: 'To Do' },
      priority: { name: 'Medium' },
      labels: ['bug'],
      creator: person(),
      reporter: person(),
      assignee: null,
      created: now.toISOString(),
      updated: now.toISOString(),
    },
  };
}

/** `toString` is the field's real name. */
function moved(from: string, to: string): JsonObject {
  return { field: 'status', fieldtype: 'jira', from: '10000', fromString: from, to: '3', toString: to };
}

function person(): JsonObject {
  const accountId = '5b10ac8d82e05b22cc7d4ef5';
  return {
    self: `${REST}/user?accountId=${accountId}`,
    accountId,
    displayName: 'Ada Lovelace',
    active: true,
    timeZone: 'Etc/UTC',
    accountType: 'atlassian',
  };
}
