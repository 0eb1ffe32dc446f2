import { NO_TEXT, type TextCase, UNNAMED, WROTE } from './case.ts';

const STRANGER = { accountId: 'x-900', displayName: 'Mallory', accountType: 'customer' };

export const jira: readonly TextCase[] = [
  {
    name: 'a comment that another edited',
    sample: 'comment_updated',
    change: { comment: { author: STRANGER } },
    refused: WROTE,
  },
  {
    name: 'an issue that was made for another',
    sample: 'jira:issue_created',
    change: { issue: { fields: { reporter: STRANGER } } },
    refused: UNNAMED,
  },
  {
    name: 'an issue that another created',
    sample: 'jira:issue_created',
    change: { issue: { fields: { creator: STRANGER, reporter: STRANGER } } },
    refused: WROTE,
  },
  {
    name: 'an issue that was moved to another project',
    sample: 'jira:issue_updated',
    change: {
      changelog: { items: [{ field: 'Key', fromString: 'A-1', toString: 'B-1' }, { field: 'project' }] },
    },
    refused: NO_TEXT,
  },
  {
    name: 'an issue whose rank changed',
    sample: 'jira:issue_updated',
    change: { changelog: { items: [{ field: 'Rank', toString: 'Ranked higher' }] } },
    refused: NO_TEXT,
  },
  {
    name: 'a description of another that was edited',
    sample: 'jira:issue_updated',
    change: {
      changelog: { items: [{ field: 'description' }] },
      issue: { fields: { creator: STRANGER, reporter: STRANGER } },
    },
    refused: WROTE,
  },
  {
    name: 'a comment that the issue brings along',
    sample: 'jira:issue_updated',
    change: {
      comment: { body: '@agent analyze it', author: STRANGER, created: '2026-01-01T00:00:00.000+0000' },
    },
    refused: WROTE,
  },
];
